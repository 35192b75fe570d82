package results

import "time"

// Schema is the version of result.json that this package writes and reads.
const Schema = "coldstorm/1"

// Run is one execution: everything that its reports show.
type Run struct {
	Schema   string        `json:"schema"`
	ID       string        `json:"id"` // the folder's name
	Status   Status        `json:"status"`
	Started  time.Time     `json:"started"`
	Took     time.Duration `json:"took_ns"`
	Scenario string        `json:"scenario"` // its name
	Command  string        `json:"command"`  // reproduces the run

	Function Function `json:"function"`
	Host     Host     `json:"host"`
	Notes    []Note   `json:"notes,omitempty"`

	Objective time.Duration `json:"objective_ns,omitempty"` // latency objective at p99; 0 for none

	Series      []Series     `json:"series"`                // measured here, a storm each
	Sweep       []SweepPoint `json:"sweep,omitempty"`       // measured here, bursts of growing size
	Curves      []Curve      `json:"curves,omitempty"`      // measured here, one thing varied in each
	Fidelity    []Fidelity   `json:"fidelity,omitempty"`    // the simulation held against live
	Projections []Projection `json:"projections,omitempty"` // projected on AWS, a model each
	BreakEven   []BreakEven  `json:"break_even,omitempty"`
	PriceBook   PriceBookRef `json:"price_book"`
}

// Status says how a run ended.
type Status string

// A run is complete, or was stopped on request and holds what was measured
// until then, or had an error that spoils it.
const (
	StatusComplete Status = "complete"
	StatusAborted  Status = "aborted"
	StatusInvalid  Status = "invalid"
)

// Function says what was measured.
type Function struct {
	Name         string        `json:"name"`
	Source       string        `json:"source"` // bundled, directory, zip or image
	Digest       string        `json:"sha256"` // of its files; of an image, of its manifest
	PackageBytes int64         `json:"package_bytes"`
	Runtime      string        `json:"runtime"` // such as provided.al2023; image for a container image
	Architecture string        `json:"architecture"`
	MemoryMB     int           `json:"memory_mb"`
	Timeout      time.Duration `json:"timeout_ns"`
	Concurrency  int           `json:"concurrency"` // reserved; 0 for the account's 1,000
	KeepAlive    time.Duration `json:"keep_alive_ns"`
}

// Host describes the machine and what it allowed.
type Host struct {
	Kernel      string `json:"kernel"`
	CPU         string `json:"cpu"`
	Cores       int    `json:"cores"`
	MemoryBytes int64  `json:"memory_bytes"`
	ClockSource string `json:"clock_source"`
	// Before the first storm: by how much sleeps of 1 ms ended late, and what one reading of
	// the clock takes: no figure is finer; and the share of all cores that others used. Empty
	// in older runs.
	Hiccups   Quantiles     `json:"hiccups,omitzero"`
	ClockCost time.Duration `json:"clock_cost_ns,omitempty"`
	Others    float64       `json:"others_cpu_share,omitempty"`
	Cgroups   string        `json:"cgroups"` // v1, v2, hybrid or none
	Limits    bool          `json:"limits"`  // false: environments ran unlimited
	Rootless  bool          `json:"rootless"`

	Launcher        string `json:"launcher,omitempty"`         // that started sandboxes: builtin (or empty, in older runs), process or oci:PATH
	LauncherVersion string `json:"launcher_version,omitempty"` // of an OCI runtime, in its own words

	Missing []string `json:"missing,omitempty"` // parts that the host forbids, each with what it means
}

// Note is a sentence that a reader of the figures must know.
type Note struct {
	Level Level  `json:"level"`
	Text  string `json:"text"`
	About string `json:"about,omitempty"` // the series or model that it is about; empty for the run
}

// Level orders notes.
type Level string

// A note informs, warns of a figure that is to be read with care, or says that
// a figure is spoilt.
const (
	LevelInfo  Level = "info"
	LevelWarn  Level = "warn"
	LevelSpoil Level = "spoilt"
)

