package plane

import (
	"strings"
	"testing"
	"time"
)

// instant reads "2026-01-31 23:59".
func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// due lists the times that a schedule names after one, as far as there are n.
func due(t testing.TB, expression, after string, n int) string {
	t.Helper()
	s, err := ParseSchedule(expression)
	if err != nil {
		t.Fatal(err)
	}
	begin := instant(t, after)
	at, all := begin, []string{}
	for range n {
		if at = s.Next(begin, at); at.IsZero() {
			all = append(all, "never")
			break
		}
		all = append(all, at.Format("2006-01-02 15:04"))
	}
	return strings.Join(all, ", ")
}

func TestARateBeginsOnePeriodAfterItsStart(t *testing.T) {
	equal(t, due(t, "rate(1 minute)", "2026-01-31 23:58", 3), "2026-01-31 23:59, 2026-02-01 00:00, 2026-02-01 00:01")
	equal(t, due(t, "rate(2 days)", "2026-02-27 10:00", 2), "2026-03-01 10:00, 2026-03-03 10:00")
	late := Every(time.Hour).Next(instant(t, "2026-01-01 00:00"), instant(t, "2026-01-01 05:30"))
	equal(t, late, instant(t, "2026-01-01 06:00"))
}

func TestCronIsByTheCalendar(t *testing.T) {
	for _, tt := range []struct{ name, expression, after, want string }{
		{"every day", "cron(0 10 * * ? *)", "2026-01-31 10:00", "2026-02-01 10:00, 2026-02-02 10:00"},
		{"weekdays", "cron(0 18 ? * MON-FRI *)", "2026-01-02 18:00", "2026-01-05 18:00, 2026-01-06 18:00"}, // a Friday
		{"first of each month", "cron(0 8 1 * ? *)", "2026-01-01 08:00", "2026-02-01 08:00, 2026-03-01 08:00"},
		{"every tenth minute of weekdays", "cron(0/10 * ? * MON-FRI *)", "2026-01-02 23:49", "2026-01-02 23:50, 2026-01-05 00:00"},
		{"from the first minute", "cron(1/10 5 * * ? *)", "2026-01-01 05:40", "2026-01-01 05:41, 2026-01-01 05:51"},
		{"lists and ranges", "cron(5,35 8-9 ? * 2,SAT 2026-2027)", "2026-01-01 00:00", "2026-01-03 08:05, 2026-01-03 08:35"},
		{"last day of the month", "cron(0 0 L * ? *)", "2024-02-01 00:00", "2024-02-29 00:00, 2024-03-31 00:00"},
		{"last day of the week", "cron(0 0 ? * L *)", "2026-01-01 00:00", "2026-01-03 00:00, 2026-01-10 00:00"},
		{"last Friday", "cron(0 0 ? * 6L *)", "2026-01-01 00:00", "2026-01-30 00:00, 2026-02-27 00:00"},
		{"second Tuesday", "cron(0 0 ? * 3#2 *)", "2026-01-01 00:00", "2026-01-13 00:00, 2026-02-10 00:00"},
		{"fifth Sunday", "cron(0 0 ? * SUN#5 *)", "2026-01-01 00:00", "2026-03-29 00:00, 2026-05-31 00:00"},
		{"weekday closest to the third", "cron(0 0 3W * ? *)", "2026-01-01 00:00", "2026-01-02 00:00, 2026-02-03 00:00"}, // Saturday
		{"closest to the first stays in its month", "cron(0 0 1W 8 ? *)", "2026-01-01 00:00", "2026-08-03 00:00, 2027-08-02 00:00"},
		{"closest to the last stays in its month", "cron(0 0 31W 5 ? *)", "2026-01-01 00:00", "2026-05-29 00:00, 2027-05-31 00:00"},
		{"leap days", "cron(0 0 29 2 ? *)", "2096-03-01 00:00", "2104-02-29 00:00, 2108-02-29 00:00"},
		{"a day that never is", "cron(0 0 30 FEB ? *)", "2026-01-01 00:00", "never"},
		{"a year that is over", "cron(0 0 1 1 ? 2020)", "2026-01-01 00:00", "never"},
		{"the last year", "cron(59 23 31 12 ? 2199)", "2026-01-01 00:00", "2199-12-31 23:59, never"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			equal(t, due(t, tt.expression, tt.after, 2), tt.want)
		})
	}
}

func TestSchedulesAreReadStrictly(t *testing.T) {
	for _, s := range []string{
		"", "rate", "rate()", "rate(1 minutes)", "rate(2 minute)", "rate(0 minutes)", "rate(-1 minutes)", "rate(+2 minutes)", "rate(1.5 hours)",
		"rate(2 weeks)", "rate(5 seconds)", "rate(5 minutes", "rate(99999999999 days)", "Rate(1 minute)", "every(1 minute)",
		"cron()", "cron(* * * * *)", "cron(0 10 * * *)", "cron(0 10 * * ? * *)",
		"cron(0 10 * * * *)", "cron(0 10 ? * ? *)", "cron(0 10 1 * 2 *)",
		"cron(60 10 * * ? *)", "cron(0 24 * * ? *)", "cron(0 0 0 * ? *)", "cron(0 0 32 * ? *)", "cron(0 0 1 13 ? *)", "cron(0 0 ? * 0 *)",
		"cron(0 0 ? * 8 *)", "cron(0 0 ? * SUNDAY *)", "cron(0 0 1 1 ? 1969)", "cron(0 0 1 1 ? 2200)",
		"cron(5-1 * * * ? *)", "cron(*/0 * * * ? *)", "cron(1//2 * * * ? *)", "cron(, * * * ? *)", "cron(-1 * * * ? *)", "cron(? * * * ? *)",
		"cron(0 0 ? * 3#6 *)", "cron(0 0 ? * 3#1,6#3 *)", "cron(0 0 ? * 2/2 *)", "cron(0 0 L-3 * ? *)", "cron(0 0 W * ? *)", "cron(0 0 ? * 3W *)",
		"cron(L 0 1 * ? *)", "cron(0 0 1 1#1 ? *)",
	} {
		if got, err := ParseSchedule(s); err == nil {
			t.Errorf("%q is read as %v", s, got)
		}
	}
}

func FuzzParseSchedule(f *testing.F) {
	for _, s := range []string{"rate(5 minutes)", "cron(0/10 5,6 L * ? 2026-2030)", "cron(0 0 ? JAN-MAR 3#2 *)", "cron(0 0 31W * ? *)", "cron(* * ? * 6L *)"} {
		f.Add(s, int64(1767225600))
	}
	f.Fuzz(func(t *testing.T, s string, unix int64) {
		schedule, err := ParseSchedule(s)
		if err != nil {
			return
		}
		at := time.Unix(unix%7e9, 0).UTC()
		next := schedule.Next(at, at)
		if next.IsZero() {
			return
		}
		if !next.After(at) {
			t.Errorf("%s: %v comes after %v", s, next, at)
		}
		if again := schedule.Next(at, next.Add(-time.Nanosecond)); !again.Equal(next) {
			t.Errorf("%s: %v, and just before it %v", s, next, again)
		}
	})
}
