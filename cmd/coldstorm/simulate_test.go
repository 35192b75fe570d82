package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"coldstorm/loadgen/storm"
	"coldstorm/results"
	"coldstorm/workloads"
)

const scenarioHere = "name: here\nfunction: {workload: hello, memory: 1769MB}\nstorms:\n  - {name: crowd, shape: burst, n: 50}\n"

// keptRun writes the folder of a run of 40 cold and 40 warm starts, of which all is
// processor time, and returns it.
func keptRun(t *testing.T) string {
	t.Helper()
	var samples []results.Sample
	for i := range 80 {
		at := results.Stamp(i+1) * 1e9
		s := results.Sample{Series: "quiet", Seq: uint64(i), Intended: at, Sent: at, Outcome: results.OutcomeServed, Status: 200}
		s.Environment, s.Start = fmt.Sprint(i), results.StartWarm
		s.Phases.Invoke = time.Duration(90+i%20) * time.Millisecond
		s.CPU = s.Phases.Invoke
		if i%2 == 0 {
			s.Start, s.Cause, s.Phases.Init = results.StartCold, results.CauseScaleOut, 30*time.Millisecond
		}
		s.Done = at + results.Stamp(s.Phases.Invoke+s.Phases.Init)
		samples = append(samples, s)
	}
	dir := filepath.Join(t.TempDir(), "kept")
	run := results.Run{
		Status: results.StatusComplete, Scenario: "here", Host: results.Host{Cores: 2, Limits: true},
		Function: results.Function{MemoryMB: 1769}, Series: []results.Series{{Name: "quiet"}},
	}
	if err := results.Write(dir, run, results.Manifest{ScenarioYAML: scenarioHere}); err != nil {
		t.Fatal(err)
	}
	if err := results.SaveSamples(dir, slices.Values(samples)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// simulated runs the command and returns its exit code and what it printed.
func simulated(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(append([]string{"simulate", "--out", t.TempDir()}, args...), strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

func TestSimulateTakesWhatARunMeasured(t *testing.T) {
	code, out, errs := simulated(t, "--profile", keptRun(t), "--model", "lambda", "--memory", "5307")
	if code != exitPass {
		t.Fatal(errs)
	}
	for _, want := range []string{
		"from what run kept measured: service time p50", "(n=40), init p50 30.0 ms (n=40)",
		"cpu_factor 1, an assumption without an interval",
		"5307 MB are 3.0 vCPUs, the machine that was measured has 2 cores: projections are extrapolated",
		"  lambda  50        100.0 %  100.0 %",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestSimulateIsAnchoredByReportLines(t *testing.T) {
	var log strings.Builder
	for i := range 40 { // twice what was measured
		fmt.Fprintf(&log, "REPORT RequestId: %d\tDuration: %d.00 ms\tBilled Duration: %d ms\tMemory Size: 1769 MB\tMax Memory Used: 30 MB\t\n", i, 2*(90+i%20), 2*(90+i%20))
	}
	file := filepath.Join(t.TempDir(), "lambda.log")
	if err := os.WriteFile(file, []byte(log.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	code, out, errs := simulated(t, "--profile", keptRun(t), "--model", "lambda", "--report-lines", file)
	if code != exitPass {
		t.Fatal(errs)
	}
	var factor, low, high float64
	_, after, _ := strings.Cut(out, "processor time times ")
	if n, err := fmt.Sscanf(after, "%f (95 %% interval %f to %f), from 40 REPORT lines of warm invocations against 40 measured here", &factor, &low, &high); n != 3 {
		t.Fatalf("%v in\n%s", err, out)
	}
	if math.Abs(factor-2) > 0.1 || low > 2 || high < 2 {
		t.Errorf("a factor of %g, %g to %g, want 2", factor, low, high)
	}
	if err := os.WriteFile(file, []byte("nothing of interest\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := simulated(t, "--profile", keptRun(t), "--report-lines", file); code != exitUsage || !strings.Contains(errs, "no REPORT line of a warm invocation, among 0") {
		t.Errorf("exit code %d, %s", code, errs)
	}
}

func TestProfileWithoutLimitsIsRefusedBelowOneVCPU(t *testing.T) {
	k, err := readKept(keptRun(t))
	if err != nil {
		t.Fatal(err)
	}
	k.run.Host.Limits, k.run.Function.MemoryMB = false, 512
	if _, err := keptProfile(k); err == nil || !strings.Contains(err.Error(), "whole cores") {
		t.Errorf("error %v", err)
	}
	k.run.Host.Limits, k.samples = true, k.samples[:0]
	if _, err := keptProfile(k); err == nil {
		t.Error("a run without samples has a profile")
	}
}

func TestProfileLearnsNothingFromEvents(t *testing.T) {
	for what, mark := range map[string]func(*results.Series){
		"a source of a scenario's": func(s *results.Series) { s.Trigger = "queue, batches of up to 10" },
		"completions": func(s *results.Series) {
			s.Way = []results.WayPart{{Start: results.StartWarm, Part: "publish to poll"}}
		},
	} {
		k, err := readKept(keptRun(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keptProfile(k); err != nil {
			t.Fatal(err)
		}
		for i := range k.run.Series {
			mark(&k.run.Series[i])
		}
		if _, err := keptProfile(k); !errors.Is(err, errNoProfile) {
			t.Errorf("%s: error %v", what, err)
		}
	}
}

func TestScaledScheduleHasSoManyTimesTheTriggersInTheSameTime(t *testing.T) {
	for _, test := range []struct {
		scale float64
		want  int
	}{{1, 1000}, {3, 3000}, {0.1, 100}, {2.5, 2500}} {
		s, err := storm.Of(workloads.Storm{Name: "r", Shape: workloads.ShapeRamp, From: 0, To: 200, For: 10 * time.Second}, 1)
		if err != nil {
			t.Fatal(err)
		}
		sim := stormSimulation{ctx: t.Context(), options: &simulateOptions{scale: test.scale}}
		in := sim.arrivals(s)
		buf := make([]time.Duration, 7)
		n, half, last := 0, 0, time.Duration(0)
		for k := in.Next(buf); k > 0; k = in.Next(buf) {
			for _, at := range buf[:k] {
				if at < last || at > s.Duration() {
					t.Fatalf("scale %g: %v after %v", test.scale, at, last)
				}
				if last = at; at < 5*time.Second {
					half++
				}
				n++
			}
		}
		if n != test.want || math.Abs(float64(half)/float64(n)-0.25) > 0.02 || int(sim.arrived.Load()) != n {
			t.Errorf("scale %g: %d triggers, %d in the first half, want %d and a quarter of them", test.scale, n, half, test.want)
		}
	}
}

func TestStatedTimesAreRead(t *testing.T) {
	for text, want := range map[string]time.Duration{ // its mean
		"50ms": 50 * time.Millisecond, "exponential:20ms": 20 * time.Millisecond, "lognormal:10ms,10ms": 10 * time.Millisecond,
		"p0=10ms,p100=10ms": 10 * time.Millisecond, "p50=1s": time.Second, "0s": 0,
	} {
		got, err := parseTimes(text)
		if err != nil || got.Mean().Round(time.Microsecond) != want {
			t.Errorf("%s: a mean of %v, %v, want %v", text, got.Mean(), err, want)
		}
	}
	for _, text := range []string{"", "50", "-1ms", "1000h", "normal:1ms", "lognormal:1ms", "lognormal:2ms,1ms", "p50", "p50=1ms,p40=2ms", "p50=2ms,p60=1ms", "p150=1ms", "pp=1ms", "q50=1ms"} {
		if got, err := parseTimes(text); err == nil {
			t.Errorf("%q is read as a mean of %v", text, got.Mean())
		}
	}
}

func FuzzParseTimes(f *testing.F) {
	for _, seed := range []string{"50ms", "lognormal:40ms,400ms", "exponential:1s", "p0=10ms,p50=50ms,p99=400ms"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		times, err := parseTimes(text)
		if err != nil {
			return
		}
		for _, d := range times.Samples(20) {
			if d < 0 {
				t.Errorf("%q draws %v", text, d)
			}
		}
	})
}

// listed is arrivals at given times.
type listed []time.Duration

func (l *listed) Next(buf []time.Duration) int {
	n := copy(buf, *l)
	*l = (*l)[n:]
	return n
}

func TestStretchedArrivalsAreSoManyTimesAsMany(t *testing.T) {
	const end = 100 * time.Second
	for _, test := range []struct {
		scale, phase float64
		arrivals     int
		want         int
	}{
		{1, 0, 50, 50}, {3, 0.5, 50, 150}, {2.5, 0.2, 20, 50}, {0.1, 0, 50, 5}, {0.1, 0.95, 50, 5}, {0.01, 0.3, 50, 1}, {0.01, 0.7, 50, 0}, {5, 0.9, 1, 5}, {7, 0.1, 0, 0},
	} {
		var in listed
		for i := range test.arrivals {
			in = append(in, time.Duration(i*i)*20*time.Millisecond)
		}
		s := stretched{from: &in, scale: test.scale, end: end, phase: test.phase}
		buf := make([]time.Duration, 7)
		got, last := 0, time.Duration(0)
		for n := s.Next(buf); n > 0; n = s.Next(buf) {
			for _, at := range buf[:n] {
				if at < last || at >= end {
					t.Fatalf("%+v: %v after %v", test, at, last)
				}
				last = at
			}
			got += n
		}
		if got != test.want || s.Next(buf) != 0 {
			t.Errorf("%+v: %d arrivals", test, got)
		}
	}
}

func TestSimulateReadsATraceOfAzure(t *testing.T) {
	code, out, errs := simulated(t, "../../loadgen/trace/testdata/invocations.csv", "--workers", "2")
	if code != exitPass {
		t.Fatal(errs)
	}
	var triggers int
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "lambda" {
			fmt.Sscan(strings.ReplaceAll(f[1], ",", ""), &triggers)
		}
	}
	if triggers == 0 || !strings.Contains(out, "from the durations in invocations.csv") {
		t.Fatalf("no triggers in\n%s", out)
	}
	_, out, _ = simulated(t, "../../loadgen/trace/testdata/invocations.csv", "--scale", "10")
	if want := fmt.Sprintf("  lambda  %s ", thousands(10*triggers)); !strings.Contains(out, want) {
		t.Errorf("no %q in\n%s", want, out)
	}
	log := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(log, []byte("1.2.3.4 - - [01/Jan/2026:00:00:01 +0000] \"GET /a?b HTTP/1.1\" 200 1\n1.2.3.4 - - [01/Jan/2026:00:05:00 +0000] \"GET /a HTTP/1.1\" 200 1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := simulated(t, log); code != exitUsage || !strings.Contains(errs, "does not say how long 1 of its 1 functions take") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	if code, out, errs := simulated(t, log, "--service", "20ms"); code != exitPass || !strings.Contains(out, "  lambda  2 ") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
}
