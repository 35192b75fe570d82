package stats

import (
	"math"
	"testing"
)

func TestKeptUpEndsBeforeTheFirstRateThatIsNotServed(t *testing.T) {
	for _, c := range []struct {
		offered, served []float64
		rate            float64
		bends           bool
	}{
		{nil, nil, 0, false},
		{[]float64{10, 20}, []float64{10, 19.2}, 20, false},
		{[]float64{10, 20, 40}, []float64{10, 20, 30}, 20, true},
		{[]float64{10, 20, 40}, []float64{10, 12, 40}, 10, true}, // what came back later was not kept up
		{[]float64{10}, []float64{5}, 0, true},
	} {
		if rate, bends := KeptUp(c.offered, c.served, 0.95); rate != c.rate || bends != c.bends {
			t.Errorf("KeptUp(%v, %v) = %v, %v; want %v, %v", c.offered, c.served, rate, bends, c.rate, c.bends)
		}
	}
}

// A station of two servers that each take 10 ms serves at most 200/s and one
// client 100/s: its asymptotes cross at two clients.
func TestSaturationIsWhereTheAsymptotesCross(t *testing.T) {
	load := []float64{1, 2, 4, 8}
	at, highest, bends := Saturation(load, []float64{100, 190, 198, 200})
	if math.Abs(at-2) > 1e-9 || highest != 200 || !bends {
		t.Errorf("Saturation = %v at %v, bends %v; want 200 at 2, true", highest, at, bends)
	}
	if at, _, bends := Saturation(load, []float64{100, 200, 400, 800}); bends || at != 8 {
		t.Errorf("a curve that rises in proportion to its end bends at %v", at)
	}
	if at, highest, bends := Saturation(nil, nil); at != 0 || highest != 0 || bends {
		t.Error("no curve has a knee")
	}
	if _, _, bends := Saturation(load, []float64{0, 1, 1, 1}); bends {
		t.Error("a curve whose lightest load was not served has a knee")
	}
}
