package gate

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"coldstorm/results"
)

// faults says what spoils a run altogether.
func (c comparison) faults() (out []string) {
	for _, a := range []arm{c.base, c.head} {
		if a.Run.Schema != results.Schema {
			out = append(out, fmt.Sprintf("%s has schema %q, want %q", a.name, a.Run.Schema, results.Schema))
		}
		switch a.Run.Status {
		case results.StatusComplete, results.StatusAborted:
		case results.StatusInvalid:
			out = append(out, a.name+" is invalid: an error spoilt the run")
		default:
			out = append(out, fmt.Sprintf("%s has the unknown status %q", a.name, a.Run.Status))
		}
	}
	return out
}

// barriers says what keeps the two runs as a whole from being compared.
func (c comparison) barriers() (out []string) {
	for _, a := range []arm{c.base, c.head} {
		if a.Run.Status == results.StatusAborted {
			out = append(out, a.name+" was stopped before its end")
		}
		out = append(out, spoilt(a, "")...)
	}
	b, h := c.base.Run, c.head.Run
	out = append(out, differ("scenario", b.Scenario, h.Scenario)...)
	out = append(out, hosts(b.Host, h.Host)...)
	out = append(out, functions(b.Function, h.Function)...)
	out = append(out, differ("page cache of the function's files", pageCache(b), pageCache(h))...)
	for name, digest := range sorted(c.base.Manifest.Payloads) {
		if other, ok := c.head.Manifest.Payloads[name]; ok && other != digest {
			out = append(out, fmt.Sprintf("payload %s differs", name))
		} else if !ok && c.payloadsKnown() {
			out = append(out, fmt.Sprintf("head has no payload %s", name))
		}
	}
	for name := range sorted(c.head.Manifest.Payloads) {
		if _, ok := c.base.Manifest.Payloads[name]; !ok && c.payloadsKnown() {
			out = append(out, fmt.Sprintf("base has no payload %s", name))
		}
	}
	return out
}

// hosts compares all that a latency depends on.
func hosts(b, h results.Host) (out []string) {
	out = append(out, differ("kernel", b.Kernel, h.Kernel)...)
	out = append(out, differ("processor", b.CPU, h.CPU)...)
	out = append(out, differ("number of cores", b.Cores, h.Cores)...)
	out = append(out, differ("memory of the host", b.MemoryBytes, h.MemoryBytes)...)
	out = append(out, differ("clock source", b.ClockSource, h.ClockSource)...)
	out = append(out, differ("cgroups", b.Cgroups, h.Cgroups)...)
	out = append(out, differ("limits of environments", b.Limits, h.Limits)...)
	out = append(out, differ("rootless", b.Rootless, h.Rootless)...)
	out = append(out, differ("launcher", launcher(b), launcher(h))...)
	return out
}

// pageCache says whether a run had the function's files dropped before its cold starts.
func pageCache(r results.Run) string {
	for _, s := range r.Series {
		if s.PageCache.Dropped {
			return "cold"
		}
	}
	return "warm"
}

// launcher names what started sandboxes, with its version.
func launcher(h results.Host) string {
	return strings.TrimSpace(cmp.Or(h.Launcher, "builtin") + " " + h.LauncherVersion)
}

// functions compares the configuration, not the code: that is what changed.
func functions(b, h results.Function) (out []string) {
	out = append(out, differ("architecture", b.Architecture, h.Architecture)...)
	out = append(out, differ("memory of the function, MB,", b.MemoryMB, h.MemoryMB)...)
	out = append(out, differ("concurrency", b.Concurrency, h.Concurrency)...)
	out = append(out, differ("keep-alive", b.KeepAlive, h.KeepAlive)...)
	out = append(out, differ("timeout", b.Timeout, h.Timeout)...)
	return out
}

func differ[T comparable](what string, base, head T) []string {
	if base == head {
		return nil
	}
	text := func(v T) string { return cmp.Or(fmt.Sprint(v), "none") }
	return []string{fmt.Sprintf("%s differs: %s in base, %s in head", what, text(base), text(head))}
}

// spoilt returns the notes of a run that spoil what they are about: a storm, a
// model, or, with "", the run.
func spoilt(a arm, about string) (out []string) {
	for _, n := range a.Run.Notes {
		if n.Level == results.LevelSpoil && n.About == about {
			out = append(out, a.name+": "+n.Text)
		}
	}
	return out
}