// Quantiles summarises a set of durations. With N == 0 all else is zero. A
// quantile that N samples can't carry is 0 and is not shown: a quantile q
// needs at least 10 samples beyond it for q > 0.5 (p90: 100, p99: 1,000),
// relaxed to one sample beyond it (p90: 10, p99: 100) with Thin set.
type Quantiles struct {
	N    int           `json:"n"`
	Min  time.Duration `json:"min_ns,omitempty"`
	P50  time.Duration `json:"p50_ns,omitempty"`
	P90  time.Duration `json:"p90_ns,omitempty"`
	P99  time.Duration `json:"p99_ns,omitempty"`
	Max  time.Duration `json:"max_ns,omitempty"`
	Mean time.Duration `json:"mean_ns,omitempty"`
	// P50Low and P50High bound the median with 95 % confidence (order
	// statistics); 0 where N is too small. P99Low and P99High likewise.
	P50Low  time.Duration `json:"p50_low_ns,omitempty"`
	P50High time.Duration `json:"p50_high_ns,omitempty"`
	P99Low  time.Duration `json:"p99_low_ns,omitempty"`
	P99High time.Duration `json:"p99_high_ns,omitempty"`
	Thin    bool          `json:"thin,omitempty"`
}

// Counts says what became of the triggers of a storm. Offered is the sum of
// all others.
type Counts struct {
	Offered   int `json:"offered"`
	Served    int `json:"served"`
	Throttled int `json:"throttled"`
	Failed    int `json:"failed"`
	TimedOut  int `json:"timed_out"`
	Unsent    int `json:"unsent"`

	Cold    int `json:"cold"` // of the served ones, by evidence
	Warm    int `json:"warm"`
	Ready   int `json:"ready"` // provisioned or restored
	Unknown int `json:"unknown"`

	Causes  map[Cause]int  `json:"causes,omitempty"`  // of cold starts
	Reasons map[string]int `json:"reasons,omitempty"` // of what was not served
}

// Accounted reports whether every trigger has exactly one outcome.
func (c Counts) Accounted() bool {
	return c.Offered == c.Served+c.Throttled+c.Failed+c.TimedOut+c.Unsent &&
		c.Served == c.Cold+c.Warm+c.Ready+c.Unknown
}

// Spectrum is a latency distribution as the points of a percentile curve.
type Spectrum []SpectrumPoint

// SpectrumPoint is one point: Q in 0..1 and the value that Count samples of
// the set do not exceed.
type SpectrumPoint struct {
	Q     float64       `json:"q"`
	Value time.Duration `json:"value_ns"`
	Count int64         `json:"count"`
}

// Series is one storm as it was measured here.
type Series struct {
	Name     string        `json:"name"`
	Model    string        `json:"model,omitempty"`  // compute model that ran it; empty: lambda
	Config   string        `json:"config,omitempty"` // of a model of containers: what ran, and how it was scaled to this machine
	Shape    string        `json:"shape"`            // in words, such as "burst of 1,000 at once"
	Seed     int64         `json:"seed"`
	Arrivals string        `json:"arrivals_sha256"` // of the schedule
	Took     time.Duration `json:"took_ns"`
	Counts   Counts        `json:"counts"`

	Latency map[Start]Quantiles `json:"latency"` // from the intended send; of served triggers, a start each
	Service map[Start]Quantiles `json:"service"` // the handler alone
	Lag     Quantiles           `json:"lag"`
	Skew    time.Duration       `json:"skew_ns,omitempty"` // of a burst: first to last send

	Spectra map[Start]Spectrum `json:"spectra"` // of Latency

	// Cold start phases: quantiles of each phase over cold samples, and of the
	// total that the client measured. Medians of phases do not add up to the
	// median of totals; of a single sample the phases do.
	Phases map[Phase]Quantiles `json:"phases,omitempty"`
	Total  Quantiles           `json:"total"`

	// Breakdown splits cold starts finer, each mode of a sandbox's start by itself.
	// Empty in older runs, and where the endpoint tells phases alone.
	Breakdown []Breakdown `json:"breakdown,omitempty"`

	// PageCache is the state of the kernel's page cache of the function's own files when the
	// storm began; its zero value where that is not known.
	PageCache PageCache `json:"page_cache,omitzero"`

	PeakMemory int64     `json:"peak_memory_bytes,omitempty"` // highest of any environment
	CPU        Quantiles `json:"cpu"`                         // processor time of warm invocations
	BilledMS   int64     `json:"billed_ms"`                   // sum over the storm
	Modes      []string  `json:"modes,omitempty"`             // sandbox starts seen: cold, pooled

	// Trigger is the event source by which its triggers came, in words; empty: each was a
	// request. Invocations handled them: as many, or fewer where several events share one,
	// and ColdStarts of those were cold. Counts are of events.
	Trigger     string `json:"trigger,omitempty"`
	Invocations int    `json:"invocations,omitempty"`
	ColdStarts  int    `json:"cold_starts,omitempty"`
	// Way is where the time of events went that were not answered on their request.
	Way []WayPart `json:"way,omitempty"`

	// States is how long containers or instances and their nodes were in each state, from
	// the deployment to the storm's end; empty of environments.
	States []StateTime `json:"states,omitempty"`

	Generator Generator       `json:"generator"`
	Timeline  []TimelinePoint `json:"timeline,omitempty"`
}

