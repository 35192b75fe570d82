package record

import "coldstorm/results"

// count adds a sample to c. An outcome that is not one of results.Outcomes
// counts as failed, so that every trigger is accounted for.
func count(c *results.Counts, s *results.Sample) {
	c.Offered++
	switch s.Outcome {
	case results.OutcomeServed:
		c.Served++
		countStart(c, s)
		return
	case results.OutcomeThrottled:
		c.Throttled++
	case results.OutcomeTimedOut:
		c.TimedOut++
	case results.OutcomeUnsent:
		c.Unsent++
	default:
		c.Failed++
	}
	if s.Reason != "" {
		increase(&c.Reasons, s.Reason, 1)
	}
}

func countStart(c *results.Counts, s *results.Sample) {
	switch s.Start {
	case results.StartCold:
		c.Cold++
	case results.StartWarm:
		c.Warm++
	case results.StartProvisioned, results.StartRestored:
		c.Ready++
	default:
		c.Unknown++
	}
	if s.Cause != "" && s.Start != results.StartWarm {
		increase(&c.Causes, s.Cause, 1)
	}
}

// increase adds n to what is counted under a text, of which a copy is kept: a
// sample's is a part of a header.
func increase[K ~string](m *map[K]int, key K, n int) {
	if *m == nil {
		*m = map[K]int{}
	}
	if _, known := (*m)[key]; !known {
		key = K([]byte(key))
	}
	(*m)[key] += n
}

// add adds the counts of another part of a series.
func add(c *results.Counts, o results.Counts) {
	for _, x := range []struct {
		to *int
		n  int
	}{
		{&c.Offered, o.Offered},
		{&c.Served, o.Served},
		{&c.Throttled, o.Throttled},
		{&c.Failed, o.Failed},
		{&c.TimedOut, o.TimedOut},
		{&c.Unsent, o.Unsent},
		{&c.Cold, o.Cold},
		{&c.Warm, o.Warm},
		{&c.Ready, o.Ready},
		{&c.Unknown, o.Unknown},
	} {
		*x.to += x.n
	}
	for k, n := range o.Causes {
		increase(&c.Causes, k, n)
	}
	for k, n := range o.Reasons {
		increase(&c.Reasons, k, n)
	}
}
