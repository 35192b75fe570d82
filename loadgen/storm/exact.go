package storm

import "math"

// Elementary functions that give the same bits on every machine. They are the
// textbook's series, within 4e-15 of the truth; what
// matters is that no compiler may fuse any of it: every product is converted.

const (
	ln2High = 6.93147180369123816490e-01 // the leading bits of ln 2, so that whole multiples are exact
	ln2Low  = 1.90821492927058770002e-10
)

// ln returns the natural logarithm of x > 0.
//
// With x = 2^k m, m near 1, and s = (m-1)/(m+1): ln m = 2 (s + s³/3 + s⁵/5 ...),
// which for |s| below 0.172 is exact to the last bits after eleven terms.
func ln(x float64) float64 {
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = 2*m, k-1
	}
	s := (m - 1) / (m + 1)
	s2 := float64(s * s)
	sum := 0.0
	for n := 21; n >= 1; n -= 2 {
		sum = float64(sum*s2) + 1/float64(n)
	}
	return float64(float64(k)*ln2High) + (float64(2*s*sum) + float64(float64(k)*ln2Low))
}

// exp returns e to the x, for |x| below 700.
//
// With x = k ln 2 + r: 2^k times the series of e^r, |r| below 0.35, to r^16.
func exp(x float64) float64 {
	k := math.Round(x / math.Ln2)
	r := (x - float64(k*ln2High)) - float64(k*ln2Low)
	sum := 1.0
	for n := 16.0; n >= 1; n-- {
		sum = 1 + float64(sum*r)/n
	}
	return math.Ldexp(sum, int(k))
}

// pow returns x to the y, for x > 0.
func pow(x, y float64) float64 { return exp(float64(y * ln(x))) }

// sinTurn returns the sine of x turns: sin 2πx.
//
// A turn is folded to the eighth of it where the series of sine or cosine need
// no more than ten terms.
func sinTurn(x float64) float64 {
	x -= math.Floor(x)
	quarter := math.Round(4 * x) // 0..4
	y := float64(2 * math.Pi * (x - float64(quarter/4)))
	switch int(quarter) % 4 {
	case 1:
		return series(y, 0)
	case 2:
		return -series(y, 1)
	case 3:
		return -series(y, 0)
	}
	return series(y, 1)
}

// cosTurn returns the cosine of x turns.
func cosTurn(x float64) float64 { return sinTurn(x + 0.25) }

// series sums y^n/n! with alternating signs over the even n from 0, the cosine,
// or the odd n from 1, the sine.
func series(y float64, first int) float64 {
	y2, sum := float64(y*y), 1.0
	for n := float64(first + 18); n > 1; n -= 2 {
		sum = 1 - float64(y2*sum)/float64(n*(n-1))
	}
	if first == 1 {
		return float64(y * sum)
	}
	return sum
}
