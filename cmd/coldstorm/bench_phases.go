package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"coldstorm/report/stats"
	"coldstorm/results"
	"coldstorm/runtime/launch"
)

// benchPhasesPart takes the place of launch with --phases.
var benchPhasesPart = benchPart{"launch", "Sandbox start, moment by moment, from the ask to the reading of the program's first bytes", inRounds(benchPhases)}

// phasesRounds carries a p99.
const phasesRounds = 100

// partRead is what a start ends in here: from the program's first instruction to the
// reading of what it wrote.
const partRead results.Part = "read"

// benchStart is where the time of one contender's starts went.
type benchStart struct {
	Contender string             `json:"contender"`
	Parts     []results.PartTime `json:"parts"` // in order
	Sum       results.Quantiles  `json:"sum"`   // of a start's parts
	Left      results.Quantiles  `json:"left"`  // of the outside measurement, by the sum
	Outside   results.Quantiles  `json:"outside"`
	Answered  results.Quantiles  `json:"answered"` // beside the parts: from execve to the launcher's answer
	Sound     int                `json:"sound"`    // starts whose moments are in order and within the outside measurement
}

// traced is one start, seen from both sides.
type traced struct {
	stamps  launch.Stamps
	other   bool          // it was of another mode than was wanted
	first   results.Stamp // the program's first instruction, as it told
	read    results.Stamp // of what it told
	outside time.Duration // by a clock of its own, from before the ask to after the reading
}

// tracer starts the probe once.
type tracer func(ctx context.Context, i int) (traced, error)

func trace(l *launch.Launcher, spec launch.Spec, mode string) tracer {
	return func(ctx context.Context, i int) (t traced, err error) {
		spec.ID = "bench-" + strconv.Itoa(i)
		began := time.Now()
		b, err := l.Launch(ctx, spec)
		if err != nil {
			return t, err
		}
		defer b.Close()
		t.first, err = launch.ReadTold(b.Stdout)
		t.read = results.Now()
		t.outside = time.Since(began)
		if err2 := b.Stop(); err == nil {
			err = err2
		}
		t.stamps, t.other = b.Stamps, b.Mode != mode
		return t, err
	}
}

// parts lays out a start. They add up to what passed from the ask to the reading.
func (t traced) parts() []results.Span {
	m := t.stamps.Moments()
	m[results.MomentFirst] = t.first
	return append(m.Spans(), results.Span{Part: partRead, Took: t.read.Sub(t.first)})
}

// clockSlack is by how much a stamp of Go's clock and a reading of the kernel's may
// disagree (see results.Now).
const clockSlack = 50 * time.Microsecond

// summarise makes one row of traces.
func summarise(name string, traces []traced) benchStart {
	s := benchStart{Contender: name}
	parts := map[results.Part][]time.Duration{}
	var sums, left, outside, answered []time.Duration
	for _, t := range traces {
		sum, sound := time.Duration(0), true
		for _, p := range t.parts() {
			parts[p.Part] = append(parts[p.Part], p.Took)
			sum += p.Took
			sound = sound && p.Took >= -clockSlack
		}
		sums, left, outside = append(sums, sum), append(left, t.outside-sum), append(outside, t.outside)
		answered = append(answered, t.stamps.Answered.Sub(t.stamps.Running()))
		if sound && t.outside-sum >= -clockSlack {
			s.Sound++
		}
	}
	for _, p := range append(results.PartNames[:len(results.PartNames):len(results.PartNames)], partRead) {
		if len(parts[p]) > 0 {
			s.Parts = append(s.Parts, results.PartTime{Part: p, Time: stats.Summarise(parts[p])})
		}
	}
	s.Sum, s.Left, s.Outside, s.Answered = stats.Summarise(sums), stats.Summarise(left), stats.Summarise(outside), stats.Summarise(answered)
	return s
}

// benchPhases starts coldstorm's own contenders in turns, as benchLaunch does all.
func benchPhases(ctx context.Context, rounds int) (benchTable, error) {
	var t benchTable
	dir, err := os.MkdirTemp("", "coldstorm-bench-")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(dir)
	starters, closers, _, err := launchContenders(dir, launch.TellingProgram())
	defer func() {
		for _, c := range closers {
			c()
		}
	}()
	if err != nil {
		return t, err
	}
	traces, other := make([][]traced, len(starters)), make([]int, len(starters))
	for i := range rounds {
		for _, k := range rand.Perm(len(starters)) {
			s := starters[k]
			if s.trace == nil {
				continue
			}
			if err := settle(starters); err != nil {
				return t, err
			}
			got, err := s.trace(ctx, i)
			if err != nil {
				return t, fmt.Errorf("%s: %w", s.name, err)
			}
			if got.other {
				other[k]++
				continue
			}
			traces[k] = append(traces[k], got)
		}
	}
	for k, s := range starters {
		if s.trace != nil {
			t.Starts = append(t.Starts, summarise(s.name, traces[k]))
		}
		if other[k] > 0 {
			t.Notes = append(t.Notes, fmt.Sprintf("%s: %d of %d starts were of another mode and are left out", s.name, other[k], rounds))
		}
	}
	t.Notes = append(t.Notes,
		"a moment that a start does not have, such as those of what was ready before the ask, has no row",
		"first instruction: the program's own reading of the clock, with which it begins; what the launcher makes beside the child of a cold start (its cgroups and network) counts where the child waits for it",
		"left over: the time measured outside, by a clock of its own, less the sum of the parts; medians don't add up, those of one start do",
	)
	return t, nil
}

// passes says from which moment to which a part goes, for a reader.
var passes = map[results.Part]string{
	results.PartHandOver:    "ask -> received by the launcher's thread",
	results.PartClone:       "received -> cloned, in its namespaces",
	results.PartRootfs:      "cloned -> rootfs whole",
	results.PartCgroups:     "rootfs -> in its cgroups",
	results.PartNetwork:     "cgroups -> in its network",
	results.PartSecurity:    "-> rights gone",
	results.PartLastOrder:   "rights gone -> execve: told to, once its socket listens",
	results.PartWake:        "received -> the ready child runs",
	results.PartSetup:       "cloned -> execve",
	results.PartRuntime:     "cloned -> the runtime's command has ended",
	results.PartRuntimeInit: "execve -> first instruction",
	partRead:                "first instruction -> its bytes read",
}

// printStarts prints a table for each contender, in the manner of printTables.
func printStarts(w io.Writer, starts []benchStart) {
	for i, s := range starts {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "  %s\n", s.Contender)
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, "    part\tn\tp50\tp99\tmin\tfrom -> to")
		row := func(name string, q results.Quantiles, says string) {
			fmt.Fprintf(tw, "    %s\t%d\t%s\t%s\t%s\t%s\n", name, q.N, span(q.P50), carried(q), span(q.Min), says)
		}
		for _, p := range s.Parts {
			row(strings.ReplaceAll(string(p.Part), "_", " "), p.Time, passes[p.Part])
		}
		row("sum", s.Sum, "ask -> read")
		row("left over", s.Left, "of what was measured outside")
		row("outside", s.Outside, "sum and left over of each start add up to it")
		row("(answered)", s.Answered, "execve -> the launcher's answer, beside the program")
		tw.Flush()
		fmt.Fprintf(w, "    in order, and within what was measured outside: %d of %d starts\n", s.Sound, s.Outside.N)
	}
}
