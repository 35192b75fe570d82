package sim

import (
	"math/rand/v2"
	"slices"
	"testing"

	"coldstorm/runtime/plane"
)

// spans are times until an event, as models draw them: of one kind, of kinds that
// are far apart, and all at once.
var spans = map[string]func(r *rand.Rand) int64{
	"few values":  func(r *rand.Rand) int64 { return r.Int64N(3) * 1e8 },
	"exponential": func(r *rand.Rand) int64 { return int64(r.ExpFloat64() * 1e8) },
	"far apart": func(r *rand.Rand) int64 {
		if r.IntN(10) == 0 {
			return 1e12 + r.Int64N(1e12)
		}
		return r.Int64N(1e6)
	},
	"at once":  func(*rand.Rand) int64 { return 0 },
	"uniform":  func(r *rand.Rand) int64 { return r.Int64N(50) },
	"for ever": func(r *rand.Rand) int64 { return never/2 - r.Int64N(1e15) },
}

func TestQueueHandsOutInOrderOfTime(t *testing.T) {
	for name, span := range spans {
		for _, size := range []int{0, 1, 5, 63, 64, 65, 200, 5000} {
			r := rand.New(rand.NewPCG(1, uint64(size)))
			var q queue
			var want heap
			now := int64(0)
			put := func() {
				p := pending{at: now + span(r), trigger: plane.Trigger(r.Int64())}
				q.push(p)
				want.push(p)
			}
			take := func() {
				next := q.next()
				got, least := q.pop(), want.pop()
				if got.at != least.at || next != got.at {
					t.Fatalf("%s, %d events: popped %d and announced %d, want %d", name, size, got.at, next, least.at)
				}
				now = got.at / 2 * 2 // so that something is put at the same time
			}
			for range size { // grows, stays, and shrinks
				put()
			}
			for range 20 * size {
				if now > never/4 {
					break
				}
				take()
				put()
			}
			for q.len() > 0 {
				take()
			}
			if len(want) > 0 || q.next() != never {
				t.Errorf("%s: %d events are left", name, len(want))
			}
		}
	}
}

func TestQueueLosesNoEvent(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var q queue
	var in, out []plane.Trigger
	now := int64(0)
	for i := range plane.Trigger(50_000) {
		q.push(pending{at: now + spans["far apart"](r), trigger: i})
		in = append(in, i)
		for q.len() > 0 && r.IntN(100) < 45 {
			p := q.pop()
			now = p.at
			out = append(out, p.trigger)
		}
	}
	for q.len() > 0 {
		out = append(out, q.pop().trigger)
	}
	slices.Sort(out)
	if !slices.Equal(in, out) {
		t.Errorf("%d events went in, %d came out", len(in), len(out))
	}
}

func TestEventsOfOneTimeComeInTheOrderOfTheCalls(t *testing.T) {
	w := wheel{}
	w.fit(0, 1000, 100)
	for i := range plane.Trigger(200) {
		w.push(pending{at: 5 + int64(i%3), trigger: i})
	}
	last := pending{trigger: -1}
	for w.n > 0 {
		p := w.pop()
		if p.at < last.at || p.at == last.at && p.trigger < last.trigger {
			t.Fatalf("%+v after %+v", p, last)
		}
		last = p
	}
}

func TestWheelTakesWhatIsWithinItsReach(t *testing.T) {
	w := wheel{}
	w.fit(1000, 1<<20, 100)
	end := (w.slot + int64(len(w.heads))) << w.shift
	for _, test := range []struct {
		at   int64
		want bool
	}{{1000, false}, {w.slot<<w.shift - 1, false}, {(w.slot + 1) << w.shift, true}, {end - 1, true}, {end, false}, {never, false}} {
		if got := w.push(pending{at: test.at}); got != test.want {
			t.Errorf("an event at %d: taken %v, want %v", test.at, got, test.want)
		}
	}
}

// The memory of a window follows from the triggers that are there at a time.
func TestWindowForgetsWhatIsDoneWith(t *testing.T) {
	var w window
	for i := range int64(1_000_000) {
		id := w.add(i)
		if w.of(id).arrived != i {
			t.Fatalf("trigger %d arrived at %d, want %d", id, w.of(id).arrived, i)
		}
		if id >= 100 {
			w.done(id - 100)
		}
	}
	if len(w.ring) != 128 {
		t.Errorf("room for %d triggers, want 128 for the 101 that were there at a time", len(w.ring))
	}
	if w.holds(w.after) || w.holds(w.after-101) || !w.holds(w.after-100) {
		t.Errorf("the window holds others than %d to %d", w.after-100, w.after-1)
	}
}