// PageCache is how much of the function's own files, in whole pages, is in memory. Files of
// the host that it sees besides, such as an interpreter in /usr, are not counted.
type PageCache struct {
	Bytes   int64 `json:"bytes"`
	Cached  int64 `json:"cached_bytes"`
	Dropped bool  `json:"dropped"` // before the first start, on request
}

// StateTime is how long tasks, pods or instances were in one of their states.
type StateTime struct {
	Of    string    `json:"of"`    // task, pod or instance
	State string    `json:"state"` // in the words of its service, such as PROVISIONING
	Units int       `json:"units"` // that were in it
	Still int       `json:"still"` // of these, that were in it at the end
	Time  Quantiles `json:"time"`  // of the others, from entering it to leaving it
}

// WayPart is one part of the way of events, from the intended send over publish, poll,
// invoke and handler to done, of those that started alike.
type WayPart struct {
	Start Start     `json:"start"`
	Part  string    `json:"part"` // such as publish to poll
	Time  Quantiles `json:"time"`
}

// Generator is the verdict on the load generator during one storm.
type Generator struct {
	Limited      bool    `json:"limited"` // the generator or the host was the bottleneck
	Why          string  `json:"why,omitempty"`
	Offered      float64 `json:"offered_per_second"`
	Achieved     float64 `json:"achieved_per_second"`
	CPUShare     float64 `json:"cpu_share"`      // of one core, by the generator's process
	HostCPUShare float64 `json:"host_cpu_share"` // of all cores, by everything
	// CPUPressure is the share of the storm in which something on the host waited for a
	// core; nil where the kernel doesn't tell (pressure stall information), and in older runs.
	CPUPressure *float64 `json:"cpu_pressure,omitempty"`
}

// TimelinePoint is one interval of a storm.
type TimelinePoint struct {
	At        time.Duration `json:"at_ns"` // from the storm's start to the interval's start
	Every     time.Duration `json:"every_ns"`
	Offered   int           `json:"offered"`
	Completed int           `json:"completed"`
	Throttled int           `json:"throttled"`
	Errors    int           `json:"errors"`
	Cold      int           `json:"cold"`
	InFlight  int           `json:"in_flight"` // at the interval's end
	// Units at the interval's end, by state; -1 where not known.
	Starting int `json:"starting"`
	Idle     int `json:"idle"`
	Busy     int `json:"busy"`
	// Processor time used in the interval, in cores: of the generator, and by
	// invocations as their endpoint tells it. 0 or absent where not known.
	GeneratorCPU float64 `json:"generator_cpu_cores,omitempty"`
	FunctionCPU  float64 `json:"function_cpu_cores,omitempty"`
}

// SweepPoint is one burst of the scaling curve.
type SweepPoint struct {
	N       int           `json:"n"` // triggers at once
	Repeats int           `json:"repeats"`
	Counts  Counts        `json:"counts"`
	Cold    Quantiles     `json:"cold"`                  // latency of cold starts
	Ready   time.Duration `json:"time_to_last_ready_ns"` // first send to last response, median of repeats
}

// Fidelity is the simulation's error against live on one storm.
type Fidelity struct {
	Series string  `json:"series"`
	Model  string  `json:"model"`
	Metric string  `json:"metric"` // such as cold_starts, p50, p99
	Live   float64 `json:"live"`   // nanoseconds for a quantile, a count otherwise
	Sim    float64 `json:"sim"`
	Error  float64 `json:"error"` // sim/live - 1; of environments, which are means over time, the mean distance over live's mean
}

