package storm

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// count writes n with commas between thousands.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// number writes a rate without needless digits.
func number(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return count(int(f))
	}
	return strconv.FormatFloat(f, 'g', 4, 64)
}

// span writes a duration in the largest unit that leaves a short number: "10 s",
// "1.5 s", "250 ms", "15 min".
func span(d time.Duration) string {
	unit, name := time.Nanosecond, "ns"
	switch {
	case d >= 2*time.Minute && d%time.Minute == 0:
		unit, name = time.Minute, "min"
	case d >= time.Second:
		unit, name = time.Second, "s"
	case d >= time.Millisecond:
		unit, name = time.Millisecond, "ms"
	case d >= time.Microsecond:
		unit, name = time.Microsecond, "µs"
	case d == 0:
		unit, name = time.Second, "s"
	}
	s := strconv.FormatFloat(float64(d)/float64(unit), 'f', 3, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + " " + name
}
