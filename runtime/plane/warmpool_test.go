package plane

import (
	"testing"
	"time"
)

// wishes is a scaler that wants what stands in it.
type wishes struct{ n *int }

func (w wishes) Desired(Sight) int    { return *w.n }
func (w wishes) Every() time.Duration { return time.Minute }

func TestLaunchesTakeFromTheWarmPoolFirst(t *testing.T) {
	n := 1
	s := fleet(t, FleetRules{Max: 10, Scaler: wishes{&n}, WarmPool: WarmPool{Capacity: 3, Prepare: 30 * time.Second}})
	f := s.p.(*Fleet)
	if f.WarmPool() != 2 {
		t.Errorf("%d wait at the beginning, want what was prepared beyond the group's own", f.WarmPool())
	}
	n = 4
	want(t, s.tick(60), "start 2 prepared", "start 3 prepared", "start 4")
	if f.WarmPool() != 0 {
		t.Errorf("%d wait for a group that is larger than what was prepared", f.WarmPool())
	}
}

func TestTheWarmPoolFillsAgainAsTheGroupShrinks(t *testing.T) {
	n := 3
	s := fleet(t, FleetRules{Max: 10, Scaler: wishes{&n}, WarmPool: WarmPool{Capacity: 3, Prepare: 90 * time.Second}})
	f := s.p.(*Fleet)
	for _, a := range s.tick(60) {
		s.ready(60, a.Unit)
	}
	n = 1
	want(t, s.tick(120), "stop 3", "stop 2")
	if f.WarmPool() != 2 {
		t.Errorf("%d wait or come, want 2", f.WarmPool())
	}
	n = 2
	want(t, s.tick(180), "start 4") // they are not ready before 210
	n = 3
	want(t, s.tick(240), "start 5 prepared")
}

func TestWhatAWarmPoolHoldsTooMuchOfIsTerminated(t *testing.T) {
	n := 1
	s := fleet(t, FleetRules{Max: 10, Scaler: wishes{&n}, WarmPool: WarmPool{Capacity: 6, Prepare: time.Second}})
	n = 4
	want(t, s.tick(60), "start 2 prepared", "start 3 prepared", "start 4 prepared")
	if got := s.p.(*Fleet).WarmPool(); got != 2 { // of 5, three were taken and none is left over
		t.Errorf("%d wait, want 2", got)
	}
}
