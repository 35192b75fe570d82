package cost

import (
	"math"
	"testing"

	"coldstorm/results"
)

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		usd         results.USD
		want, price string
	}{
		{0, "$0", "$0"},
		{0.0000002, "$0.0000002", "$0.0000002"},
		{0.0000166667, "$0.0000167", "$0.0000166667"},
		{0.0116, "$0.0116", "$0.0116"},
		{0.2, "$0.20", "$0.20"},
		{0.123456, "$0.123", "$0.123456"},
		{0.9996, "$1.00", "$0.9996"},
		{0.00099996, "$0.001", "$0.00099996"},
		{1, "$1.00", "$1.00"},
		{3.200006, "$3.20", "$3.20"},
		{999.999, "$1,000.00", "$1,000.00"},
		{1234.56, "$1,234.56", "$1,234.56"},
		{301667.2, "$301,667.20", "$301,667.20"},
		{-1234567.891, "-$1,234,567.89", "-$1,234,567.89"},
		{-0.0116, "-$0.0116", "-$0.0116"},
		{results.USD(math.NaN()), "–", "–"},
		{results.USD(math.Inf(-1)), "–", "–"},
	} {
		if got := Format(c.usd); got != c.want {
			t.Errorf("Format(%v) = %s, want %s", float64(c.usd), got, c.want)
		}
		if got := FormatPrice(c.usd); got != c.price {
			t.Errorf("FormatPrice(%v) = %s, want %s", float64(c.usd), got, c.price)
		}
	}
}
