package results

import (
	"bytes"
	"encoding/csv"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// some are samples of every kind that a storm leaves.
func some() []Sample {
	const t0 = Stamp(5_000_000_000)
	return []Sample{
		{
			Series: "burst", Seq: 0, Payload: "small", Intended: t0, Sent: t0 + 20, Done: t0 + 1020,
			Outcome: OutcomeServed, Status: 200, Bytes: 5969,
			Evidence: Evidence{
				Environment: "e-1", Start: StartCold, Cause: CauseScaleOut, Mode: "cold",
				Phases: Phases{Queue: 1, Sandbox: 2, Rootfs: 3, RuntimeInit: 4, FunctionInit: 5, Init: 6, Restore: 2, Invoke: 7, Transport: 972},
				Billed: 3 * time.Millisecond, MaxMemory: 40 << 20, CPU: 2500,
				Moments: Moments{MomentAsk: t0 + 21, MomentReceived: t0 + 22, MomentCloned: t0 + 23, MomentRootfs: t0 + 26, MomentExec: t0 + 26, MomentReady: t0 + 41},
			},
		},
		{
			Series: "burst", Seq: 1, Intended: t0 + 5, Sent: t0 + 1, Done: t0 + 900, // sent before it was due
			Outcome: OutcomeServed, Status: 200, Evidence: Evidence{Environment: "e-1", Served: 1, Start: StartWarm},
		},
		{
			Series: "ramp", Seq: 0, Intended: t0 + 7000, Sent: t0 + 7001, Done: t0 + 7500,
			Outcome: OutcomeThrottled, Reason: "ReservedFunctionConcurrentInvocationLimitExceeded", Status: 429, Evidence: Evidence{Start: StartUnknown},
		},
		{
			Series: "ramp", Seq: 2, Intended: t0 + 7100, Sent: t0 + 7100,
			Outcome: OutcomeTimedOut, Reason: `said "no", twice`, Evidence: Evidence{Start: StartUnknown},
		},
		{Series: "ramp", Seq: 1, Intended: t0 + 7050, Done: t0 + 7060, Outcome: OutcomeFailed, Reason: "refused", Evidence: Evidence{Start: StartUnknown}},
		{
			Series: "queue", Seq: 0, Intended: t0 + 9000, Sent: t0 + 9003, Done: t0 + 9900, Outcome: OutcomeServed, Status: 202,
			Way:      Way{Publish: t0 + 9010, Poll: t0 + 9200, Invoke: t0 + 9210, Handler: t0 + 9300, Attempts: 2},
			Evidence: Evidence{Environment: "e-2", Served: 4, Start: StartWarm},
		},
		{ // lost before it was polled
			Series: "queue", Seq: 1, Intended: t0 + 9001, Sent: t0 + 9004, Done: t0 + 9900, Outcome: OutcomeTimedOut, Status: 202,
			Way: Way{Publish: t0 + 9010}, Evidence: Evidence{Start: StartUnknown},
		},
		{Series: "ramp", Seq: 3, Intended: t0 + 7200, Outcome: OutcomeUnsent, Evidence: Evidence{Start: StartUnknown}},
	}
}

// shifted moves the samples of each series so that its first intended send is
// zero, as reading does.
func shifted(samples []Sample) []Sample {
	first := map[string]Stamp{}
	for _, s := range samples {
		if f, ok := first[s.Series]; !ok || s.Intended < f {
			first[s.Series] = s.Intended
		}
	}
	all := slices.Clone(samples)
	for i := range all {
		w := &all[i].Way
		for _, stamp := range []*Stamp{&all[i].Intended, &all[i].Sent, &all[i].Done, &w.Publish, &w.Poll, &w.Invoke, &w.Handler} {
			if *stamp != 0 {
				*stamp += zero - first[all[i].Series]
			}
		}
		for m, stamp := range all[i].Moments {
			if stamp != 0 {
				all[i].Moments[m] += zero - first[all[i].Series]
			}
		}
	}
	return all
}

func TestSamplesReadBack(t *testing.T) {
	var b bytes.Buffer
	if err := WriteSamples(&b, some()); err != nil {
		t.Fatal(err)
	}
	got, err := ReadSamples(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shifted(some()), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for i, s := range some() {
		if s.Latency() != got[i].Latency() || s.Lag() != got[i].Lag() || s.Total() != got[i].Total() {
			t.Errorf("sample %d: latency, lag or total changed", i)
		}
	}
}

func TestSamplesFile(t *testing.T) {
	const golden = "testdata/samples.csv"
	var b bytes.Buffer
	if err := WriteSamples(&b, some()); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestSamplesOfOlderRunsAreRead holds that the table as it was before it had moments,
// before it had restores, and before it had events, is read: all but they are there.
func TestSamplesOfOlderRunsAreRead(t *testing.T) {
	for what, had := range map[string]struct{ moments, restores bool }{"moments": {}, "restores": {true, false}, "events": {true, true}} {
		f, err := os.Open("testdata/samples-before-" + what + ".csv")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got, err := ReadSamples(f)
		want := shifted(some())
		want = slices.DeleteFunc(want, func(s Sample) bool { return s.Series == "queue" })
		for i := range want {
			if !had.restores {
				want[i].Phases.Restore = 0
			}
			if !had.moments {
				want[i].Moments = Moments{}
			}
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("before %s: error %v, -want +got:\n%s", what, err, diff)
		}
	}
}

func TestAMomentWithoutASendIsRefused(t *testing.T) {
	old, err := os.ReadFile("testdata/samples.csv")
	if err != nil {
		t.Fatal(err)
	}
	header, _, _ := strings.Cut(string(old), "\n")
	row := "ramp,3,,200,,,,unsent,,0,0,unknown,,,0,,0,0,0,0,0,0,0,0,0,0,0,7" + strings.Repeat(",", int(moments)-1) + ",0" + strings.Repeat(",", len(wayColumns))
	if _, err := ReadSamples(strings.NewReader(header + "\n" + row + "\n")); err == nil || !strings.Contains(err.Error(), "at_ask_ns: there without lag_ns") {
		t.Errorf("error %v", err)
	}
}

func TestSamplesOfAFolder(t *testing.T) {
	dir := t.TempDir()
	if err := SaveSamples(dir, slices.Values(some())); err != nil {
		t.Fatal(err)
	}
	if got, err := LoadSamples(dir); err != nil || len(got) != len(some()) {
		t.Errorf("%d samples, error %v, want %d", len(got), err, len(some()))
	}
	if err := SaveSamples(dir, slices.Values([]Sample(nil))); err != nil {
		t.Fatal(err)
	}
	if got, err := LoadSamples(dir); err != nil || len(got) != 0 {
		t.Errorf("%d samples, error %v, want none", len(got), err)
	}
}

func TestWordsOfOthersDoNotBreakTheTable(t *testing.T) {
	for _, c := range []struct{ rule, word, want string }{
		{"quotes and commas stay", `a "b", c`, `a "b", c`},
		{"line breaks become spaces", "a\r\nb\n", "a  b "},
		{"what is no text is replaced", "a\xffb", "a\uFFFDb"},
		{"a leading space stays", " a", " a"},
		{"an escape sequence is defused", "\x1b[31mred", " [31mred"},
	} {
		s := some()[:1]
		s[0].Reason, s[0].Environment = c.word, c.word
		var b bytes.Buffer
		if err := WriteSamples(&b, s); err != nil {
			t.Fatal(err)
		}
		got, err := ReadSamples(&b)
		if err != nil || got[0].Reason != c.want || got[0].Environment != c.want {
			t.Errorf("%s: %q, error %v, want %q", c.rule, got[0].Reason, err, c.want)
		}
	}
}

func TestClaimsOfAnEndpointReadBackHoweverOdd(t *testing.T) {
	s := some()[:1]
	s[0].Served, s[0].MaxMemory, s[0].CPU = -1, math.MinInt64, math.MaxInt64
	s[0].Phases.Invoke, s[0].Billed, s[0].Cause = math.MinInt64, math.MaxInt64/1_000_000*1_000_000, "magic"
	s[0].Moments = Moments{MomentAsk: math.MaxInt64, MomentReceived: math.MinInt64, MomentCloned: -1, MomentReady: 1}
	var b bytes.Buffer
	if err := WriteSamples(&b, s); err != nil {
		t.Fatal(err)
	}
	got, err := ReadSamples(&b)
	want := shifted(s)
	want[0].Moments = Moments{MomentReady: want[0].Moments[MomentReady]} // the others are no stamps
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v, -want +got:\n%s", err, diff)
	}
}

func TestABilledPartOfAMillisecondIsAWholeOne(t *testing.T) {
	s := some()[:1]
	s[0].Billed = 2*time.Millisecond + 1
	var b bytes.Buffer
	if err := WriteSamples(&b, s); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadSamples(&b); err != nil || got[0].Billed != 3*time.Millisecond {
		t.Errorf("billed %v, error %v, want 3 ms", got[0].Billed, err)
	}
}

func TestSamplesThatNeverCameDueAreKept(t *testing.T) {
	never := []Sample{{Series: "long", Seq: 7, Outcome: OutcomeUnsent, Evidence: Evidence{Start: StartUnknown}}}
	var b bytes.Buffer
	if err := WriteSamples(&b, never); err != nil {
		t.Fatal(err)
	}
	got, err := ReadSamples(&b)
	if err != nil || len(got) != 1 || got[0] != never[0] {
		t.Errorf("read %+v, error %v, want %+v", got, err, never)
	}
}

func TestWriteSamplesRefusesWhatCannotBeReadBack(t *testing.T) {
	for _, c := range []struct {
		rule, want string
		spoil      func(*Sample)
	}{
		{"never intended", "no intended send", func(s *Sample) { s.Intended = 0 }},
		{"no outcome", `outcome ""`, func(s *Sample) { s.Outcome = "" }},
		{"no start", `start ""`, func(s *Sample) { s.Start = "" }},
	} {
		s := some()
		c.spoil(&s[2])
		var b bytes.Buffer
		if err := WriteSamples(&b, s); err == nil || !strings.Contains(err.Error(), c.want) || b.Len() > 0 {
			t.Errorf("%s: error %v, %d bytes, want %q and none", c.rule, err, b.Len(), c.want)
		}
	}
	if err := WriteSamples(fullWriter{}, some()); !errors.Is(err, errFull) {
		t.Errorf("a writer's error: %v", err)
	}
}

var errFull = errors.New("full")

type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, errFull }

func TestReadSamplesRefuses(t *testing.T) {
	var b bytes.Buffer
	if err := WriteSamples(&b, some()[:1]); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) int { return slices.Index(Columns(), name) }
	for _, c := range []struct {
		rule, want string
		spoil      func(rows [][]string) [][]string
	}{
		{"no header", "no header", func([][]string) [][]string { return nil }},
		{"an unknown column", `unknown column "p99"`, func(r [][]string) [][]string { r[0][3] = "p99"; return r }},
		{"columns in another order", "column 1 is seq, not series", func(r [][]string) [][]string { r[0][0], r[0][1] = r[0][1], r[0][0]; return r }},
		{"a column too few", "no column at_handler_ns", func(r [][]string) [][]string { r[0] = r[0][:len(r[0])-2]; return r }},
		{"a cell too few", "wrong number of fields", func(r [][]string) [][]string { r[1] = r[1][:3]; return r }},
		{"text for a number", `line 2, column bytes: "many" is not a whole number`, set(at("bytes"), "many")},
		{"an offset before the first", "column t_offset_ns: -1 is before", set(at("t_offset_ns"), "-1")},
		{"an offset beyond any run", "column t_offset_ns", set(at("t_offset_ns"), "9000000000000000000")},
		{"no offset", "there without t_offset_ns", set(at("t_offset_ns"), "")},
		{"an unknown outcome", `column outcome: unknown word "lost"`, set(at("outcome"), "lost")},
		{"an unknown start", `column start: unknown word ""`, set(at("start"), "")},
		{"times that disagree", "column latency_ns: 7 is not lag_ns + total_ns, 1020", set(at("latency_ns"), "7")},
		{"a total without a latency", "column latency_ns: empty beside", set(at("latency_ns"), "")},
		{"text for a moment", `column at_cloned_ns: "soon" is not a whole number`, set(at("at_cloned_ns"), "soon")},
		{"a total without a send", "column latency_ns: total_ns and lag_ns", set(at("lag_ns"), "")},
	} {
		spoilt := [][]string{slices.Clone(rows[0]), slices.Clone(rows[1])}
		var b bytes.Buffer
		if err := csv.NewWriter(&b).WriteAll(c.spoil(spoilt)); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSamples(&b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.rule, err, c.want)
		}
	}
}

