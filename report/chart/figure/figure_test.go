package figure

import (
	"math"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0 s"},
		{850, "850 ns"},
		{12300, "12.3 µs"},
		{999499, "999 µs"},
		{999500, "1.00 ms"},
		{1234 * time.Microsecond, "1.23 ms"},
		{9996 * time.Microsecond, "10.0 ms"},
		{12300 * time.Microsecond, "12.3 ms"},
		{999500 * time.Microsecond, "1.00 s"},
		{1200 * time.Millisecond, "1.20 s"},
		{123 * time.Second, "2 min 3 s"},
		{120 * time.Second, "2 min"},
		{64 * time.Minute, "1 h 4 min"},
		{-2 * time.Millisecond, "−2.00 ms"},
	} {
		if got := Duration(c.d); got != c.want {
			t.Errorf("Duration(%d) = %q, want %q", c.d, got, c.want)
		}
	}
}

func TestPlain(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0"},
		{3, "3 ns"},
		{250 * time.Millisecond, "250 ms"},
		{time.Second, "1 s"},
		{1500 * time.Millisecond, "1.5 s"},
		{90 * time.Second, "90 s"},
		{2 * time.Minute, "2 min"},
		{3 * time.Hour, "3 h"},
		{500 * time.Microsecond, "500 µs"},
		{-time.Second, "−1.00 s"},
	} {
		if got := Plain(c.d); got != c.want {
			t.Errorf("Plain(%d) = %q, want %q", c.d, got, c.want)
		}
	}
}

func TestWhatIsAbsentIsNotZero(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Quantile(0, 0), "none"},
		{Quantile(0, 7), TooSmall},
		{Quantile(time.Millisecond, 7), "1.00 ms"},
		{Interval(0, time.Second), ""},
		{Interval(time.Millisecond, 2*time.Millisecond), "[1.00 ms, 2.00 ms]"},
		{Share(0), "0.0 %"},
		{Share(0.0001), "<0.1 %"},
		{Share(math.NaN()), Absent},
		{Number(math.Inf(1)), Absent},
		{USD(results.USD(math.NaN())), Absent},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{USD(0), "$0"},
		{USD(0.00000123), "$0.00000123"},
		{USD(0.2), "$0.20"},
		{USD(12.3), "$12.30"},
		{USD(1234.4), "$1,234"},
		{USD(-3), "−$3.00"},
		{Count(0), "0"},
		{Count(999), "999"},
		{Count(1000), "1,000"},
		{Count(1234567), "1,234,567"},
		{Count(-1234), "−1,234"},
		{Number(0.0123), "0.0123"},
		{Number(12.34), "12.3"},
		{Number(1234.5), "1,234"},
		{Number(-2), "−2"},
		{Rate(12.5), "12.5/s"},
		{Share(0.123), "12.3 %"},
		{Change(0.1), "+10.0 %"},
		{Change(-0.1), "−10.0 %"},
		{Change(0), "0.0 %"},
		{Bytes(64), "64 B"},
		{Bytes(1536), "1.50 KiB"},
		{Bytes(10 << 20), "10 MiB"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func FuzzFigures(f *testing.F) {
	f.Add(int64(0), 0.0)
	f.Add(int64(math.MinInt64), math.Inf(-1))
	f.Add(int64(math.MaxInt64), 1e300)
	f.Fuzz(func(t *testing.T, n int64, v float64) {
		for _, s := range []string{
			Duration(time.Duration(n)), Bytes(n), Count(int(n)), Number(v), Share(v), Change(v), Rate(v), USD(results.USD(v)),
		} {
			if s == "" || strings.Contains(s, "NaN") || strings.Contains(s, "Inf") {
				t.Errorf("n=%d v=%v gave %q", n, v, s)
			}
		}
	})
}
