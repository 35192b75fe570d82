// Package figure puts quantities into words: one manner of writing durations,
// money, counts and shares for charts, pages, tables and terminals, so that a
// figure reads the same wherever a report shows it.
//
// A figure carries three significant digits and its unit ("12.3 ms", "$0.20").
// What was not measured is never shown as zero: Quantile says "n too small" or
// "none".
package figure

import (
	"math"
	"strconv"
	"strings"
	"time"

	"coldstorm/results"
)

// Absent is what stands in a table where there is no figure.
const Absent = "–"

// TooSmall is what stands in place of a quantile that its samples can't carry.
const TooSmall = "n too small"

// Duration writes d with three significant digits: "850 ns", "12.3 ms",
// "1.20 s", "2 min 3 s", "1 h 4 min". Zero is "0 s".
func Duration(d time.Duration) string {
	if d < 0 {
		if d == math.MinInt64 {
			d++
		}
		return "−" + Duration(-d)
	}
	switch {
	case d == 0:
		return "0 s"
	case d < time.Microsecond:
		return strconv.FormatInt(int64(d), 10) + " ns"
	case d < 999500*time.Nanosecond:
		return three(float64(d)/1e3) + " µs"
	case d < 999500*time.Microsecond:
		return three(float64(d)/1e6) + " ms"
	case d < 100*time.Second:
		return three(float64(d)/1e9) + " s"
	case d < time.Hour:
		d = d.Round(time.Second)
		return pair(int64(d/time.Minute), " min", int64(d%time.Minute/time.Second), " s")
	}
	d = d.Round(time.Minute)
	return pair(int64(d/time.Hour), " h", int64(d%time.Hour/time.Minute), " min")
}

// Plain writes a round duration, such as a limit that someone chose, with four
// digits at most and no needless zeros: "250 ms", "1 s", "5 min".
func Plain(d time.Duration) string {
	if d < 0 {
		return Duration(d)
	}
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{time.Hour, " h"}, {time.Minute, " min"}, {time.Second, " s"}, {time.Millisecond, " ms"}, {time.Microsecond, " µs"}, {1, " ns"}} {
		if d >= u.of && (u.of <= time.Second || d%u.of == 0) {
			return strconv.FormatFloat(float64(d)/float64(u.of), 'g', 4, 64) + u.name
		}
	}
	return "0"
}

// pair joins two units, the second only where it isn't zero.
func pair(a int64, unitA string, b int64, unitB string) string {
	s := strconv.FormatInt(a, 10) + unitA
	if b != 0 {
		s += " " + strconv.FormatInt(b, 10) + unitB
	}
	return s
}

// three writes v, which is positive, with three significant digits.
func three(v float64) string {
	switch {
	case v < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return group(strconv.FormatFloat(v, 'f', 0, 64))
}

// Quantile writes a quantile d of n samples: "none" without samples, "n too
// small" where results left it out because n can't carry it.
func Quantile(d time.Duration, n int) string {
	switch {
	case n <= 0:
		return "none"
	case d == 0:
		return TooSmall
	}
	return Duration(d)
}

// Interval writes a 95 % interval, or "" where there is none.
func Interval(lo, hi time.Duration) string {
	if lo == 0 || hi == 0 {
		return ""
	}
	return "[" + Duration(lo) + ", " + Duration(hi) + "]"
}

// USD writes an amount: "$0", "$0.00123", "$12.30", "$1,234".
func USD(v results.USD) string {
	f := float64(v)
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return Absent
	case f < 0:
		return "−" + USD(-v)
	case f == 0:
		return "$0"
	case f < 0.0995:
		digits := 2 - int(math.Floor(math.Log10(f)))
		return "$" + strconv.FormatFloat(f, 'f', min(digits, 12), 64)
	case f < 999.995:
		return "$" + strconv.FormatFloat(f, 'f', 2, 64)
	}
	return "$" + group(strconv.FormatFloat(f, 'f', 0, 64))
}

// Count writes n with its thousands apart: "1,000".
func Count(n int) string { return group(strconv.Itoa(n)) }

// Number writes a plain quantity with three significant digits, and whole
// from 100 on: "0.0123", "12.3", "1,234".
func Number(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return Absent
	case v < 0:
		return "−" + Number(-v)
	case v == 0:
		return "0"
	case v == math.Trunc(v) && v < 1e15:
		return group(strconv.FormatFloat(v, 'f', 0, 64))
	case v < 0.0995:
		digits := 2 - int(math.Floor(math.Log10(v)))
		return strconv.FormatFloat(v, 'f', min(digits, 12), 64)
	}
	return three(v)
}

// Rate writes events a second: "12.3/s".
func Rate(perSecond float64) string { return Number(perSecond) + "/s" }

// Share writes x, 0..1, in percent: "1.2 %". A share that isn't zero never
// reads as zero.
func Share(x float64) string {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return Absent
	case x != 0 && math.Abs(x) < 0.0005:
		return "<0.1 %"
	}
	return strconv.FormatFloat(x*100, 'f', 1, 64) + " %"
}

// Change writes a ratio minus one with its sign: "+1.2 %", "−3.4 %".
func Change(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return Absent
	}
	s := strconv.FormatFloat(math.Abs(x)*100, 'f', 1, 64) + " %"
	switch {
	case x < 0:
		return "−" + s
	case x > 0:
		return "+" + s
	}
	return s
}

// Bytes writes a size in units of 1024: "64 B", "12.3 MiB".
func Bytes(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	v, u := float64(n), 0
	for ; math.Abs(v) >= 1024 && u < len(units)-1; u++ {
		v /= 1024
	}
	if u == 0 {
		return strconv.FormatInt(n, 10) + " B"
	}
	return Number(v) + " " + units[u]
}

// group parts the thousands of a whole number's digits with commas.
func group(s string) string {
	sign, digits := "", s
	if strings.HasPrefix(s, "-") {
		sign, digits = "−", s[1:]
	}
	var b strings.Builder
	for i, r := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	return sign + b.String()
}
