package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"coldstorm/report/stats"
	"coldstorm/results"
)

var benchCommand = command{
	name: "bench", args: "[launch|burst|calm|leak|frozen|invoke|trigger|lag|skew|rate|stall|fleet|fidelity|record|sim]... [flags]", short: "compare coldstorm itself with its peers and limits",
	long: `
Bench measures coldstorm, not a function. Where a part compares contenders, it
interleaves them in one run, in random order, because two runs on a noisy machine
don't compare. Launch, invoke, lag and sim print the figure of each round and the
ratio to the first contender (of launch, the rounds are thirds of its starts); burst, calm,
leak, frozen and record print figures of their own, and goals beside them. A
peer that is not installed is reported as missing.

With --phases, launch starts coldstorm's own contenders alone, of a program that
tells the time of its first instruction, and prints what passes between each
moment of a start and the next, and what these leave of the time measured outside.

    launch   from the ask to the first instruction of the program: a sandbox,
             cold, pooled and parked, beside runc, crun and a bare fork and exec
    burst    many starts at once, at concurrency 1 to 64: cold, pooled, and pooled
             with the lean profile, beside crun and runc
    calm     whether launches disturb the generator, and its heap the launches
    leak     what ten bursts of starts leave behind in both processes and the kernel
    frozen   what an idle, frozen environment costs in memory, the kernel's included
    invoke   a warm invocation through the Invoke API, freezing on and off,
             beside the same function behind plain net/http
    trigger  storms at a queue, a bucket, a schedule and asynchronous invocations: each
             part of an event's way, from its intended send to its handler's end
    lag      how far sends are off their schedule, beside stock vegeta
    skew     how far apart a burst arrives, beside stock vegeta and hey
    rate     50,000 triggers a second, beside stock vegeta
    stall    what an endpoint's stall of a second does to the figures of each
    fleet    200 containers on 8 emulated nodes, of which one is killed under a storm: until
             it is noticed, until capacity is back, and what became of every request
    fidelity the simulation of storms that are drawn afresh, on environments, containers
             and instances, beside what live makes of them, and live of itself (10 minutes)
    record   what recording a result takes, a million of them in memory, and how far
             quantiles of mixtures are off, beside vegeta's t-digest
    sim      simulated invocations a second, on one core and two, and a day of a trace
             of 46,000 functions and a billion invocations (in proportion below 60 rounds)

Examples:

    coldstorm bench
    coldstorm bench launch --rounds 200
    coldstorm bench launch --phases
    coldstorm bench burst frozen --burst 200
    coldstorm bench lag --json`,
	setup: func(f *pflag.FlagSet) func(context.Context, *app, []string) error {
		var o benchOptions
		f.IntVar(&o.rounds, "rounds", 60, "starts of each contender, in launch; of it, a twentieth are the rounds of burst and of calm's sleeps, and of invoke, lag, record and sim, but 3 at least, a tenth those of calm's heaps, likewise; leak and frozen have none")
		f.IntVar(&o.burst, "burst", 1000, "starts of a burst, and environments at once in frozen")
		f.StringVar(&o.out, "out", filepath.Join("results", "bench"), "`folder` for the figures, as text and JSON")
		f.BoolVar(&o.json, "json", false, "print JSON instead of tables")
		f.BoolVar(&o.phases, "phases", false, "split coldstorm's own starts into what passes between their moments, with launch; 100 rounds unless --rounds is given")
		return func(ctx context.Context, a *app, args []string) error {
			if o.phases && !f.Changed("rounds") {
				o.rounds = phasesRounds
			}
			return o.run(ctx, a, args)
		}
	},
}

type benchOptions struct {
	rounds int
	burst  int
	out    string
	json   bool
	phases bool
}

// benchPart is one comparison.
type benchPart struct {
	name  string
	title string
	run   func(ctx context.Context, o benchOptions) (benchTable, error)
}

