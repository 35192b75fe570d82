package html

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"coldstorm/report/chart"
	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// outcomes says what became of every trigger of every storm.
func outcomes(series []results.Series) chart.Table {
	t := chart.Table{Text: 2, Header: []string{
		"storm", "shape", "offered", "served", "throttled", "failed", "timed out", "unsent", "cold", "warm", "provisioned or restored", "unknown",
	}}
	for _, s := range series {
		c := s.Counts
		t.Rows = append(t.Rows, []string{
			s.Name, s.Shape, figure.Count(c.Offered), figure.Count(c.Served), figure.Count(c.Throttled), figure.Count(c.Failed),
			figure.Count(c.TimedOut), figure.Count(c.Unsent), figure.Count(c.Cold), figure.Count(c.Warm), figure.Count(c.Ready), figure.Count(c.Unknown),
		})
	}
	return t
}

// why lists, for each storm, the causes of cold starts and the reasons of what
// was not served.
func why(series []results.Series) []fact {
	var out []fact
	for _, s := range series {
		var parts []string
		if c := tally(s.Counts.Causes); c != "" {
			parts = append(parts, "cold starts: "+c)
		}
		if r := tally(s.Counts.Reasons); r != "" {
			parts = append(parts, "not served: "+r)
		}
		if len(parts) > 0 {
			out = append(out, fact{s.Name, strings.Join(parts, "; ")})
		}
	}
	return out
}

// sources says by which event source storms came, where they did.
func sources(series []results.Series) (out []fact) {
	for _, s := range series {
		out = append(out, fact{s.Name, chart.Sourced(s)})
	}
	return present(out...)
}

// tally lists counts by their names.
func tally[K ~string](counts map[K]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %s", k, figure.Count(counts[k])))
	}
	return strings.Join(parts, ", ")
}

// generators is the verdict on the load generator in each storm.
func generators(series []results.Series) chart.Table {
	t := chart.Table{Text: 2, Header: []string{
		"storm", "verdict", "offered", "achieved", "schedule lag p50", "p99", "max", "burst skew", "generator, of a core", "host, of all cores", "waits for a core", "files in the page cache", "arrivals",
	}}
	for _, s := range series {
		g := s.Generator
		verdict := "kept its schedule"
		if g.Limited {
			verdict = "limited: " + g.Why
		}
		skew := figure.Absent
		if s.Skew > 0 {
			skew = figure.Duration(s.Skew)
		}
		t.Rows = append(t.Rows, []string{
			s.Name, verdict, rate(g.Offered), rate(g.Achieved), figure.Quantile(s.Lag.P50, s.Lag.N), figure.Quantile(s.Lag.P99, s.Lag.N),
			figure.Quantile(s.Lag.Max, s.Lag.N), skew, figure.Share(g.CPUShare), figure.Share(g.HostCPUShare), pressure(g), cached(s.PageCache), digest(s.Arrivals),
		})
	}
	return t
}

// pressure is for how much of a storm something waited for a core.
func pressure(g results.Generator) string {
	if g.CPUPressure == nil {
		return figure.Absent
	}
	return figure.Share(*g.CPUPressure)
}

// cached says what of the function's files was in memory when a storm began.
func cached(p results.PageCache) string {
	switch {
	case p.Bytes == 0:
		return figure.Absent
	case p.Dropped:
		return "cold: " + figure.Share(float64(p.Cached)/float64(p.Bytes))
	}
	return "warm: " + figure.Share(float64(p.Cached)/float64(p.Bytes))
}

// rate writes a rate; a burst and triggers sent one after another have none.
func rate(perSecond float64) string {
	if perSecond == 0 {
		return figure.Absent
	}
	return figure.Rate(perSecond)
}

// digest shortens a hash to what a reader compares.
func digest(s string) string {
	s = strings.TrimPrefix(s, "sha256:")
	if len(s) > 12 {
		return s[:12]
	}
	return s
}

// provenance says how the run was obtained.
func provenance(run results.Run, m results.Manifest) []fact {
	h := run.Host
	if h.Cores == 0 && h.Kernel == "" {
		return softwareFacts(run, m)
	}
	limits := "environments ran within their limits of memory and processor"
	if !h.Limits {
		limits = "environments ran unlimited"
	}
	user := "root"
	if h.Rootless {
		user = "an ordinary user"
	}
	return append(present(
		fact{"host", fmt.Sprintf("%s, %s cores, %s", h.CPU, figure.Count(h.Cores), figure.Bytes(h.MemoryBytes))},
		fact{"kernel", fmt.Sprintf("%s, clock %s, cgroups %s", h.Kernel, h.ClockSource, h.Cgroups)},
		fact{"finest time", finest(h)},
		fact{"limits", limits},
		fact{"launcher", launcher(h)},
		fact{"ran as", user},
		fact{"missing on this host", strings.Join(h.Missing, "; ")},
	), softwareFacts(run, m)...)
}

// finest says what the host adds to whoever waits.
func finest(h results.Host) string {
	if h.Hiccups.N == 0 {
		return ""
	}
	return fmt.Sprintf("sleeps of 1 ms ended late by %s at p50, %s at p99, %s at most (%s of them, before the first storm); a reading of the clock takes %s; others used %s of all cores",
		figure.Quantile(h.Hiccups.P50, h.Hiccups.N), figure.Quantile(h.Hiccups.P99, h.Hiccups.N), figure.Duration(h.Hiccups.Max), figure.Count(h.Hiccups.N), figure.Duration(h.ClockCost), figure.Share(h.Others))
}

// launcher says what started sandboxes. A run of before there was a choice names
// none.
func launcher(h results.Host) string {
	switch {
	case h.Launcher == "" || h.Launcher == "builtin":
		return "coldstorm's own"
	case h.Launcher == "process":
		return "none: plain processes of this host, neither isolated nor limited"
	case h.LauncherVersion != "":
		return h.LauncherVersion + ", not coldstorm's own (" + h.Launcher + ")"
	}
	return h.Launcher + ", not coldstorm's own"
}

// softwareFacts are what ran: versions, inputs and prices.
func softwareFacts(run results.Run, m results.Manifest) []fact {
	return present(
		fact{"coldstorm", join(m.Version, m.Go, named("commit", m.Commit))},
		fact{"seed", fmt.Sprint(m.Seed)},
		fact{"scenario", join(run.Scenario, named("sha256", m.ScenarioHash))},
		fact{"function's files", named("sha256", run.Function.Digest)},
		fact{"payloads", hashes(m.Payloads)},
		fact{"price book", priceBook(run.PriceBook)},
	)
}

// named is a digest after its name, or nothing without one.
func named(name, hash string) string {
	if hash == "" {
		return ""
	}
	return name + " " + digest(hash)
}

// join lists the parts that aren't empty.
func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

func priceBook(p results.PriceBookRef) string {
	if p.Date == "" {
		return ""
	}
	s := fmt.Sprintf("of %s, %s, sha256 %s", p.Date, p.Region, digest(p.Digest))
	if p.Sources != "" {
		s += "; " + p.Sources
	}
	return s
}

func hashes(of map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(of)) {
		parts = append(parts, strings.TrimSpace(k+" "+digest(of[k])))
	}
	return strings.Join(parts, ", ")
}

func versions(of map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(of)) {
		parts = append(parts, k+" "+of[k])
	}
	return strings.Join(parts, ", ")
}
