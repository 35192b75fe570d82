package record

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"

	"coldstorm/results"
)

// reopen gives the samples that a shard yields.
func reopen(t *testing.T, h *shard) []results.Sample {
	t.Helper()
	var all []results.Sample
	if _, err := h.samples(func(s results.Sample) bool { all = append(all, s); return true }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAnySampleUnpacksAsItWas(t *testing.T) {
	var h shard
	var want []results.Sample
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"", "a", "b", "a long reason, with \x00 and \"quotes\""}
	err := quick.Check(func(s results.Sample, some uint8) bool {
		// Words that repeat, and values that are missing, as in what is measured.
		s.Outcome, s.Start = results.Outcomes[r.IntN(len(results.Outcomes))], starts[r.IntN(len(starts))]
		s.Series, s.Mode = words[r.IntN(4)], words[r.IntN(4)]
		if some&1 != 0 {
			s.Moments = results.Moments{}
		}
		if some&2 != 0 {
			s.Evidence = results.Evidence{Start: s.Start}
		}
		if some&4 != 0 {
			s.Sent, s.Done, s.Phases = 0, 0, results.Phases{}
		}
		if some&16 != 0 {
			s.Way = results.Way{}
		}
		if some&8 != 0 {
			s.Outcome, s.Start = "vanished", "lukewarm"
		}
		want = append(want, s)
		h.add(&s, DefaultMemory, "")
		return true
	}, &quick.Config{MaxCount: 5000, Rand: nil})
	if err != nil {
		t.Fatal(err)
	}
	if got := reopen(t, &h); !reflect.DeepEqual(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

func TestAPackedSampleFitsBesideAChunk(t *testing.T) {
	if len(results.PhaseNames) > 15 {
		t.Error("the mask of phases has 15 bits")
	}
	worst := results.Sample{Seq: 1 << 63, Intended: -1 << 63, Sent: 1<<63 - 1, Done: -1 << 63, Outcome: "x", Status: -1 << 63, Bytes: -1 << 63}
	worst.Evidence = results.Evidence{Start: "y", Environment: "e", Served: -1 << 63, Cause: "c", Mode: "m", Received: 1<<63 - 1, Responded: -1 << 63, Billed: -1 << 63, MaxMemory: -1 << 63, CPU: -1 << 63}
	worst.Way = results.Way{Publish: -1 << 63, Poll: 1<<63 - 1, Invoke: -1 << 63, Handler: 1<<63 - 1, Attempts: -1 << 63}
	for _, p := range results.PhaseNames {
		worst.Phases.Set(p, -1<<63)
	}
	for i := range worst.Moments {
		worst.Moments[i] = results.Stamp(1<<63-1) * results.Stamp(1-2*(i%2))
	}
	if b := (&packing{}).pack(nil, &worst, &texts{}); len(b) > longest {
		t.Errorf("%d bytes, %d at most are expected", len(b), longest)
	}
}

func TestWhatIsBeyondMemoryIsReadBackFromTheFile(t *testing.T) {
	var h shard
	folder := t.TempDir()
	const n = 50_000
	var s results.Sample
	for i := range n {
		s = results.Sample{Seq: uint64(i), Intended: results.Stamp(1 + i*1000), Outcome: results.OutcomeServed, Evidence: results.Evidence{Start: results.StartWarm}}
		h.add(&s, 1, folder)
	}
	memory, file := h.bytes()
	if file == 0 || memory > (writing+2)*chunkBytes {
		t.Errorf("%d bytes in memory, %d in the file", memory, file)
	}
	next := uint64(0)
	for _, s := range reopen(t, &h) {
		if s.Seq != next || s.Intended != results.Stamp(1+next*1000) {
			t.Fatalf("sample %d where %d belongs", s.Seq, next)
		}
		next++
	}
	if next != n {
		t.Errorf("%d of %d samples", next, n)
	}
}

func TestWithoutAFileSamplesStayInMemory(t *testing.T) {
	var h shard
	const n = 20_000
	for i := range n {
		h.add(&results.Sample{Seq: uint64(i), Outcome: results.OutcomeServed, Evidence: results.Evidence{Start: results.StartWarm}}, 1, "/nowhere/at/all")
	}
	if _, file := h.bytes(); file != 0 {
		t.Errorf("%d bytes in a file", file)
	}
	if got := len(reopen(t, &h)); got != n {
		t.Errorf("%d of %d samples", got, n)
	}
}

func TestRecordingAllocatesNothingBeyondItsBuffers(t *testing.T) {
	var r Recorder
	s := results.Sample{
		Series: "storm", Payload: "small", Intended: 1, Sent: 2, Done: 3000, Outcome: results.OutcomeServed, Status: 200,
		Evidence: results.Evidence{Start: results.StartWarm, Environment: "env-1", Served: 3, Phases: results.Phases{Invoke: 900}},
	}
	r.Add(s)
	allocs := testing.AllocsPerRun(20_000, func() { s.Seq++; s.Intended += 1000; r.Add(s) })
	if allocs >= 0.1 { // a buffer per thousand samples
		t.Errorf("%v allocations per sample", allocs)
	}
}

func BenchmarkAdd(b *testing.B) {
	s := results.Sample{Series: "storm", Intended: 1, Sent: 2, Done: 3000, Outcome: results.OutcomeServed, Status: 200, Evidence: results.Evidence{Start: results.StartUnknown}}
	r := Recorder{Folder: b.TempDir()}
	b.ReportAllocs()
	for b.Loop() {
		s.Seq++
		s.Intended += 1000
		r.Add(s)
	}
}