var benchParts = []benchPart{
	{"launch", "Sandbox start: from the ask to the first instruction", inRounds(benchLaunch)},
	{"burst", "Burst: every start's sandbox is ended and removed too", benchBurst},
	{"calm", "Calm: the generator beside launches, and launches beside its heap", benchCalm},
	{"leak", "Leak: what starts leave behind", benchLeak},
	{"frozen", "Frozen: idle environments at once, memory of each", benchFrozen},
	{"invoke", "Warm invocation through the Invoke API", inRounds(benchInvoke)},
	{"trigger", "Triggers: storms of events that are not answered on their request", benchTrigger},
	{"lag", "Schedule lag: actual minus intended send", inRounds(benchLag)},
	{"skew", "Skew: a burst's first to last arrival at the endpoint", benchSkew},
	{"rate", "Rate: 50,000 a second on shared cores", inRounds(benchRate)},
	{"stall", "Stall: who hides that an endpoint stood still", benchStall},
	{"fleet", "Live fleet: 200 containers on 8 nodes, one of which is killed under a storm", benchFleet},
	{"fidelity", "Fidelity: the simulation beside live on storms drawn afresh", benchFidelity},
	{"record", "Recording: a result, a million of them, and quantiles beside exact ones", benchRecord},
	{"sim", "Simulated invocations a second: a Lambda plane of 1,000 environments, and a day of many functions", inRounds(benchSim)},
}

// inRounds is a part that wants to know nothing but its rounds.
func inRounds(run func(ctx context.Context, rounds int) (benchTable, error)) func(context.Context, benchOptions) (benchTable, error) {
	return func(ctx context.Context, o benchOptions) (benchTable, error) { return run(ctx, o.rounds) }
}

// benchTable is the outcome of one comparison.
type benchTable struct {
	Name    string      `json:"name"`
	Title   string      `json:"title"`
	Rows    []benchRow  `json:"rows"`
	Goals   []benchGoal `json:"goals,omitempty"`
	Missing []string    `json:"missing,omitempty"`
	Notes   []string    `json:"notes,omitempty"`

	Starts []benchStart `json:"starts,omitempty"` // with --phases, in the place of rows
}

// benchRow is one contender: the quantiles of its samples, and each round's
// median. Exactly one of Time, Rate and Figures is set.
type benchRow struct {
	Contender string             `json:"contender"`
	Time      *results.Quantiles `json:"time,omitempty"`
	Rounds    []time.Duration    `json:"round_medians_ns,omitempty"`
	Rate      float64            `json:"per_second,omitempty"`
	Rates     []float64          `json:"round_per_second,omitempty"`
	Figures   []benchFigure      `json:"figures,omitempty"`
	Ratio     float64            `json:"ratio,omitempty"` // of p50, or of the rate, to the table's first row, unless a note says otherwise
}

func (o benchOptions) run(ctx context.Context, a *app, args []string) error {
	for _, name := range args {
		if !slices.ContainsFunc(benchParts, func(p benchPart) bool { return p.name == name }) {
			return usageError("launch, burst, calm, leak, frozen, invoke, trigger, lag, skew, rate, stall, fleet, record or sim", "bench: unknown part %q", name)
		}
	}
	if o.phases && !slices.Equal(args, []string{"launch"}) {
		return usageError("coldstorm bench launch --phases", "bench: --phases goes with launch alone")
	}
	if o.rounds < 1 {
		return usageError("", "bench: --rounds %d", o.rounds)
	}
	if o.burst < 1 {
		return usageError("", "bench: --burst %d", o.burst)
	}
	if done, err := withOwnMounts(ctx, a); done || err != nil {
		return err
	}
	var tables []benchTable
	for _, p := range benchParts {
		if len(args) > 0 && !slices.Contains(args, p.name) {
			continue
		}
		fmt.Fprintf(a.stderr, "bench: %s\n", p.name)
		if o.phases {
			p = benchPhasesPart
		}
		t, err := p.run(ctx, o)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("bench %s: %w", p.name, err)
		}
		t.Name, t.Title = p.name, p.title
		t.ratios()
		tables = append(tables, t)
	}
	return o.write(a, tables)
}

