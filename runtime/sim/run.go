package sim

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"coldstorm/report/stats"
	"coldstorm/results"
	"coldstorm/workloads"
)

// Config is one projection: a model, a function and what it takes.
type Config struct {
	Model workloads.Model
	// Function gives memory, architecture (empty: x86_64), timeout (0: none),
	// keep-alive (0 reclaims at once, negative never), reserved concurrency (0:
	// the account's 1,000) and runtime.
	Function workloads.Function
	Profile  Profile

	// Arrivals of a storm, from its start, in any order.
	Arrivals []time.Duration
	// Stream, where it is not nil, is the arrivals instead: of storms that are too
	// long for a list. It is read to its end.
	Stream Arrivals
	Seed   int64 // of every random choice
	// Copies are the functions that a storm is spread over; nil: the one. Lambda models
	// alone have several: see Copied.
	Copies *Copies

	// Source is the event source by which a storm's triggers come; nil: they are requests.
	// Lambda models alone have one: see Sourced.
	Source *Source

	// Each, where it is not nil, is told what became of every trigger of a storm, in
	// the order of the answers.
	Each func(Answer)

	// Steady is the rate, in triggers a second, for which capacity stands before
	// a storm: it sizes fleets and provisioned concurrency. 0 is one unit. A
	// storm is simulated alone, without that stream.
	Steady float64
	// Units is the number of units, or of provisioned environments, that stand
	// for that rate; 0: what keeps 70 % of their slots busy at it.
	Units int
	// Warm is the number of Lambda environments that are idle when a storm
	// starts, provisioned ones among them.
	Warm int
	// Instance is the EC2 type of ecs-ec2, eks-ec2 and ec2; empty: the smallest
	// of c7i (c7g for arm64) that holds a unit.
	Instance string
	// Fleet says by which rules container and instance models work.
	Fleet workloads.Fleet
	// MaxUnits bounds what scaling adds; 0 is the larger of 200 and ten times
	// the steady size.
	MaxUnits int
	// Fixed keeps an ec2 fleet at its steady size.
	Fixed bool
	// Window is the span whose capacity is billed; 0 is an hour. It is extended
	// to whole seconds past the last answer where the storm takes longer. The
	// same for every model, so that their bills for a storm compare.
	Window time.Duration
	// Cap bounds the invocations that Steady and each point of Curve simulate
	// and count, after a warm-up of a fifth as many; 0 is 100,000 for Steady and
	// 25,000 for a point. Usage is scaled up from them. Where they pass within
	// ten service times, up to ten times as many are simulated.
	Cap int
}

// Outcome is what a projection came to.
type Outcome struct {
	Model   workloads.Model
	Config  string // what a unit is and how many, in words
	Counts  results.Counts
	Latency map[results.Start]results.Quantiles
	All     results.Quantiles
	Spectra map[results.Start]results.Spectrum
	// Spectrum is of every served trigger.
	Spectrum results.Spectrum
	Cold     []time.Duration // latencies of the first 100,000 cold starts
	Peak     int             // units
	Mean     float64         // units
	// Recover is the time from the storm's start to its last answer.
	Recover  time.Duration
	Usage    results.Usage
	Timeline []results.TimelinePoint
	States   []results.StateTime // of Run's, of containers and instances
	Notes    []string
	// Image says where starts find the container's image or the function's package: whether
	// a cache is cold or warm, or there is none.
	Image string

	// Of a storm by an event source: where the time of events went, the invocations that
	// handled them, and how many of those were cold or restored.
	Way                     []results.WayPart
	Invocations, ColdStarts int

	latency [startKinds]tally
}

// Histogram is the latencies of one kind of start, in nanoseconds; nil of a kind
// that there was none of.
func (o *Outcome) Histogram(s results.Start) *hdrhistogram.Histogram {
	i := slices.Index(startNames[:], s)
	if i < 0 || o.latency[i].n == 0 {
		return nil
	}
	return o.latency[i].histogram()
}

// Run simulates a storm.
func Run(c Config) (Outcome, error) {
	mo, err := compose(c)
	if err != nil {
		return Outcome{}, err
	}
	times, err := c.arrivals()
	if err != nil {
		return Outcome{}, fmt.Errorf("simulate %s: %w", c.Model, err)
	}
	b := newBook(&mo.billing)
	b.line, b.each = newTimeline(), c.Each
	m := newMachine(mo.plane(), mo.timing, c.Seed, b)
	if c.Source != nil {
		m.front, b.events = newFront(m, *c.Source, c.Function.Timeout), true
	}
	m.states = mo.states(c.Model, c.Fleet)
	window := c.Window
	if window == 0 {
		window = time.Hour
	}
	if err := m.run(times, int64(window)); err != nil {
		return Outcome{}, fmt.Errorf("simulate %s: %w", c.Model, err)
	}
	window = max(window, roundUp(time.Duration(b.last), time.Second))
	return m.outcome(mo, c, window), nil
}

