package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/report/stats"
	"coldstorm/results"
)

// The text report is vegeta's, with what that lacks beside it: each line says in
// brackets what its figures are. A percentile that its samples can't carry is a
// dash. Cold and warm are never in one figure.

// text prints the result, and where the report is.
func (s *stormer) text() error {
	to := s.app.stdout
	if s.o.output == "-" {
		to = s.app.stderr
	}
	w := bufio.NewWriter(to)
	if s.run.Status == results.StatusAborted {
		fmt.Fprint(w, "! aborted: the storm was stopped before its end; this is what was measured until then\n\n")
	}
	for i := range s.series {
		if len(s.storms) > 1 {
			fmt.Fprintf(w, "%s, %s\n", s.series[i].Name, s.series[i].Shape)
		}
		s.stormText(w, i)
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, filepath.Join(s.dir, "report.html"))
	err := w.Flush()
	if errors.Is(err, syscall.EPIPE) { // who read has read enough
		return nil
	}
	return err
}

// gathered is what the text report shows of samples, in bounded memory.
type gathered struct {
	latency, since, service map[string]*stats.Set // by start, or refused
	lag                     stats.Set
	in, out                 int64
	codes                   map[int]int
	first, last, done       results.Stamp // intended sends; last answer
	requests, served        int
}

// refused names answers that served nothing.
const refused = "not served"

func (s *stormer) gather(i int) *gathered {
	g := &gathered{
		latency: map[string]*stats.Set{}, since: map[string]*stats.Set{}, service: map[string]*stats.Set{},
		codes: map[int]int{},
	}
	for x := range s.series[i].recorder.Samples() {
		if x.Outcome != results.OutcomeUnsent {
			g.add(x, s.sent(x).Bytes)
		}
	}
	return g
}

func (g *gathered) add(x results.Sample, out int) {
	g.requests++
	g.codes[x.Status]++
	g.in += x.Bytes
	if g.first == 0 || x.Intended < g.first {
		g.first = x.Intended
	}
	g.last, g.done = max(g.last, x.Intended), max(g.done, x.Done)
	if x.Sent != 0 {
		g.out += int64(out)
		g.lag.Add(x.Lag())
	}
	if x.Outcome == results.OutcomeServed {
		g.served++
	}
	if x.Status == 0 || x.Sent == 0 {
		return
	}
	name := refused
	if x.Outcome == results.OutcomeServed {
		name = string(x.Start)
	}
	put(g.latency, name, x.Latency())
	put(g.since, name, x.Total())
	if x.Phases.Invoke > 0 && name != refused {
		put(g.service, name, x.Phases.Invoke)
	}
}

func put(sets map[string]*stats.Set, name string, d time.Duration) {
	if sets[name] == nil {
		sets[name] = &stats.Set{}
	}
	sets[name].Add(d)
}

func (s *stormer) stormText(to io.Writer, i int) {
	m, report, g := s.series[i], s.reports[i], s.gather(i)
	w := tabwriter.NewWriter(to, 0, 8, 2, ' ', 0)
	defer w.Flush()
	attack, wait := g.last.Sub(g.first), max(0, g.done.Sub(g.last))
	fmt.Fprintf(w, "Requests\t[total, rate, throughput]\t%s, %s, %s\n", thousands(g.requests), perSecond(g.requests-1, attack), perSecond(g.served, attack+wait))
	fmt.Fprintf(w, "Duration\t[total, attack, wait]\t%s, %s, %s\n", span(attack+wait), span(attack), span(wait))
	names := slices.SortedFunc(maps.Keys(g.latency), func(a, b string) int { return cmp.Compare(place(a), place(b)) })
	for _, name := range names {
		suffix := ""
		if len(names) > 1 || name != string(results.StartUnknown) {
			suffix = " (" + name + ")"
		}
		fmt.Fprintf(w, "Latencies%s\t[min, mean, 50, 90, 95, 99, max]\t%s\n", suffix, shown(g.latency[name]))
		fmt.Fprintf(w, "  since the send\t\t%s\n", shown(g.since[name]))
		if set := g.service[name]; set != nil {
			fmt.Fprintf(w, "  handler alone\t\t%s\n", shown(set))
		}
	}
	fmt.Fprintf(w, "Schedule lag\t[min, mean, 50, 90, 95, 99, max]\t%s\n", shown(&g.lag))
	if m.Skew > 0 {
		fmt.Fprintf(w, "Burst skew\t[first to last send]\t%s\n", span(m.Skew))
	}
	fmt.Fprintf(w, "Bytes In\t[total, mean]\t%s, %s\n", thousands(int(g.in)), mean(g.in, g.requests))
	fmt.Fprintf(w, "Bytes Out\t[total, mean]\t%s, %s\n", thousands(int(g.out)), mean(g.out, g.requests))
	fmt.Fprintf(w, "Success\t[ratio]\t%s\n", percent(g.served, g.requests))
	fmt.Fprintf(w, "Status Codes\t[code:count]\t%s\n", codes(g.codes))
	outcomesText(w, m.Counts)
	for _, p := range m.Way {
		fmt.Fprintf(w, "Way (%s)\t[min, mean, 50, 90, 99, max]\t%s: %s\n", p.Start, p.Part, summary(p.Time))
	}
	generatorText(w, m.Generator, report)
	for _, line := range errorSet(m.Counts.Reasons) {
		fmt.Fprintln(w, line)
	}
}

