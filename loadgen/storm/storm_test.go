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
		"steps start where stairs do":           {storm.Steps{From: 1, To: 3, N: 3, For: 3 * s}, []time.Duration{0, 1 * s, 1500 * ms, 2 * s, 2333333333, 2666666667}},
		"a single step is a constant rate":      {storm.Steps{From: 2, To: 9, N: 1, For: s}, []time.Duration{0, 500 * ms}},
		"a spike stands in its interval":        {storm.Spikes{Rate: 1, Peak: 4, Every: 3 * s, Width: s, For: 3 * s}, []time.Duration{0, 1 * s, 1250 * ms, 1500 * ms, 1750 * ms, 2 * s}},
		"spikes out of nothing wait for theirs": {storm.Spikes{Peak: 2, Every: 3 * s, Width: s, For: 6 * s}, []time.Duration{1 * s, 1500 * ms, 4 * s, 4500 * ms}},
		"a spike as long as its interval":       {storm.Spikes{Rate: 1, Peak: 4, Every: s, Width: s, For: s}, []time.Duration{0, 250 * ms, 500 * ms, 750 * ms}},
		"a wave is late where it is low":        {storm.Wave{Rate: 2, Swing: 2, Period: 2 * s, Phase: 0.75, For: 2 * s}, []time.Duration{0, 735258105, 1 * s, 1264741895}},
		"a flat wave is a constant rate":        {storm.Wave{Rate: 4, Period: 3 * s, For: s}, []time.Duration{0, 250 * ms, 500 * ms, 750 * ms}},
		"gaps add up":                           {storm.Gaps{s, 2 * s}, []time.Duration{0, s, 3 * s}},
		"a ladder grows by a factor":            {storm.Ladder(s, 8*s, 4), []time.Duration{0, 1 * s, 3 * s, 7 * s, 15 * s}},
		"a ladder may go down":                  {storm.Ladder(4*s, s, 3), []time.Duration{0, 4 * s, 6 * s, 7 * s}},
		"a loop has only an earliest time":      {storm.Loop{N: 2, Callers: 2}, []time.Duration{0, 0}},
		"a pause is empty":                      {storm.Pause(s), nil},
		"a chain begins where the last ended":   {storm.Chain(storm.Constant{Rate: 2, For: s}, storm.Pause(s), storm.Burst{N: 2}), []time.Duration{0, 500 * ms, 2 * s, 2 * s}},
		"a chain of nothing is empty":           {storm.Chain(), nil},
		"an overlay merges":                     {storm.Overlay(storm.List{1, 5}, storm.List{0, 1, 9}), []time.Duration{0, 1, 1, 5, 9}},
		"an overlay of nothing is empty":        {storm.Overlay(), nil},
		"a repeat begins again":                 {storm.Repeat(storm.List{0, 3}, 2, 10), []time.Duration{0, 3, 10, 13}},
		"a repeat never overlaps":               {storm.Repeat(storm.List{0, 3}, 2, 1), []time.Duration{0, 3, 3, 6}},
		"a stretch multiplies times":            {storm.Stretch(storm.List{0, 3, 10}, 1.5), []time.Duration{0, 5, 15}},
		"a load of two doubles an even rate":    {storm.Load(storm.Constant{Rate: 2, For: s}, 2, 1), []time.Duration{0, 250 * ms, 500 * ms, 750 * ms}},
		"a load of one and a half takes turns":  {storm.Load(storm.Constant{Rate: 4, For: s}, 1.5, 1), []time.Duration{0, 250 * ms, 375 * ms, 500 * ms, 750 * ms, 875 * ms}},
		"a load of a burst is a burst":          {storm.Load(storm.Burst{N: 2}, 2, 1), []time.Duration{0, 0, 0, 0}},
		"a load of nothing is empty":            {storm.Load(storm.Burst{N: 2}, 0, 1), nil},
		"a wave below a rate of 0 is empty":     {storm.Wave{Rate: 1, Swing: 2, Period: s, For: s}, nil},
		"days of a negative rate are empty":     {storm.Days{Low: -1, High: 5, Day: s, For: s}, nil},
		"spikes wider than intervals are empty": {storm.Spikes{Peak: 5, Every: s, Width: 2 * s, For: s}, nil},
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
		{storm.Loop{N: 100, Callers: 7}, s, 7},
		{storm.Repeat(storm.Burst{N: 3}, 4, 2*s), s, 3},
		{storm.Burst{}, s, 0},
	} {
		if got := storm.Peak(c.sch, c.window); got != c.want {
			t.Errorf("%s: %d within %v, want %d", c.sch, got, c.window, c.want)
		}
	}
}

