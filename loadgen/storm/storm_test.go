package storm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"coldstorm/loadgen/storm"
)

const (
	ms = time.Millisecond
	s  = time.Second
)

func times(sch storm.Schedule) []time.Duration {
	var all []time.Duration
	for i := range sch.Len() {
		at, ok := sch.At(i)
		if !ok {
			panic(fmt.Sprintf("At(%d) of %s: no such trigger", i, sch))
		}
		all = append(all, at)
	}
	return all
}

func TestArrivals(t *testing.T) {
	for name, c := range map[string]struct {
		sch  storm.Schedule
		want []time.Duration
	}{
		"a burst is all at once":                {storm.Burst{N: 3}, []time.Duration{0, 0, 0}},
		"the first of a rate is at 0":           {storm.Constant{Rate: 4, For: s}, []time.Duration{0, 250 * ms, 500 * ms, 750 * ms}},
		"a remainder is kept":                   {storm.Constant{Rate: 1.5, For: s}, []time.Duration{0, 666666667}},
		"a rate below one a second":             {storm.Constant{Rate: 0.1, For: 10 * s}, []time.Duration{0}},
		"a ramp from nothing":                   {storm.Ramp{From: 0, To: 4, For: 2 * s}, []time.Duration{0, 1 * s, 1414213562, 1732050808}},
		"a ramp to nothing mirrors it":          {storm.Ramp{From: 4, To: 0, For: 2 * s}, []time.Duration{0, 267949192, 585786438, 1 * s}},
		"a flat ramp is a constant rate":        {storm.Ramp{From: 2, To: 2, For: s}, []time.Duration{0, 500 * ms}},
		"a gap is idle between":                 {storm.Gap{N: 3, Gap: 15 * time.Minute}, []time.Duration{0, 15 * time.Minute, 30 * time.Minute}},
		"a sequence has only an earliest time":  {storm.Sequence{N: 2}, []time.Duration{0, 0}},
		"a list is what it was given":           {storm.List{1, 2, 2}, []time.Duration{1, 2, 2}},
		"a negative burst is empty":             {storm.Burst{N: -1}, nil},
		"a rate for no time is empty":           {storm.Constant{Rate: 10}, nil},
		"a negative rate is empty, not endless": {storm.Ramp{From: -10, To: 20, For: s}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := times(c.sch)
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			for _, i := range []int{-1, c.sch.Len()} {
				if _, ok := c.sch.At(i); ok {
					t.Errorf("At(%d) has a trigger", i)
				}
			}
		})
	}
}

// random yields ramps from a fixed seed.
func random(yield func(storm.Ramp) bool) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		r := storm.Ramp{
			From: math.Exp(rng.Float64()*12 - 3),
			To:   math.Exp(rng.Float64()*12 - 3),
			For:  time.Duration(1 + rng.Int64N(int64(3*s))),
		}
		if rng.IntN(4) == 0 {
			r.From = 0
		}
		if !yield(r) {
			return
		}
	}
}

func TestCountIsTheIntegralOfTheRate(t *testing.T) {
	for r := range random {
		area := (r.From + r.To) / 2 * r.For.Seconds()
		if n := float64(r.Len()); n < area-1e-6 || n >= area+1+1e-6 {
			t.Errorf("%+v: %v triggers for an area of %v", r, n, area)
		}
	}
}

func TestArrivalsNeverDecreaseAndStayInTime(t *testing.T) {
	for r := range random {
		last := time.Duration(0)
		for i, at := range times(r) {
			if at < last || at > r.For || (i == 0 && at != 0) {
				t.Fatalf("%+v: trigger %d at %v after %v", r, i, at, last)
			}
			last = at
		}
	}
}

func TestArrivalIsWhereTheIntegralReachesTheIndex(t *testing.T) {
	for r := range random {
		for i, at := range times(r) {
			x := at.Seconds()
			due := r.From*x + (r.To-r.From)*x*x/2/r.For.Seconds()
			// Half a nanosecond of rounding, at the highest rate there is.
			if slack := 1e-9*max(r.From, r.To) + 1e-9*float64(i) + 1e-9; math.Abs(due-float64(i)) > slack {
				t.Fatalf("%+v: at %v, time of trigger %d, %v are due", r, at, i, due)
			}
		}
	}
}