// ratios compares each row with the first, unless its part has done so.
func (t *benchTable) ratios() {
	for i := range t.Rows {
		first, row := t.Rows[0], &t.Rows[i]
		switch {
		case row.Ratio != 0:
		case first.Time != nil && row.Time != nil && first.Time.P50 > 0:
			row.Ratio = float64(row.Time.P50) / float64(first.Time.P50)
		case first.Rate > 0:
			row.Ratio = row.Rate / first.Rate
		}
	}
}

func (o benchOptions) write(a *app, tables []benchTable) error {
	text, err := json.MarshalIndent(tables, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return err
	}
	name := filepath.Join(o.out, time.Now().UTC().Format("20060102T150405Z"))
	if err := os.WriteFile(name+".json", append(text, '\n'), 0o666); err != nil {
		return err
	}
	f, err := os.Create(name + ".txt")
	if err != nil {
		return err
	}
	defer f.Close()
	printTables(f, tables)
	if o.json {
		_, err = a.stdout.Write(append(text, '\n'))
		return err
	}
	printTables(a.stdout, tables)
	fmt.Fprintf(a.stdout, "\n%s.json\n", name)
	return nil
}

func printTables(w io.Writer, tables []benchTable) {
	host := describeHost()
	fmt.Fprintf(w, "%s, %d cores, Linux %s\n", host.CPU, host.Cores, host.Kernel)
	for _, t := range tables {
		fmt.Fprintf(w, "\n%s\n\n", t.Title)
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for i, r := range t.Rows {
			if i == 0 || header(r) != header(t.Rows[i-1]) {
				fmt.Fprintln(tw, header(r))
			}
			fmt.Fprintln(tw, r)
		}
		tw.Flush()
		printStarts(w, t.Starts)
		for _, g := range t.Goals {
			fmt.Fprintf(w, "  goal: %s\n", g)
		}
		for _, m := range t.Missing {
			fmt.Fprintf(w, "  missing: %s\n", m)
		}
		for _, n := range t.Notes {
			fmt.Fprintf(w, "  note: %s\n", n)
		}
	}
}

func header(r benchRow) string {
	if r.Figures != nil {
		return figuresHeader(r.Figures)
	}
	if r.Time == nil {
		return "  contender\tper second\tratio\trounds"
	}
	return "  contender\tn\tp50\tp99\tmin\tratio\trounds"
}

// String is the row of a table.
func (r benchRow) String() string {
	if r.Figures != nil {
		return figuresLine(r.Contender, r.Figures)
	}
	if r.Time == nil {
		line := fmt.Sprintf("  %s\t%s\t%.2f\t", r.Contender, thousands(int(r.Rate)), r.Ratio)
		for _, v := range r.Rates {
			line += thousands(int(v)) + " "
		}
		return line
	}
	line := fmt.Sprintf("  %s\t%d\t%s\t%s\t%s\t%.2f\t", r.Contender, r.Time.N, span(r.Time.P50), carried(*r.Time), span(r.Time.Min), r.Ratio)
	for _, v := range r.Rounds {
		line += span(v) + "  "
	}
	return line
}

// carried is the p99, or why there is none.
func carried(q results.Quantiles) string {
	if q.P99 == 0 {
		return fmt.Sprintf("n=%d", q.N)
	}
	return span(q.P99)
}

// contender collects the samples of one side of a comparison, a slice a round.
type contender struct {
	name   string
	rounds [][]time.Duration
}

func (c *contender) add(round int, d time.Duration) {
	for len(c.rounds) <= round {
		c.rounds = append(c.rounds, nil)
	}
	c.rounds[round] = append(c.rounds[round], d)
}

func (c *contender) row() benchRow {
	var all, medians []time.Duration
	for _, r := range c.rounds {
		all = append(all, r...)
		if q := stats.Summarise(r); q.N > 0 {
			medians = append(medians, q.P50)
		}
	}
	q := stats.Summarise(all)
	return benchRow{Contender: c.name, Time: &q, Rounds: medians}
}

// third says to which of three rounds start i of n belongs.
func third(i, n int) int { return i * 3 / n }
