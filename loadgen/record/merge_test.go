package record_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coldstorm/loadgen/record"
	"coldstorm/report/stats"
	"coldstorm/results"
)

// storm are the samples of a storm of a second per thousand triggers, of which one in
// a hundred is cold.
func stormOf(n int, add func(i int, s results.Sample)) {
	for i := range n {
		start, took := results.StartWarm, time.Duration(2000+i%977)*time.Microsecond
		if i%100 == 0 {
			start, took = results.StartCold, time.Duration(180+i%31)*ms
		}
		s := sample(i, time.Duration(i)*ms, took, start)
		s.Environment = "environment " + string(rune('a'+i%20))
		s.Phases.Invoke, s.CPU = ms, ms/2
		add(i, s)
	}
}

func TestMergedRecordersAreTheWhole(t *testing.T) {
	for _, n := range []int{0, 500, 3000} {
		var whole record.Recorder
		shards := make([]record.Recorder, 4)
		stormOf(n, func(i int, s results.Sample) {
			whole.Add(s)
			shards[1+i%3].Add(s)
		})
		shards[0].Merge(&shards[1], &shards[2], &shards[3])
		if diff := cmp.Diff(whole.Series(), shards[0].Series()); diff != "" {
			t.Errorf("%d: %s", n, diff)
		}
		var a, b bytes.Buffer
		if err := whole.WriteHlog(&a); err != nil {
			t.Fatal(err)
		}
		if err := shards[0].WriteHlog(&b); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%d: the histogram logs differ", n)
		}
	}
}

// TestALargeStormIsWithinAThousandthOfExact holds figures from histograms, and
// samples from a file, against order statistics.
func TestALargeStormIsWithinAThousandthOfExact(t *testing.T) {
	r := record.Recorder{Memory: 1, Folder: t.TempDir()}
	exact := map[results.Start][]time.Duration{}
	n := 2 * stats.Exact
	stormOf(n, func(_ int, s results.Sample) {
		r.Add(s)
		exact[s.Start] = append(exact[s.Start], s.Latency())
	})
	got := r.Series()
	if !r.Rounded() || r.Err() != nil || got.Counts.Served != n {
		t.Fatalf("rounded %v, error %v, %d served", r.Rounded(), r.Err(), got.Counts.Served)
	}
	for start, set := range exact {
		want, q := stats.Summarise(set), got.Latency[start]
		if q.N != want.N || q.Min != want.Min || q.Max != want.Max {
			t.Errorf("%s: %+v, want %+v", start, q, want)
		}
		for _, c := range []struct{ got, want time.Duration }{{q.P50, want.P50}, {q.P90, want.P90}, {q.P99, want.P99}, {q.Mean, want.Mean}} {
			if off := float64(c.got)/float64(c.want) - 1; off < -0.001 || off > 0.001 {
				t.Errorf("%s: %v, exactly %v", start, c.got, c.want)
			}
		}
	}
	if memory, disk := r.Bytes(); disk == 0 || memory > 16<<20 {
		t.Errorf("%d bytes in memory, %d on disk", memory, disk)
	}
}

func TestCPUOfGeneratorAndFunctionsApart(t *testing.T) {
	var r record.Recorder
	s := sample(0, 0, 1500*ms, results.StartWarm) // one core, for half of the time from 500 ms on
	s.Phases.Invoke, s.CPU = 1000*ms, 500*ms
	r.Add(s)
	for i := range 4 { // a quarter of a core
		r.AddUse(record.Use{At: t0.Add(time.Duration(i) * 500 * ms), CPU: time.Hour + time.Duration(i)*125*ms})
	}
	for _, p := range r.Series().Timeline {
		want := 0.5
		if p.At < 500*ms || p.At >= 1500*ms {
			want = 0
		}
		if d := p.FunctionCPU - want; d < -1e-9 || d > 1e-9 {
			t.Errorf("%v: functions use %v cores, want %v", p.At, p.FunctionCPU, want)
		}
		if want = 0.25; p.At >= 1500*ms {
			want = 0
		}
		if d := p.GeneratorCPU - want; d < -1e-6 || d > 1e-6 {
			t.Errorf("%v: the generator uses %v cores, want %v", p.At, p.GeneratorCPU, want)
		}
	}
}
