package plane

import (
	"fmt"
	"strings"
	"time"
)

// Cron is a schedule by the calendar. ParseSchedule makes it.
type Cron struct {
	minutes, hours, months, years values
	day                           days
}

// values are those that a field names, by their distance from its lowest.
type values struct {
	low  int
	bits [4]uint64 // years need 230
}

func (v *values) set(n int)     { n -= v.low; v.bits[n/64] |= 1 << (n % 64) }
func (v values) has(n int) bool { n -= v.low; return v.bits[n/64]&(1<<(n%64)) != 0 }

// days are those of a month on which the schedule is due: by the day of the
// month, or by the day of the week.
type days struct {
	byWeek  bool
	plain   values // 1..31, or 1..7 with Sunday as 1
	last    bool   // L: the month's last day
	near    []int  // W: the weekdays closest to these days
	lastOf  []int  // 6L: the month's last of these days of the week
	day     int    // 3#2: this day of the week,
	nth     int    // that time in the month; 0: not given
	unbound bool   // * or no restriction
}

const (
	minYear = 1970
	maxYear = 2199
)

var (
	monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	dayNames   = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
)

// field is what is to be read of one of the six.
type field struct {
	name      string
	low, high int
	names     []string // of its values, from low; nil if they are numbers alone
	steps     bool     // a/b is allowed
}

func parseCron(s string) (c Cron, err error) {
	words := strings.Fields(s)
	if len(words) != 6 {
		return c, fmt.Errorf("cron has %d fields, not six: minutes, hours, day of month, month, day of week, year", len(words))
	}
	for _, f := range []struct {
		to   *values
		word string
		field
	}{
		{&c.minutes, words[0], field{"minutes", 0, 59, nil, true}},
		{&c.hours, words[1], field{"hours", 0, 23, nil, true}},
		{&c.months, words[3], field{"month", 1, 12, monthNames, true}},
		{&c.years, words[5], field{"year", minYear, maxYear, nil, true}},
	} {
		f.to.low = f.low
		for part := range strings.SplitSeq(f.word, ",") {
			if err := f.add(f.to, part); err != nil {
				return c, err
			}
		}
	}
	month, week := words[2], words[4]
	switch {
	case month == "?" && week == "?":
		return c, fmt.Errorf("day of month and day of week are both ?")
	case month != "?" && week != "?":
		return c, fmt.Errorf("one of day of month and day of week must be ?")
	case week == "?":
		c.day, err = parseMonthDays(month)
	default:
		c.day, err = parseWeekDays(week)
	}
	return c, err
}

// add reads *, a, a-b, */n, a/n or a-b/n.
func (f field) add(v *values, part string) error {
	spec, by, stepped := strings.Cut(part, "/")
	step := 1
	if stepped {
		var err error
		if !f.steps {
			return fmt.Errorf("%s %q: no increments here", f.name, part)
		}
		if step, err = digits(by, 1, f.high); err != nil {
			return fmt.Errorf("%s %q: increment %w", f.name, part, err)
		}
	}
	from, to := f.low, f.high
	if spec != "*" {
		low, high, span := strings.Cut(spec, "-")
		var err error
		if from, err = f.value(low); err != nil {
			return err
		}
		if span {
			if to, err = f.value(high); err != nil {
				return err
			}
			if to < from {
				return fmt.Errorf("%s %q ends before it begins", f.name, part)
			}
		} else if !stepped {
			to = from
		}
	}
	for n := from; n <= to; n += step {
		v.set(n)
	}
	return nil
}

// value reads a number or a name.
func (f field) value(s string) (int, error) {
	for i, name := range f.names {
		if strings.EqualFold(s, name) {
			return f.low + i, nil
		}
	}
	n, err := digits(s, f.low, f.high)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", f.name, err)
	}
	return n, nil
}

func parseMonthDays(word string) (days, error) {
	f := field{"day of month", 1, 31, nil, true}
	d := days{plain: values{low: 1}, unbound: word == "*"}
	for part := range strings.SplitSeq(word, ",") {
		if part == "L" {
			d.last = true
			continue
		}
		if of, weekday := strings.CutSuffix(part, "W"); weekday {
			n, err := f.value(of)
			if err != nil {
				return d, err
			}
			d.near = append(d.near, n)
			continue
		}
		if err := f.add(&d.plain, part); err != nil {
			return d, err
		}
	}
	return d, nil
}

func parseWeekDays(word string) (days, error) {
	f := field{"day of week", 1, 7, dayNames, false}
	d := days{byWeek: true, plain: values{low: 1}, unbound: word == "*"}
	if of, nth, ok := strings.Cut(word, "#"); ok {
		var err error
		if d.day, err = f.value(of); err != nil {
			return d, err
		}
		if d.nth, err = digits(nth, 1, 5); err != nil {
			return d, fmt.Errorf("day of week %q: after #: %w", word, err)
		}
		return d, nil
	}
	for part := range strings.SplitSeq(word, ",") {
		if part == "L" { // the last day of the week
			d.plain.set(7)
			continue
		}
		if of, last := strings.CutSuffix(part, "L"); last {
			n, err := f.value(of)
			if err != nil {
				return d, err
			}
			d.lastOf = append(d.lastOf, n)
			continue
		}
		if err := f.add(&d.plain, part); err != nil {
			return d, err
		}
	}
	return d, nil
}

// Next is the first minute after t that the expression names. When the schedule
// began doesn't matter.
func (c Cron) Next(_, t time.Time) time.Time {
	t = t.UTC().Truncate(time.Minute).Add(time.Minute)
	year, month, day := t.Date()
	hour, minute := t.Hour(), t.Minute()
	if year < minYear {
		year, month, day, hour, minute = minYear, 1, 1, 0, 0
	}
	for ; year <= maxYear; year, month, day, hour, minute = year+1, 1, 1, 0, 0 {
		if !c.years.has(year) {
			continue
		}
		for ; month <= 12; month, day, hour, minute = month+1, 1, 0, 0 {
			if !c.months.has(int(month)) {
				continue
			}
			for length := monthLength(year, month); day <= length; day, hour, minute = day+1, 0, 0 {
				if !c.day.has(year, month, day) {
					continue
				}
				for ; hour < 24; hour, minute = hour+1, 0 {
					if !c.hours.has(hour) {
						continue
					}
					for ; minute < 60; minute++ {
						if c.minutes.has(minute) {
							return time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
						}
					}
				}
			}
		}
	}
	return time.Time{}
}

func (d days) has(year int, month time.Month, day int) bool {
	if d.unbound {
		return true
	}
	length := monthLength(year, month)
	of := weekday(year, month, day)
	if !d.byWeek {
		if d.plain.has(day) || d.last && day == length {
			return true
		}
		for _, n := range d.near {
			if n <= length && day == nearest(year, month, n, length) {
				return true
			}
		}
		return false
	}
	if d.nth > 0 {
		return of == d.day && (day+6)/7 == d.nth
	}
	if d.plain.has(of) {
		return true
	}
	for _, n := range d.lastOf {
		if of == n && day+7 > length {
			return true
		}
	}
	return false
}

// nearest is the weekday of the month that is closest to a day of it.
func nearest(year int, month time.Month, day, length int) int {
	switch weekday(year, month, day) {
	case 7: // Saturday: Friday, unless that is of the month before
		if day == 1 {
			return 3
		}
		return day - 1
	case 1: // Sunday: Monday, unless that is of the month after
		if day == length {
			return day - 2
		}
		return day + 1
	}
	return day
}

func weekday(year int, month time.Month, day int) int {
	return int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()) + 1
}

func monthLength(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