func set(column int, cell string) func([][]string) [][]string {
	return func(rows [][]string) [][]string { rows[1][column] = cell; return rows }
}

func TestRandomSamplesReadBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var samples []Sample
	for i := range 2000 {
		s := some()[r.IntN(len(some()))]
		s.Seq, s.Intended = uint64(i), Stamp(1+r.Int64N(1e12))
		if s.Sent != 0 {
			s.Sent = s.Intended.Add(time.Duration(r.Int64N(1e9)))
		}
		if s.Done != 0 {
			s.Done = max(s.Sent, s.Intended).Add(time.Duration(r.Int64N(1e11)))
		}
		s.Phases.Invoke = time.Duration(r.Int64())
		samples = append(samples, s)
	}
	var b bytes.Buffer
	if err := WriteSamples(&b, samples); err != nil {
		t.Fatal(err)
	}
	got, err := ReadSamples(&b)
	if diff := cmp.Diff(shifted(samples), got); err != nil || diff != "" {
		t.Errorf("error %v, -want +got:\n%s", err, diff)
	}
}

// FuzzReadSamples holds that reading never panics, and that what it accepts
// writes and reads back to the same.
func FuzzReadSamples(f *testing.F) {
	golden, err := os.ReadFile("testdata/samples.csv")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	if older, err := os.ReadFile("testdata/samples-before-moments.csv"); err == nil {
		f.Add(older)
	}
	f.Add([]byte(strings.Join(Columns(), ",") + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		samples, err := ReadSamples(bytes.NewReader(b))
		if err != nil {
			return
		}
		var once, twice bytes.Buffer
		if err := WriteSamples(&once, samples); err != nil {
			t.Fatalf("what was read can't be written: %v", err)
		}
		again, err := ReadSamples(bytes.NewReader(once.Bytes()))
		if err != nil {
			t.Fatalf("what was written can't be read: %v\n%s", err, once.Bytes())
		}
		if err := WriteSamples(&twice, again); err != nil {
			t.Fatal(err)
		}
		if once.String() != twice.String() {
			t.Errorf("not stable:\n%s\n%s", once.String(), twice.String())
		}
	})
}

func BenchmarkWriteSamples(b *testing.B) {
	samples := make100k()
	for b.Loop() {
		if err := WriteSamples(&bytes.Buffer{}, samples); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTheWayOfAnEventAddsUpToItsLatency(t *testing.T) {
	for _, s := range some() {
		spans := s.WaySpans()
		if want := s.Way.Handler != 0; (spans != nil) != want {
			t.Errorf("%s %d: parts %v", s.Series, s.Seq, spans)
			continue
		}
		var sum time.Duration
		for _, d := range spans {
			sum += d
		}
		if spans != nil && (len(spans) != len(WayNames) || sum != s.Latency()) {
			t.Errorf("%s %d: parts %v add up to %v, and its latency is %v", s.Series, s.Seq, spans, sum, s.Latency())
		}
	}
}
