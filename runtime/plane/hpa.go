package plane

import (
	"math"
	"slices"
	"time"
)

// HPA is Kubernetes' Horizontal Pod Autoscaler on processor use, with the
// defaults of autoscaling/v2 (Kubernetes: horizontal-pod-autoscale,
// pkg/controller/podautoscaler).
type HPA struct {
	// Target is the wanted Utilisation; 0 is 0.7.
	Target float64
	// Tolerance is the deviation from the target that changes nothing; 0 is 0.1,
	// negative none.
	Tolerance float64
	// Up and Down limit how fast it scales; nil is HPAUp and HPADown.
	Up, Down *Behaviour

	recommended []recommendation // of the longer stabilisation window, oldest first
	past        changes
	pods        int           // at the last look
	looked      time.Duration // the last look
}

type recommendation struct {
	at time.Duration
	n  int
}

const (
	hpaSync      = 15 * time.Second // --horizontal-pod-autoscaler-sync-period
	hpaTolerance = 0.1              // --horizontal-pod-autoscaler-tolerance
)

var _ Scaler = (*HPA)(nil)

// Every is 15 s.
func (h *HPA) Every() time.Duration { return hpaSync }

// Desired is ceil(current x metric / target), within the behaviours: by default up by
// at most +100 % or 4 pods at a look, down to no less than the highest recommendation
// of the last 300 s.
func (h *HPA) Desired(s Sight) int {
	up, down := or(h.Up, &HPAUp), or(h.Down, &HPADown)
	h.note(s, up, down)
	n := h.recommend(s)
	lowest, highest := n, n
	for _, r := range h.recommended {
		if s.At-r.at < up.Stabilise {
			lowest = min(lowest, r.n)
		}
		if s.At-r.at < down.Stabilise {
			highest = max(highest, r.n)
		}
	}
	h.recommended = append(h.recommended, recommendation{s.At, n})
	switch desired := min(max(s.Units, lowest), highest); {
	case desired > s.Units:
		return min(desired, up.most(s.At, s.Units, h.past))
	case desired < s.Units:
		return max(desired, down.least(s.At, s.Units, h.past))
	}
	return s.Units
}

// note takes the number of pods on record as a change made at the last look, and
// forgets what no window or period reaches.
func (h *HPA) note(s Sight, up, down *Behaviour) {
	if by := s.Units - h.pods; h.pods > 0 && by != 0 {
		h.past = append(h.past, change{h.looked, by})
	}
	h.pods, h.looked = s.Units, s.At
	window, period := max(up.Stabilise, down.Stabilise), time.Duration(0)
	for _, p := range slices.Concat(up.Policies, down.Policies) {
		period = max(period, p.Period)
	}
	h.recommended = slices.DeleteFunc(h.recommended, func(r recommendation) bool { return s.At-r.at >= window })
	h.past = slices.DeleteFunc(h.past, func(c change) bool { return s.At-c.at >= period })
}

// recommend is the replica calculator: pods that are not ready count as idle
// when it would scale up, and not at all when it would scale down.
func (h *HPA) recommend(s Sight) int {
	target := h.Target
	if target == 0 {
		target = defaultTarget
	}
	if s.Counted == 0 {
		return s.Units
	}
	ratio := s.Utilisation / target
	if h.within(ratio) {
		return s.Units
	}
	if ratio < 1 || s.Fresh == 0 {
		return ceil(ratio * float64(s.Counted))
	}
	all := s.Counted + s.Fresh
	ratio *= float64(s.Counted) / float64(all)
	if ratio < 1 || h.within(ratio) {
		return s.Units
	}
	return ceil(ratio * float64(all))
}

func (h *HPA) within(ratio float64) bool {
	return math.Abs(ratio-1) <= max(0, or(h.Tolerance, hpaTolerance))
}

// ceil rounds up what is not whole but for the last bits of a float.
func ceil(x float64) int { return int(math.Ceil(x - 1e-9)) }
