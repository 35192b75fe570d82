package results

import "time"

// Curve is a scaling curve, measured here: what the function did while one thing
// was varied and all else stayed.
type Curve struct {
	Axis   string       `json:"axis"`  // what was varied: burst, rate, concurrency, memory, package, payload
	Unit   string       `json:"unit"`  // of the values, in words: triggers at once, triggers/s, clients, MB, bytes
	Storm  string       `json:"storm"` // what was fired at each value, in words
	Points []CurvePoint `json:"points"`
	Knee   *Knee        `json:"knee,omitempty"` // nil: none was sought, or there were too few points
}

// CurvePoint is what was measured at one value of a curve, all repeats together.
type CurvePoint struct {
	Value   float64             `json:"value"`
	Repeats int                 `json:"repeats"`
	Counts  Counts              `json:"counts"`
	Latency map[Start]Quantiles `json:"latency"` // from the intended send; of served triggers, a start each
	Init    Quantiles           `json:"init"`    // init duration of cold starts

	Offered     float64   `json:"offered_per_second,omitempty"` // by the schedule; 0 where it has no rate
	Throughput  float64   `json:"served_per_second"`            // median of the repeats; 0 where the storm says nothing of it
	Throughputs []float64 `json:"served_per_second_each,omitempty"`

	Peak       int           `json:"peak_environments"`           // most at once, all repeats; -1 where not known
	Growth     int           `json:"new_environments_in_10s"`     // most cold starts that were answered within any 10 s of a repeat
	Deploy     time.Duration `json:"deploy_ns,omitempty"`         // to unpack the package, once
	PeakMemory int64         `json:"peak_memory_bytes,omitempty"` // highest of any environment

	Limited bool   `json:"limited"` // the generator or the host was the bottleneck
	Why     string `json:"why,omitempty"`
}

// Knee is where a curve of throughput bends: up to there more load brought more
// throughput, beyond it little but latency.
type Knee struct {
	Value   float64 `json:"value"`   // of the axis; 0 with Reached false
	Highest float64 `json:"highest"` // throughput of the curve, served a second
	Reached bool    `json:"reached"` // false: the curve ends before it bends
	Rule    string  `json:"rule"`    // how it was found, in words
}
