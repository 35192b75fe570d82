package gate

// Schema is the version of the report as JSON.
const Schema = "coldstorm-gate/1"

// Verdict is the outcome of a metric, or of a comparison.
type Verdict string

// The verdicts, best first.
const (
	Pass         Verdict = "pass"
	Inconclusive Verdict = "inconclusive"
	Regression   Verdict = "regression"
	Invalid      Verdict = "invalid" // of a comparison alone: a run is spoilt
)

// The exit codes of a command that ends with a report. 2 is a wrong command
// line, 130 an interrupt.
const (
	ExitPass         = 0
	ExitRegression   = 1
	ExitInconclusive = 3
	ExitInvalid      = 4
)

// Report is a comparison of two runs.
type Report struct {
	Schema  string  `json:"schema"`
	Base    string  `json:"base"` // the run's id
	Head    string  `json:"head"`
	Verdict Verdict `json:"verdict"`
	// Advisory: the runs were not measured beside each other, so a regression
	// is a finding to look at, and not proof.
	Advisory bool     `json:"advisory"`
	Alpha    float64  `json:"alpha"`
	Reasons  []string `json:"reasons,omitempty"`  // why it can't be pass or regression, for the whole
	Warnings []string `json:"warnings,omitempty"` // what to bear in mind
	Rows     []Row    `json:"rows"`               // worst first
}

// Row is one metric of one storm.
type Row struct {
	Metric Metric  `json:"metric"`
	Series string  `json:"series,omitempty"` // empty: of the whole run
	Part   string  `json:"part,omitempty"`   // of the way of events; empty: all of it
	Unit   Unit    `json:"unit"`             // of Base and Head
	Base   float64 `json:"base"`
	Head   float64 `json:"head"`
	BaseN  int     `json:"base_n"` // samples; of events, invocations
	HeadN  int     `json:"head_n"`

	// Effect is head over base less one; of errors, head's share less base's; of a part,
	// its change over base's median of the whole way.
	// With it goes its interval, nil where the samples can't carry one.
	Effect   float64   `json:"effect"`
	Interval *Interval `json:"interval,omitempty"`
	Limit    float64   `json:"limit"`

	// P is the one-sided p of head being worse; Adjusted the same with all
	// metrics taken together. Nil where the verdict rests on the interval alone.
	P        *float64 `json:"p,omitempty"`
	Adjusted *float64 `json:"p_adjusted,omitempty"`

	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why"`                // the verdict in a line
	Enough  int     `json:"enough_n,omitempty"` // samples that would settle it, where noise is the reason

	barriers []string // why there can't be a verdict
}

// Interval is a confidence interval of an effect.
type Interval struct {
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Level float64 `json:"level"`
}

// Unit says what a row's figures are in.
type Unit string

// The units.
const (
	Nanoseconds Unit = "ns"
	Share       Unit = "share" // 0..1
	USD         Unit = "usd"
)

// ExitCode returns what a command that shows the report ends with. A
// regression in an advisory report is ExitRegression only if it is enforced;
// otherwise it is ExitInconclusive, since it was not proved, and was not passed.
func (r Report) ExitCode(enforce bool) int {
	switch r.Verdict {
	case Pass:
		return ExitPass
	case Regression:
		if enforce || !r.Advisory {
			return ExitRegression
		}
		return ExitInconclusive
	case Inconclusive:
		return ExitInconclusive
	}
	return ExitInvalid
}