// Projection is one compute model, projected on AWS.
type Projection struct {
	Model   string `json:"model"`
	Offered bool   `json:"offered"` // false: AWS does not offer it for this function, or Withheld
	Reason  string `json:"reason,omitempty"`
	// Withheld says that there is no figure for another reason than AWS's offer:
	// this host measured too little, or the model can't be simulated.
	Withheld bool     `json:"withheld,omitempty"`
	Config   string   `json:"config,omitempty"` // what a unit is and how many, in words
	Notes    []string `json:"notes,omitempty"`  // refinements that this version leaves out
	Image    string   `json:"image,omitempty"`  // where starts find the image or package: cold or warm, in words

	Storms []ProjectedStorm `json:"storms,omitempty"`
	Steady Steady           `json:"steady"`
	Curve  []RatePoint      `json:"curve,omitempty"`
}

// ProjectedStorm is a storm in virtual time.
type ProjectedStorm struct {
	Name     string              `json:"name"`
	Counts   Counts              `json:"counts"`
	Latency  map[Start]Quantiles `json:"latency"`
	All      Quantiles           `json:"all"` // every served trigger, cold and warm: for the cost chart alone
	Spectrum Spectrum            `json:"spectrum,omitempty"`
	Peak     int                 `json:"peak_units"`
	Recover  time.Duration       `json:"recover_ns,omitempty"` // until the last trigger was answered
	Usage    Usage               `json:"usage"`
	Bill     Bill                `json:"bill"`
	Timeline []TimelinePoint     `json:"timeline,omitempty"`
	States   []StateTime         `json:"states,omitempty"` // as Series has them, to the end of the simulated span

	// As Series has them, of a storm by an event source; latencies are then from when an
	// event was published to when its handler was done. Of Way, parts are left out that took
	// no event any time.
	Trigger     string    `json:"trigger,omitempty"`
	Invocations int       `json:"invocations,omitempty"`
	ColdStarts  int       `json:"cold_starts,omitempty"`
	Way         []WayPart `json:"way,omitempty"`
}

// Steady is the model under the scenario's steady rate.
type Steady struct {
	Rate       float64             `json:"rate_per_second"`
	Latency    map[Start]Quantiles `json:"latency,omitempty"`
	All        Quantiles           `json:"all"`
	ColdShare  float64             `json:"cold_share"` // of served, 0..1
	Counts     Counts              `json:"counts"`
	Monthly    Bill                `json:"monthly"`
	PerMillion USD                 `json:"usd_per_million"`
}

// RatePoint is one point of a model's cost curve.
type RatePoint struct {
	Rate     float64       `json:"rate_per_second"`
	Monthly  USD           `json:"usd_per_month"`
	P99      time.Duration `json:"p99_ns"`
	Units    float64       `json:"units"`    // mean
	Feasible bool          `json:"feasible"` // meets the objective and throttles nothing
}

// Bill is a usage, priced.
type Bill struct {
	Items []BillItem `json:"items,omitempty"`
	Total USD        `json:"usd_total"`
}

// BillItem is one line of a bill.
type BillItem struct {
	Name     string  `json:"name"`
	Quantity float64 `json:"quantity"`
	Unit     string  `json:"unit"`
	Price    USD     `json:"usd_per_unit"`
	Amount   USD     `json:"usd"`
}

// BreakEven is the request rate at which two models cost the same.
type BreakEven struct {
	A       string  `json:"a"` // cheaper below
	B       string  `json:"b"` // cheaper above
	Rate    float64 `json:"rate_per_second"`
	Monthly USD     `json:"usd_per_month"`
}

// PriceBookRef says which prices were used.
type PriceBookRef struct {
	Date    string `json:"date"` // YYYY-MM-DD
	Region  string `json:"region"`
	Digest  string `json:"sha256"`
	Sources string `json:"sources,omitempty"`
}

// Manifest says how a run was obtained, so that it can be repeated.
type Manifest struct {
	Schema       string            `json:"schema"`
	Version      string            `json:"version"` // of coldstorm
	Go           string            `json:"go"`
	Commit       string            `json:"commit,omitempty"`
	Seed         int64             `json:"seed"`
	ScenarioYAML string            `json:"scenario_yaml"`
	ScenarioHash string            `json:"scenario_sha256"`
	Arrivals     map[string]string `json:"arrivals_sha256"` // a storm each
	Payloads     map[string]string `json:"payloads_sha256,omitempty"`
	Function     Function          `json:"function"`
	Host         Host              `json:"host"`
	PriceBook    PriceBookRef      `json:"price_book"`
	Modules      map[string]string `json:"modules,omitempty"` // dependencies, path to version
}
