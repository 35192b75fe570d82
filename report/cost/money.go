package cost

import (
	"math"
	"strconv"
	"strings"

	"coldstorm/results"
)

// Format writes an amount for people: cents and groups of thousands from one
// dollar up ($1,234.56), three significant digits and at least two decimals
// below ($0.0116, $0.20, $0.0000002). What is no number is written as "–".
func Format(usd results.USD) string {
	v := float64(usd)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case v == 0:
		return "$0"
	}
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	if v < 1 {
		// Three significant digits; rounding may carry it to a whole dollar.
		digits := 2 - int(math.Floor(math.Log10(v)))
		if s := trim(strconv.FormatFloat(v, 'f', digits, 64)); s != "1.00" {
			return sign + "$" + s
		}
		v = 1
	}
	return sign + "$" + group(strconv.FormatFloat(v, 'f', 2, 64))
}

// FormatPrice writes a unit price with up to eight significant digits, so that
// what AWS lists as $0.0000166667 is not shortened.
func FormatPrice(usd results.USD) string {
	v := float64(usd)
	if v == 0 || v >= 1 || !(v > 0) {
		return Format(usd)
	}
	digits := 7 - int(math.Floor(math.Log10(v)))
	return "$" + trim(strconv.FormatFloat(v, 'f', digits, 64))
}

// trim takes off zeros at the end, but for two decimals.
func trim(s string) string {
	point := strings.IndexByte(s, '.')
	for len(s) > point+3 && s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	return s
}

// group puts commas between thousands.
func group(s string) string {
	whole, cents, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return whole + "." + cents
}