func TestDescribe(t *testing.T) {
	for want, sch := range map[string]storm.Schedule{
		"burst of 1,000 at once":                                      storm.Burst{N: 1000},
		"20/s for 10 s":                                               storm.Constant{Rate: 20, For: 10 * s},
		"0.5/s for 15 min":                                            storm.Constant{Rate: .5, For: 15 * time.Minute},
		"ramp from 1/s to 2,500/s over 90 s":                          storm.Ramp{From: 1, To: 2500, For: 90 * s},
		"5 single triggers, 250 ms apart":                             storm.Gap{N: 5, Gap: 250 * ms},
		"10 one after another":                                        storm.Sequence{N: 10},
		"3 arrivals over 1.5 s":                                       storm.List{0, s, 1500 * ms},
		"Poisson at 20/s for 10 s":                                    storm.Poisson{Rate: 20, For: 10 * s}.Draw(),
		"4 steps from 1/s to 10/s over 40 s":                          storm.Steps{From: 1, To: 10, N: 4, For: 40 * s},
		"2/s with spikes of 200/s for 500 ms every 10 s, over 60 s":   storm.Spikes{Rate: 2, Peak: 200, Every: 10 * s, Width: 500 * ms, For: 60 * s},
		"wave between 5/s and 15/s every 60 s, over 5 min":            storm.Wave{Rate: 10, Swing: 5, Period: 60 * s, For: 300 * s},
		"days of 1440 min from 1/s at night to 9/s, over 2880 min":    storm.Days{Low: 1, High: 9, For: 48 * time.Hour},
		"Poisson, ramp from 1/s to 5/s over 10 s":                     storm.Varying{Along: storm.Ramp{From: 1, To: 5, For: 10 * s}}.Draw(),
		"on-off: 100/s for 2 s and 0/s for 8 s on average, over 60 s": storm.OnOff{High: 100, HighFor: 2 * s, LowFor: 8 * s, For: 60 * s}.Draw(),
		"self-similar at 9/s for 60 s (Hurst 0.8, 5 sources on for 1 s, off for 3 s on average)": storm.SelfSimilar{Rate: 9, Hurst: .8, Sources: 5, HighFor: s, LowFor: 3 * s, For: 60 * s}.Draw(),
		"3 single triggers, 1 s, 2 s apart":                                                        storm.Gaps{s, 2 * s},
		"11 single triggers, from 1 s to 10 min apart":                                             storm.Ladder(s, 10*time.Minute, 10),
		"1,000 from 10 clients in a closed loop":                                                   storm.Loop{N: 1000, Callers: 10},
		"1,000 from 10 clients in a closed loop, thinking 100 ms":                                  storm.Loop{N: 1000, Callers: 10, Pause: 100 * ms},
		"1,000 from 10 clients in a closed loop, thinking 100 ms on average":                       storm.Loop{N: 1000, Callers: 10, Pause: 100 * ms, Drawn: true},
		"2/s for 1 s, then nothing for 1 s, then (3 times every 5 s: burst of 2 at once)":          storm.Chain(storm.Constant{Rate: 2, For: s}, storm.Pause(s), storm.Repeat(storm.Burst{N: 2}, 3, 5*s)),
		"burst of 2 at once over (burst of 3 at once in 0.5 times the time)":                       storm.Overlay(storm.Burst{N: 2}, storm.Stretch(storm.Burst{N: 3}, .5)),
		"(burst of 2 at once, over 20 functions by Zipf's law with exponent 1.1), 7% of them cold": storm.Chill(storm.Spread(storm.Burst{N: 2}, 20, 1.1, 1), 0.07, 1),
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