// outcomesText says what became of the triggers where not all were sent, or some
// had a start that is known.
func outcomesText(w io.Writer, c results.Counts) {
	if c.Cold+c.Warm+c.Ready > 0 {
		fmt.Fprintf(w, "Starts\t[cold, warm, ready, unknown]\t%d, %d, %d, %d\n", c.Cold, c.Warm, c.Ready, c.Unknown)
	}
	if c.Throttled+c.TimedOut+c.Unsent > 0 {
		fmt.Fprintf(w, "Outcomes\t[served, throttled, failed, timed out, unsent]\t%d, %d, %d, %d, %d\n", c.Served, c.Throttled, c.Failed, c.TimedOut, c.Unsent)
	}
}

// generatorText is the verdict on the generator.
func generatorText(w io.Writer, g results.Generator, r drive.Report) {
	verdict := "kept its schedule"
	switch {
	case g.Limited:
		verdict = "LIMITED the figures: " + g.Why
	case r.Sent == 0:
		verdict = "sent nothing"
	}
	fmt.Fprintf(w, "Generator\t[verdict; of a core, host]\t%s; %.0f%%, %.0f%%\n", verdict, 100*g.CPUShare, 100*g.HostCPUShare)
	if g.CPUPressure != nil {
		fmt.Fprintf(w, "Host\t[something waited for a core]\t%.0f%% of the time\n", 100**g.CPUPressure)
	}
	switch {
	case r.Sent == 0:
	case r.Accuracy == drive.AccuracyTLS:
		fmt.Fprintf(w, "\t\tsends are stamped before encryption, some 10 us before the wire\n")
	case r.Accuracy == drive.AccuracyHTTP2:
		fmt.Fprintf(w, "\t\tHTTP/2: sends are stamped once their headers' frame was written, by a goroutine: lag is larger than over HTTP/1.1\n")
	}
}

// place orders the lines of latencies.
func place(name string) int {
	return slices.Index([]string{
		string(results.StartCold), string(results.StartWarm), string(results.StartProvisioned), string(results.StartRestored), string(results.StartUnknown), refused,
	}, name)
}

// shown are those that the samples carry.
func shown(s *stats.Set) string {
	if s.N() == 0 {
		return "-"
	}
	parts := []string{span(s.Min()), span(s.Mean())}
	for _, q := range []float64{0.5, 0.9, 0.95, 0.99} {
		d, ok := s.Quantile(q)
		if !ok {
			parts = append(parts, "-")
			continue
		}
		parts = append(parts, span(d))
	}
	return strings.Join(append(parts, span(s.Max())), ", ")
}

// summary is shown of what is summed up already.
func summary(q results.Quantiles) string {
	parts := []string{span(q.Min), span(q.Mean)}
	for _, d := range []time.Duration{q.P50, q.P90, q.P99} {
		if d == 0 {
			parts = append(parts, "-")
			continue
		}
		parts = append(parts, span(d))
	}
	return strings.Join(append(parts, span(q.Max)), ", ")
}

func perSecond(n int, d time.Duration) string {
	if d <= 0 || n <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", float64(n)/d.Seconds())
}

func mean(sum int64, n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", float64(sum)/float64(n))
}

func percent(part, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f%%", 100*float64(part)/float64(of))
}

func codes(counts map[int]int) string {
	var parts []string
	for _, c := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d:%d", c, counts[c]))
	}
	return strings.Join(parts, "  ")
}

// errorSet lists the reasons of what was not served, the most frequent first.
func errorSet(reasons map[string]int) []string {
	out := []string{"Error Set:"}
	for _, r := range slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(reasons[b], reasons[a]), cmp.Compare(a, b))
	}) {
		out = append(out, fmt.Sprintf("%s: %s", r, thousands(reasons[r])))
	}
	return out
}