func TestNoDriftAtRatesThatLeaveARemainder(t *testing.T) {
	c := storm.Constant{Rate: 70_000, For: 10 * s}
	if n := c.Len(); n != 700_000 {
		t.Errorf("%d triggers, want 700,000", n)
	}
	if at, _ := c.At(699_999); at != 9_999_985_714 {
		t.Errorf("last at %d ns", at)
	}
}

func TestPoisson(t *testing.T) {
	p := storm.Poisson{Rate: 1000, For: 100 * s, Seed: 7}
	list := p.Draw()
	if n := float64(list.Len()); math.Abs(n-1e5) > 5*math.Sqrt(1e5) {
		t.Errorf("%v arrivals, want 100,000 within five standard deviations", n)
	}
	var sum, squares float64
	last := time.Duration(0)
	for _, at := range times(list) {
		if at < last || at >= p.For {
			t.Fatalf("%v after %v", at, last)
		}
		gap := (at - last).Seconds()
		sum, squares, last = sum+gap, squares+gap*gap, at
	}
	n := float64(list.Len())
	mean := sum / n
	if cv := math.Sqrt(squares/n-mean*mean) / mean; math.Abs(cv-1) > 0.02 {
		t.Errorf("gaps vary by %v of their mean, want 1 as exponential ones do", cv)
	}
	if storm.Hash(list) != storm.Hash(p.Draw()) {
		t.Error("the same seed drew other arrivals")
	}
	p.Seed++
	if storm.Hash(list) == storm.Hash(p.Draw()) {
		t.Error("another seed drew the same arrivals")
	}
	if got := (storm.Poisson{Rate: -1, For: s}).Draw(); got.Len() != 0 {
		t.Errorf("a negative rate drew %v", got)
	}
}

func TestHash(t *testing.T) {
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if h := storm.Hash(storm.Burst{}); h != empty {
		t.Errorf("an empty schedule hashes to %s", h)
	}
	burst := storm.Burst{N: 2000}
	same := make(storm.List, 2000)
	if storm.Hash(burst) != storm.Hash(same) {
		t.Error("the same times hash differently")
	}
	same[1999] = 1
	if storm.Hash(burst) == storm.Hash(same) {
		t.Error("a nanosecond makes no difference")
	}
	if storm.Hash(burst) == storm.Hash(storm.Sequence{N: 2000}) {
		t.Error("open and closed hash alike")
	}
}

func TestPeak(t *testing.T) {
	for _, c := range []struct {
		sch    storm.Schedule
		window time.Duration
		want   int
	}{
		{storm.Burst{N: 1000}, s, 1000},
		{storm.Constant{Rate: 20, For: 10 * s}, s, 21}, // both ends of the window
		{storm.Ramp{From: 0, To: 100, For: 10 * s}, s, 95},
		{storm.Gap{N: 5, Gap: 2 * s}, s, 1},
		{storm.Sequence{N: 100}, s, 1},
		{storm.Burst{}, s, 0},
	} {
		if got := storm.Peak(c.sch, c.window); got != c.want {
			t.Errorf("%s: %d within %v, want %d", c.sch, got, c.window, c.want)
		}
	}
}

func TestDescribe(t *testing.T) {
	for want, sch := range map[string]storm.Schedule{
		"burst of 1,000 at once":             storm.Burst{N: 1000},
		"20/s for 10 s":                      storm.Constant{Rate: 20, For: 10 * s},
		"0.5/s for 15 min":                   storm.Constant{Rate: .5, For: 15 * time.Minute},
		"ramp from 1/s to 2,500/s over 90 s": storm.Ramp{From: 1, To: 2500, For: 90 * s},
		"5 single triggers, 250 ms apart":    storm.Gap{N: 5, Gap: 250 * ms},
		"10 one after another":               storm.Sequence{N: 10},
		"3 arrivals over 1.5 s":              storm.List{0, s, 1500 * ms},
	} {
		if got := storm.Describe(sch); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func ExampleRamp() {
	ramp := storm.Ramp{From: 1, To: 5, For: time.Second}
	fmt.Println(ramp)
	for i := range ramp.Len() {
		at, _ := ramp.At(i)
		fmt.Println(at.Round(time.Millisecond))
	}
	// Output:
	// ramp from 1/s to 5/s over 1 s
	// 0s
	// 500ms
	// 781ms
}
