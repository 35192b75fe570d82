package plane

import "time"

// AtSpeed returns p for an executor whose clock it passes factor times as fast: of
// a factor of 60, a second of the executor's is a minute of the plane's, so that
// rules with periods of minutes can be watched. What the executor measures, such as
// how long a unit takes to start, is as long as it is; a bound of the rules on that,
// such as FleetRules.Timeout, has to be given factor times as long. Of 1 or less it
// returns p.
func AtSpeed(p Plane, factor int) Plane {
	if factor <= 1 {
		return p
	}
	return &sped{p, time.Duration(factor)}
}

type sped struct {
	plane  Plane
	factor time.Duration
}

func (s *sped) Census() Census { return s.plane.Census() }

// Handle turns the executor's time into the plane's, and that of a wake-up back: never
// to a moment before it.
func (s *sped) Handle(e Event, out []Action) []Action {
	e.At *= s.factor
	from := len(out)
	out = s.plane.Handle(e, out)
	for i := range out[from:] {
		a := &out[from+i]
		a.Since /= s.factor
		if a.Verb == WakeAt {
			a.At = (a.At + s.factor - 1) / s.factor
		}
	}
	return out
}
