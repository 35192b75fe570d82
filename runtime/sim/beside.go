package sim

import (
	"math"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
)

// Beside is processor time that this host spends beside launches, inits and
// invocations, in contention with them: of the generator, the control plane, the
// launcher, and the kernel that removes what a sandbox was made of. The zero value is
// none.
type Beside struct {
	Trigger time.Duration // for each trigger, from its dispatch on
	End     time.Duration // for each unit's end, from then on
}

// Spent is what a storm of known work took of this host's processor, as a whole.
type Spent struct {
	Triggers, Ends int
	Work           time.Duration // of launches, inits and invocations, as a simulation counts it
	CPU            time.Duration // of everything on this host, from the storm's start to its end
}

// BesideOf is the time beside triggers and ends that explains best, by least squares,
// what storms took beyond their work. Storms must differ in how many of their triggers
// make a unit end, else all is laid on triggers. What is beyond a trigger's own work and
// mostBeside is taken to be of others on this host.
func BesideOf(storms []Spent) Beside {
	var tt, te, ee, ty, ey float64
	var triggers int
	var work time.Duration
	for _, s := range storms {
		triggers, work = triggers+s.Triggers, work+s.Work
		t, e, y := float64(s.Triggers), float64(s.Ends), float64(s.CPU-s.Work)
		tt, te, ee, ty, ey = tt+t*t, te+t*e, ee+e*e, ty+t*y, ey+e*y
	}
	if tt == 0 {
		return Beside{}
	}
	most := time.Duration(math.MaxInt64)
	if triggers > 0 {
		most = work/time.Duration(triggers) + mostBeside
	}
	alone := func(y, n float64) time.Duration { return min(most, time.Duration(max(0, y/n))) }
	det := tt*ee - te*te
	if det <= 1e-6*tt*ee {
		return Beside{Trigger: alone(ty, tt)}
	}
	t, e := (ee*ty-te*ey)/det, (tt*ey-te*ty)/det
	switch {
	case t < 0:
		return Beside{End: alone(ey, ee)}
	case e < 0:
		return Beside{Trigger: alone(ty, tt)}
	}
	return Beside{Trigger: alone(t, 1), End: alone(e, 1)}
}

const mostBeside = 5 * time.Millisecond

// Work is the processor time that Host counts for served samples: launches, inits, and
// of each invocation the share that p gives its payload.
func (p *Profile) Work(samples []results.Sample) (sum time.Duration) {
	share := map[string]float64{}
	for _, pl := range p.Payloads {
		share[pl.Name] = processorShare(pl)
	}
	for i := range samples {
		s := &samples[i]
		if s.Outcome != results.OutcomeServed {
			continue
		}
		if s.Start == results.StartCold {
			sum += s.Phases.Sandbox + s.Phases.Rootfs + s.Phases.InitDuration()
		}
		sum += time.Duration(share[s.Payload] * float64(s.Phases.Invoke))
	}
	return sum
}

// spend takes processor time of this host that nobody waits for.
func (m *machine) spend(work time.Duration) {
	if m.cores != nil && work > 0 && !m.boot {
		m.cores.push(pending{kind: spent, trigger: plane.NoTrigger}, m.now, int64(work), 0)
	}
}
