package main

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"coldstorm/loadgen/storm"
	replay "coldstorm/loadgen/trace"
	"coldstorm/runtime/sim"
)

// isTrace says whether simulate's argument is a trace: azure, or a file that is no
// scenario by its name.
func isTrace(arg string) bool {
	if arg == azureTrace {
		return true
	}
	info, err := os.Stat(arg)
	return err == nil && !info.IsDir() && !slices.Contains([]string{".yaml", ".yml"}, strings.ToLower(filepath.Ext(arg)))
}

// file is the traffic of a trace's file.
func (o *simulateOptions) file(path string, stderr io.Writer, seed int64) (traffic, error) {
	fmt.Fprintf(stderr, "reading %s\n", path)
	t, err := replay.Open(path, "")
	if err != nil {
		return traffic{}, badTrace(err)
	}
	n := cmp.Or(o.functions, len(t.Functions))
	if t, _, err = t.Sample(max(n, 1), seed); err != nil {
		return traffic{}, exitError{code: exitUsage, err: err}
	}
	if len(t.Functions) == 0 || t.Span <= 0 {
		return traffic{}, usageError("", "%s: no function is invoked in it", path)
	}
	stated, err := o.statedService(path, t)
	if err != nil {
		return traffic{}, err
	}
	out := traffic{
		name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), source: "the durations in " + filepath.Base(path), span: t.Span,
		functions: len(t.Functions), triggers: float64(t.Invocations()) * o.scale,
		tenant: func(i int) (sim.Tenant, error) { return o.tenant(t, i, stated, seed) },
	}
	if o.service != "" {
		out.source = "service times of " + o.service + ", as stated, where " + filepath.Base(path) + " has none of its own"
	}
	for i := range t.Functions {
		out.order = append(out.order, i)
	}
	slices.SortStableFunc(out.order, func(a, b int) int {
		return cmp.Compare(t.Functions[b].Invocations(), t.Functions[a].Invocations())
	})
	return out, nil
}

// statedService is --service, which is needed where the trace has no durations of a
// function.
func (o *simulateOptions) statedService(path string, t *replay.Trace) (sim.Times, error) {
	if o.service != "" {
		times, err := parseTimes(o.service)
		if err != nil {
			return times, usageError(timesHint, "--service: %w", err)
		}
		return times, nil
	}
	unknown := 0
	for i := range t.Functions {
		if !t.Functions[i].Duration.Known() {
			unknown++
		}
	}
	if unknown > 0 {
		return sim.Times{}, usageError("state them: --service "+timesHint, "%s does not say how long %s of its %s functions take", path, thousands(unknown), thousands(len(t.Functions)))
	}
	return sim.Times{}, nil
}

// tenant is one function of a trace.
func (o *simulateOptions) tenant(t *replay.Trace, i int, stated sim.Times, seed int64) (sim.Tenant, error) {
	f := &t.Functions[i]
	out := sim.Tenant{Name: f.Name, MemoryMB: f.MemoryMB, Service: stated, Arrivals: t.Arrivals(f, replay.Window{}, replay.Uniform, seed)}
	if o.scale != 1 {
		r := rand.New(rand.NewPCG(uint64(storm.Derive(seed, f.Name)), 1))
		out.Arrivals = &stretched{from: out.Arrivals, scale: o.scale, end: t.Span, phase: r.Float64()}
	}
	if f.Duration.Known() {
		var err error
		out.Service, err = sim.Percentiles(ascending(f.Duration))
		return out, err
	}
	return out, nil
}

// ascending are a function's percentiles; where one is below the one before, as
// published averages of percentiles may be, it is taken to be the same.
func ascending(p replay.Percentiles) []sim.Percentile {
	ps := []sim.Percentile{{Q: 0, Value: p.Min}, {Q: 0.25, Value: p.P25}, {Q: 0.5, Value: p.P50}, {Q: 0.75, Value: p.P75}, {Q: 0.99, Value: p.P99}, {Q: 1, Value: p.Max}}
	for i := range ps {
		if ps[i].Value = max(ps[i].Value, 0); i > 0 {
			ps[i].Value = max(ps[i].Value, ps[i-1].Value)
		}
	}
	return ps
}

// stretched is arrivals of which scale times as many are made in the same time, or
// left where scale is below 1: between two arrivals they are at equal distances. phase, in
// 0..1, is where the first of them lies, so that of many functions with few arrivals
// as many are left as scale says.
type stretched struct {
	from  sim.Arrivals
	scale float64
	end   time.Duration // of the trace: the last arrival's distance to it is filled too
	phase float64

	made        int
	k           int // the arrival now, from 0; valid once begun
	now, after  time.Duration
	begun, last bool // last: nothing comes after now
	one         [1]time.Duration
}

func (s *stretched) Next(buf []time.Duration) int {
	if !s.begun {
		s.begun = true
		if s.from.Next(s.one[:]) == 0 {
			s.last, s.k = true, -1
			return 0
		}
		s.now = s.one[0]
		s.look()
	}
	n := 0
	for n < len(buf) && s.k >= 0 {
		place := (float64(s.made) + s.phase) / s.scale
		for int(place) > s.k && s.k >= 0 {
			s.step()
		}
		if s.k < 0 {
			break
		}
		buf[n] = s.now + time.Duration((place-float64(s.k))*float64(s.after-s.now))
		n++
		s.made++
	}
	return n
}

// step goes on to the next arrival; k is -1 after the last.
func (s *stretched) step() {
	if s.last {
		s.k = -1
		return
	}
	s.now = s.after
	s.k++
	s.look()
}

// look sees what comes after the arrival now.
func (s *stretched) look() {
	if s.last = s.from.Next(s.one[:]) == 0; s.last {
		s.after = max(s.now, s.end-1)
		return
	}
	s.after = s.one[0]
}
