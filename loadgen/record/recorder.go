package record

import (
	"iter"

	"coldstorm/results"
)

// Recorder keeps the samples of one series. The zero value is empty and ready.
// One goroutine at a time may use it.
type Recorder struct {
	Name     string // of the series
	Shape    string // of its storm, in words
	Seed     int64
	Arrivals string // sha256 of the schedule

	chunks [][]results.Sample // full but for the last, so that growing never copies
	counts results.Counts
	census []Census
	texts  map[string]string
}

const chunk = 1024

// Add keeps a sample.
func (r *Recorder) Add(s results.Sample) {
	s.Series, s.Payload, s.Reason = r.share(s.Series), r.share(s.Payload), r.share(s.Reason)
	s.Environment, s.Mode = r.share(s.Environment), r.share(s.Mode)
	s.Cause = results.Cause(r.share(string(s.Cause)))
	if s.Start == "" {
		s.Start = results.StartUnknown
	}
	if n := len(r.chunks); n == 0 || len(r.chunks[n-1]) == chunk {
		r.chunks = append(r.chunks, make([]results.Sample, 0, chunk))
	}
	last := &r.chunks[len(r.chunks)-1]
	*last = append(*last, s)
	count(&r.counts, s)
}

// share returns a copy of text that all equal ones share: a sample's strings
// are parts of a header, which they would keep whole.
func (r *Recorder) share(text string) string {
	if text == "" {
		return ""
	}
	kept, ok := r.texts[text]
	if !ok {
		kept = string([]byte(text))
		if r.texts == nil {
			r.texts = map[string]string{}
		}
		r.texts[kept] = kept
	}
	return kept
}

// Samples yields the samples in the order in which they were added.
func (r *Recorder) Samples() iter.Seq[results.Sample] {
	return func(yield func(results.Sample) bool) {
		for _, chunk := range r.chunks {
			for _, s := range chunk {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// Len returns how many samples there are.
func (r *Recorder) Len() int { return r.counts.Offered }

// Counts returns what became of the triggers so far. Its maps are copies.
func (r *Recorder) Counts() results.Counts {
	c := r.counts
	c.Causes, c.Reasons = clone(c.Causes), clone(c.Reasons)
	return c
}

func clone[K comparable](m map[K]int) map[K]int {
	if len(m) == 0 {
		return nil
	}
	out := make(map[K]int, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// count adds a sample to c. An outcome that is not one of results.Outcomes
// counts as failed, so that every trigger is accounted for.
func count(c *results.Counts, s results.Sample) {
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
		if c.Reasons == nil {
			c.Reasons = map[string]int{}
		}
		c.Reasons[s.Reason]++
	}
}

func countStart(c *results.Counts, s results.Sample) {
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
		if c.Causes == nil {
			c.Causes = map[results.Cause]int{}
		}
		c.Causes[s.Cause]++
	}
}
