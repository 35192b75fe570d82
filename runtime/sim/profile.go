package sim

import (
	"fmt"
	"time"
)

// Profile is what live measured of one function.
type Profile struct {
	// Init holds init durations of cold starts (runtime_init + function_init, or
	// init), InitCPU the processor time of each; without InitCPU all of an init
	// counts as processor time.
	Init, InitCPU []time.Duration
	// Payloads holds what the invocations took, a payload each; at least one.
	Payloads []Payload

	// Share and InitShare are the vCPUs that an environment was limited to while
	// it was measured, in invocations and in init; 0: no limit.
	Share, InitShare float64
	// CPUFactor is the speed of one of this host's cores over one AWS vCPU:
	// processor time is multiplied by it. 0 is 1.
	CPUFactor float64

	ResidentBytes int64 // highest memory of an environment; 0 if not known
	PackageBytes  int64 // of the function's files; a container image is taken to be as large
	RequestBytes  int64 // mean event body
	ResponseBytes int64 // mean response body

	// Launch holds what this host's start of a sandbox took before init (sandbox
	// and rootfs together). Host needs it; projections on AWS don't use it.
	Launch []time.Duration
}

// InitVCPU is the processor that Lambda gives to init, whatever a function's
// memory, in vCPUs: the InitShare of times that were taken there.
const InitVCPU = initVCPU

// Payload is what invocations with one payload took.
type Payload struct {
	Name   string
	Weight int // share among the payloads; 0 is 1
	// Service holds service times of warm invocations, CPU the processor time of
	// each; without CPU all of a service time counts as processor time.
	Service, CPU []time.Duration
	// First holds service times of first invocations in an environment; empty:
	// as warm ones.
	First []time.Duration
	// Young holds service times of the invocations after the first, up to the
	// ninth, while the environment's heap and caches still grow, YoungCPU the
	// processor time of each; empty: as later ones.
	Young, YoungCPU []time.Duration
}

// What Young holds: invocations before which an environment has served so many at most, and
// no fewer of them than tell their spread.
const (
	youngest   = 8
	leastYoung = 20
)

func (p *Profile) check() error {
	if len(p.Init) == 0 {
		return fmt.Errorf("profile has no init times")
	}
	if len(p.Payloads) == 0 {
		return fmt.Errorf("profile has no payloads")
	}
	for _, pl := range p.Payloads {
		if len(pl.Service) == 0 {
			return fmt.Errorf("profile: payload %q has no service times", pl.Name)
		}
	}
	return nil
}

func (p *Profile) factor() float64 {
	if p.CPUFactor <= 0 {
		return 1
	}
	return p.CPUFactor
}

// rescale converts wall times, of which cpu was processor time under the limit
// from, to what they would be under the limit to. A limit of 0 is none. What is
// not processor time stays as it is. Under the same limit, on a processor as
// fast, a time stays what was measured.
func rescale(wall, cpu []time.Duration, from, to limit, factor float64) []int64 {
	out := make([]int64, len(wall))
	if from == to && factor == 1 {
		for i, w := range wall {
			out[i] = int64(w)
		}
		return out
	}
	for i, w := range wall {
		c := from.most(w)
		if len(cpu) == len(wall) {
			c = cpu[i]
		} else if len(cpu) > 0 {
			c = min(c, meanOf(cpu))
		}
		parallel := max(1, float64(c)/float64(max(w, 1)))
		wait := max(0, float64(w)-from.wall(float64(c), parallel))
		out[i] = int64(wait + to.wall(float64(c)*factor, parallel))
	}
	return out
}

func meanOf(ds []time.Duration) time.Duration {
	var sum time.Duration
	for _, d := range ds {
		sum += d
	}
	return sum / time.Duration(len(ds))
}

// limit is a processor quota: vcpu x period of processor time in each period.
type limit struct {
	vcpu   float64
	period time.Duration
}

// most is the processor time that one thread can have used in a time of wall.
func (l limit) most(wall time.Duration) time.Duration {
	if l.vcpu > 0 && l.vcpu < 1 {
		return time.Duration(l.vcpu * float64(wall))
	}
	return wall
}

// work is the mean processor time of an invocation, in nanoseconds on AWS.
func (p *Profile) work() float64 {
	sum, weights := 0.0, 0
	for _, pl := range p.Payloads {
		w := max(1, pl.Weight)
		weights += w
		cpu := pl.CPU
		if len(cpu) == 0 {
			sum += float64(w) * float64(limit{vcpu: p.Share}.most(meanOf(pl.Service)))
			continue
		}
		sum += float64(w) * float64(meanOf(cpu))
	}
	return sum / float64(weights) * p.factor()
}

// wall is the time that cpu of processor time takes under the limit, when the
// work can use parallel cores. It runs at full speed until the period's quota
// is used up, and waits for the next period then.
func (l limit) wall(cpu, parallel float64) float64 {
	if l.vcpu <= 0 || l.vcpu >= parallel || cpu <= 0 {
		return cpu / parallel
	}
	quota := l.vcpu * float64(l.period)
	full := float64(int64(cpu / quota))
	if rest := cpu - full*quota; rest > 0 {
		return full*float64(l.period) + rest/parallel
	}
	return (full-1)*float64(l.period) + quota/parallel
}
