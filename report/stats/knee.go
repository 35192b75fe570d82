package stats

// KeptUp returns the largest offered rate up to which every rate was served to
// at least share of it, 0 if not even the first was, and whether a larger one was
// not. Rates must ascend.
func KeptUp(offered, served []float64, share float64) (rate float64, bends bool) {
	for i := range offered {
		if served[i] < share*offered[i] {
			return rate, true
		}
		rate = offered[i]
	}
	return rate, false
}

// Saturation returns the load at which a closed system's asymptotes cross: where
// throughput grows from one customer's in proportion to the load, it is to reach
// the highest of the curve at load highest / one. Beyond, customers queue
// (Denning and Buzen, The Operational Analysis of Queueing Network Models, 1978:
// N* = X_max (R + Z)). load and throughput are of the same length; the first
// point is the lightest load, whose throughput per unit of load is taken as that of
// an empty system. bends is false where the curve still rises in proportion
// at its end: by the crossing at the last point or beyond.
func Saturation(load, throughput []float64) (at, highest float64, bends bool) {
	if len(load) == 0 || load[0] <= 0 || throughput[0] <= 0 {
		return 0, 0, false
	}
	for _, x := range throughput {
		highest = max(highest, x)
	}
	at = highest / (throughput[0] / load[0])
	return at, highest, at < load[len(load)-1]
}
