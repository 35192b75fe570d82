package plane

import (
	"math"
	"time"
)

// HPA is Kubernetes' Horizontal Pod Autoscaler on processor use, with the
// defaults of autoscaling/v2 (Kubernetes: horizontal-pod-autoscale,
// pkg/controller/podautoscaler).
type HPA struct {
	// Target is the wanted Utilisation; 0 is 0.7.
	Target float64

	recommended []recommendation // of the stabilisation window, oldest first
}

type recommendation struct {
	at time.Duration
	n  int
}

const (
	hpaSync      = 15 * time.Second  // --horizontal-pod-autoscaler-sync-period
	hpaTolerance = 0.1               // --horizontal-pod-autoscaler-tolerance
	hpaStable    = 300 * time.Second // behavior.scaleDown.stabilizationWindowSeconds
	hpaUpShare   = 2                 // behavior.scaleUp: +100 % in 15 s, or
	hpaUpPods    = 4                 // +4 pods in 15 s, whichever is more
)

var _ Scaler = (*HPA)(nil)

// Every is 15 s.
func (h *HPA) Every() time.Duration { return hpaSync }

// Desired is ceil(current x metric / target), within the default behaviour: up
// by at most +100 % or 4 pods at a look, down to no less than the highest
// recommendation of the last 300 s.
func (h *HPA) Desired(s Sight) int {
	n := h.recommend(s)
	h.remember(s.At, n)
	highest := 0
	for _, r := range h.recommended {
		highest = max(highest, r.n)
	}
	desired := min(max(s.Units, n), highest)
	return min(desired, max(hpaUpShare*s.Units, s.Units+hpaUpPods))
}

func (h *HPA) remember(at time.Duration, n int) {
	keep := h.recommended[:0]
	for _, r := range h.recommended {
		if at-r.at < hpaStable {
			keep = append(keep, r)
		}
	}
	h.recommended = append(keep, recommendation{at, n})
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
	if within(ratio) {
		return s.Units
	}
	if ratio < 1 || s.Fresh == 0 {
		return ceil(ratio * float64(s.Counted))
	}
	all := s.Counted + s.Fresh
	ratio *= float64(s.Counted) / float64(all)
	if ratio < 1 || within(ratio) {
		return s.Units
	}
	return ceil(ratio * float64(all))
}

func within(ratio float64) bool { return math.Abs(ratio-1) <= hpaTolerance }

// ceil rounds up what is not whole but for the last bits of a float.
func ceil(x float64) int { return int(math.Ceil(x - 1e-9)) }
