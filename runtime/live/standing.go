package live

import (
	"context"
	"fmt"

	"coldstorm/runtime/plane"
)

// Standing has a function's environments stand as those of Lambda Managed Instances do, in
// the place of starting on demand: Min of them, at least plane.ManagedLeast, before its
// first trigger, up to Max by what is in them (plane.Managed). A trigger that finds all full
// is throttled. Instances are this machine, which is there at once.
type Standing struct {
	Min     int `json:"min,omitempty"`
	Max     int `json:"max,omitempty"`      // 0: Min
	PerNode int `json:"per_node,omitempty"` // environments on an instance; 0: 1
	// Speed is how much faster than the machine's the rules' clock passes; 0 is 1.
	Speed int `json:"speed,omitempty"`
}

// Plane is that of environments with so many places. Those that die are replaced under
// Kubernetes' back-off: AWS publishes none.
func (s Standing) Plane(places int) plane.Plane {
	return plane.AtSpeed(plane.NewManaged(plane.FleetRules{
		Slots: places, Min: s.Min, Max: s.Max, PerNode: s.PerNode, Scaler: &plane.Managed{}, Backoff: plane.CrashLoop,
	}), s.Speed)
}

func (s Standing) least() int { return max(s.Min, plane.ManagedLeast) }

// Stand starts what stands, and waits until it is ready. The error is of an environment
// that failed to start, or that of ctx.
func (f *Function) Stand(ctx context.Context) error {
	f.mu.Lock()
	c, failed := f.config, f.failed
	f.handle(plane.Event{Kind: plane.Tick}) // the first event, at which they start
	f.mu.Unlock()
	for {
		select {
		case why := <-failed:
			return fmt.Errorf("an environment failed to start: %w", why)
		case <-f.readied:
		case <-ctx.Done():
			return ctx.Err()
		}
		f.mu.Lock()
		n := f.plane.Census()
		f.mu.Unlock()
		if n.Idle+n.Busy >= c.Standing.least() {
			return nil
		}
	}
}

// tell passes a value on to who waits for one, if anybody does.
func tell[T any](to chan T, v T) {
	select {
	case to <- v:
	default:
	}
}