// arrivals are those of a storm, in the order of time.
func (c *Config) arrivals() (arrivals, error) {
	if c.Stream != nil {
		b := newBatched(c.Stream)
		return &b, nil
	}
	times := schedule(c.Arrivals)
	if !slices.IsSorted(times) {
		times = slices.Clone(times)
		slices.Sort(times)
	}
	if len(times) > 0 && times[0] < 0 {
		return nil, fmt.Errorf("an arrival at %v, before the storm's start", times[0])
	}
	return &times, nil
}

// Units is the number of units, or of provisioned environments, that stand for
// c.Steady. Hand it to the Config of a storm that fires some of the payloads
// only: the storm then meets the capacity that stands for all of them.
func Units(c Config) (int, error) {
	mo, err := compose(c)
	if err != nil {
		return 0, err
	}
	return mo.units, nil
}

// outcome closes the books over the span that ends the simulation.
func (m *machine) outcome(mo *model, c Config, span time.Duration) Outcome {
	b := m.book
	b.close(m, b.from+int64(span))
	o := Outcome{
		Model: c.Model, Config: mo.words, Counts: b.counts, Cold: b.cold, Notes: Notes(c.Model), Image: c.imageState(),
		Peak: b.alive.peak, Mean: b.alive.total / float64(max(int64(span), 1)),
		Recover: time.Duration(b.last), Timeline: b.line.finish(b.open, m.plane), States: m.states.times(m.plane, b.from+int64(span)),
		Latency: map[results.Start]results.Quantiles{}, Spectra: map[results.Start]results.Spectrum{},
	}
	o.latencies(&b.latency)
	requests := b.counts.Offered
	if f := m.front; f != nil {
		o.Way, o.Invocations, o.ColdStarts = f.parts(), f.invocations, f.colds
		requests = f.invocations
	}
	o.Usage = b.bill.finish(string(c.Model), architecture(c.Function), span, requests)
	return o
}

// latencies fills in the quantiles and spectra of latencies by the kind of start.
func (o *Outcome) latencies(by *[startKinds]tally) {
	var all tally
	o.latency = *by
	for i := range by {
		all.merge(&by[i])
		if by[i].n > 0 {
			h := by[i].histogram()
			o.Latency[startNames[i]] = stats.FromHistogram(h)
			o.Spectra[startNames[i]] = stats.SpectrumFromHistogram(h)
		}
	}
	h := all.histogram()
	o.All, o.Spectrum = stats.FromHistogram(h), stats.SpectrumFromHistogram(h)
}

// Storm returns the outcome as the run's schema has it, without a bill.
func (o Outcome) Storm(name string) results.ProjectedStorm {
	return results.ProjectedStorm{
		Name: name, Counts: o.Counts, Latency: o.Latency, All: o.All, Spectrum: o.Spectrum,
		Peak: o.Peak, Recover: o.Recover, Usage: o.Usage, Timeline: o.Timeline, States: o.States,
		Way: o.Way, Invocations: o.Invocations, ColdStarts: o.ColdStarts,
	}
}

// Steady returns the outcome of a stream as the run's schema has it, without a
// bill.
func (o Outcome) Steady(rate float64) results.Steady {
	s := results.Steady{Rate: rate, Latency: o.Latency, All: o.All, Counts: o.Counts}
	if o.Counts.Served > 0 {
		s.ColdShare = float64(o.Counts.Cold) / float64(o.Counts.Served)
	}
	return s
}

// Refused is the share of triggers that were not served.
func (o Outcome) Refused() float64 {
	if o.Counts.Offered == 0 {
		return 0
	}
	return 1 - float64(o.Counts.Served)/float64(o.Counts.Offered)
}

func architecture(f workloads.Function) string {
	if f.Architecture == "" {
		return "x86_64"
	}
	return f.Architecture
}

// sized is how many units serve the steady rate when each is to be busy to a
// share of target on average: at least 1. AWS recommends two, in two zones, for
// availability; that is left to the reader, as it hides what a low rate costs.
func (c *Config) sized(service float64, slots int) int {
	if c.Units > 0 {
		return c.Units
	}
	return max(1, int(math.Ceil(c.Steady*service/1e9/(float64(slots)*target)-1e-9)))
}
