package plane

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Schedule says when a scheduled event is due. Times are UTC, to the minute.
type Schedule interface {
	// Next is the first time after t that the schedule names, for one that began
	// at begin; the zero time if there is none.
	Next(begin, t time.Time) time.Time
}

// Every is a schedule that repeats: first one period after it began.
type Every time.Duration

var (
	_ Schedule = Every(0)
	_ Schedule = Cron{}
)

// Next is begin and a whole number of periods.
func (r Every) Next(begin, t time.Time) time.Time {
	period := time.Duration(r)
	if t.Before(begin) {
		t = begin
	}
	return begin.Add((t.Sub(begin)/period + 1) * period)
}

// ParseSchedule reads rate(VALUE UNIT) or cron(MINUTES HOURS DAY-OF-MONTH MONTH
// DAY-OF-WEEK YEAR), as EventBridge does (Amazon EventBridge user guide:
// "Cron expressions reference", "Rate expressions"). A rate is a whole number of
// minutes, hours or days, its unit in the singular for 1 alone.
func ParseSchedule(s string) (Schedule, error) {
	kind, rest, ok := strings.Cut(s, "(")
	inner, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed {
		return nil, fmt.Errorf("schedule %q is neither rate(...) nor cron(...)", s)
	}
	var (
		schedule Schedule
		err      error
	)
	switch kind {
	case "rate":
		schedule, err = parseRate(inner)
	case "cron":
		schedule, err = parseCron(inner)
	default:
		return nil, fmt.Errorf("schedule %q is neither rate(...) nor cron(...)", s)
	}
	if err != nil {
		return nil, fmt.Errorf("schedule %s: %w", s, err)
	}
	return schedule, nil
}

// maxRate bounds a rate in days, so that no time overflows.
const maxRate = 36500

func parseRate(s string) (Every, error) {
	words := strings.Fields(s)
	if len(words) != 2 {
		return 0, fmt.Errorf("a rate is a value and a unit, such as 5 minutes")
	}
	n, err := digits(words[0], 1, maxRate*24*60)
	if err != nil {
		return 0, err
	}
	unit, singular := words[1], n == 1
	for name, d := range map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour} {
		switch {
		case unit == name && singular, unit == name+"s" && !singular:
			if n > int(maxRate*24*time.Hour/d) {
				return 0, fmt.Errorf("%d %s is more than %d days", n, unit, maxRate)
			}
			return Every(time.Duration(n) * d), nil
		case unit == name || unit == name+"s":
			return 0, fmt.Errorf("%d %s: the unit is singular for 1, and plural for more", n, unit)
		}
	}
	return 0, fmt.Errorf("unit %q is not of minutes, hours or days", unit)
}

// digits reads a whole number within bounds, of digits alone.
func digits(s string, low, high int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || strings.Trim(s, "0123456789") != "" {
		return 0, fmt.Errorf("%q is no number", s)
	}
	if n < low || n > high {
		return 0, fmt.Errorf("%d is not within %d..%d", n, low, high)
	}
	return n, nil
}