// warnings says what to bear in mind with every row.
func (c comparison) warnings() []string {
	out := []string{"the runs were not measured beside each other: what the host did between them is part of every effect"}
	b, h := c.base.Run.Function, c.head.Run.Function
	if b.Digest != "" && b.Digest == h.Digest {
		out = append(out, "both runs are of the same function, file by file: an A/A comparison")
	}
	out = append(out, differ("function", b.Name, h.Name)...)
	out = append(out, differ("runtime", b.Runtime, h.Runtime)...)
	if !c.payloadsKnown() {
		out = append(out, "payloads are not compared: a run lists none")
	}
	if names := c.untold(); len(names) > 0 {
		out = append(out, fmt.Sprintf("the parts of the way of events are not compared, nor how often they were tried, as a run tells neither: %s", strings.Join(names, ", ")))
	}
	for _, a := range []arm{c.base, c.head} {
		var unnamed []string
		for name := range sorted(a.count) {
			if a.series[name] == nil && !a.swept(name) {
				unnamed = append(unnamed, name)
			}
		}
		if len(unnamed) > 0 {
			out = append(out, fmt.Sprintf("%s has samples of storms that its result does not name: %s", a.name, strings.Join(unnamed, ", ")))
		}
		if a.unknown() {
			out = append(out, a.name+" does not know how any of its triggers started, as its endpoint did not tell: cold and warm latencies are compared of runs that know")
		}
	}
	return out
}

// swept says whether samples of a name are those of the run's sweep of bursts, of which
// its result has the points instead.
func (a arm) swept(name string) bool {
	return slices.ContainsFunc(a.Run.Sweep, func(p results.SweepPoint) bool {
		return strings.HasPrefix(name, fmt.Sprintf("sweep %d #", p.N))
	})
}

// unknown says whether the run has samples, all of starts that are not known.
func (a arm) unknown() bool {
	for k, s := range a.samples {
		if len(s) > 0 && k.start != results.StartUnknown {
			return false
		}
	}
	return len(a.samples) > 0
}

func (c comparison) payloadsKnown() bool {
	return len(c.base.Manifest.Payloads) > 0 && len(c.head.Manifest.Payloads) > 0
}

// storm says what keeps one storm from being compared.
func (c comparison) storm(name string) (out []string) {
	b, h := c.base.series[name], c.head.series[name]
	for _, a := range []arm{c.base, c.head} {
		s := a.series[name]
		if s == nil {
			out = append(out, fmt.Sprintf("%s has no storm %s", a.name, name))
			continue
		}
		out = append(out, spoilt(a, name)...)
		out = append(out, load(a, s)...)
	}
	out = append(out, c.sources(name)...)
	if b == nil || h == nil {
		return out
	}
	if b.Arrivals != h.Arrivals {
		out = append(out, "the schedules of arrivals differ")
	}
	if d := throttled(h.Counts) - throttled(b.Counts); math.Abs(d) > throttleLimit {
		out = append(out, fmt.Sprintf("head throttled %.1f %% of its load, base %.1f %%: what was served does not compare",
			100*throttled(h.Counts), 100*throttled(b.Counts)))
	}
	return out
}

// load says what of a storm's load is missing.
func load(a arm, s *results.Series) (out []string) {
	if s.Generator.Limited {
		why := s.Generator.Why
		if why == "" {
			why = "no reason recorded"
		}
		out = append(out, fmt.Sprintf("%s: the generator or the host was the bottleneck (%s)", a.name, why))
	}
	if s.Counts.Unsent > 0 {
		out = append(out, fmt.Sprintf("%s dropped load: %d of %d triggers were not sent", a.name, s.Counts.Unsent, s.Counts.Offered))
	}
	if !s.Counts.Accounted() {
		out = append(out, fmt.Sprintf("%s does not account for every trigger", a.name))
	}
	if n := a.count[s.Name]; n != s.Counts.Offered {
		out = append(out, fmt.Sprintf("%s has %d samples of %d triggers", a.name, n, s.Counts.Offered))
	}
	return out
}

// lag says whether the generator's lag is too large for a median.
func (c comparison) lag(name string, median time.Duration) (out []string) {
	for _, a := range []arm{c.base, c.head} {
		s := a.series[name]
		if s == nil || median <= 0 {
			continue
		}
		lag := cmp.Or(s.Lag.P99, s.Lag.Max)
		if float64(lag) > c.limits.lag()*float64(median) {
			out = append(out, fmt.Sprintf("%s: schedule lag of %v is above %.0f %% of the median %v",
				a.name, lag.Round(time.Microsecond), 100*c.limits.lag(), median.Round(time.Microsecond)))
		}
	}
	return out
}

func throttled(c results.Counts) float64 {
	if c.Offered == 0 {
		return 0
	}
	return float64(c.Throttled) / float64(c.Offered)
}

// sorted walks a map by its keys, so that reports don't change from run to run.
func sorted[V any](m map[string]V) func(yield func(string, V) bool) {
	return func(yield func(string, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}
