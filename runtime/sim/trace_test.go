package sim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coldstorm/results"
	"coldstorm/workloads"
)

// even is n arrivals at equal distances.
type even struct {
	every, at time.Duration
	n         int
}

func (e *even) Next(buf []time.Duration) int {
	i := 0
	for ; i < len(buf) && e.n > 0; i++ {
		buf[i] = e.at
		e.at += e.every
		e.n--
	}
	return i
}

// chance is a Poisson stream within a span.
type chance struct {
	rng  *rand.Rand
	mean float64
	at   float64
	end  float64
}

func (c *chance) Next(buf []time.Duration) int {
	for i := range buf {
		if c.at += c.mean * c.rng.ExpFloat64(); c.at >= c.end {
			c.at = c.end
			return i
		}
		buf[i] = time.Duration(c.at)
	}
	return len(buf)
}

// lives is a trace whose functions have rates from one an hour to some a second.
func lives(functions int, span time.Duration) TraceConfig {
	return TraceConfig{
		Functions: functions, Span: span, KeepAlive: 10 * time.Minute, Seed: 3, Every: time.Minute,
		Function: func(i int) (Tenant, error) {
			rate := math.Pow(10, float64(i%8)/2) / 3600
			service, err := LogNormal(time.Duration(1+i%100)*10*ms, time.Duration(1+i%100)*100*ms)
			return Tenant{
				Name: fmt.Sprint("f", i), MemoryMB: 64 << (i % 6), Service: service, Init: Exactly(100 * ms),
				Arrivals: &chance{rng: rand.New(rand.NewPCG(uint64(i), 9)), mean: 1e9 / rate, end: float64(span)},
			}, err
		},
	}
}

func mustTrace(t *testing.T, c TraceConfig) TraceOutcome {
	t.Helper()
	o, err := Trace(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if !o.Counts.Accounted() {
		t.Errorf("triggers are lost: %+v", o.Counts)
	}
	return o
}

func TestTraceIsTheSameWhateverItsWorkersAndOrder(t *testing.T) {
	c := lives(200, 3*time.Hour)
	want := mustTrace(t, c)
	if want.Counts.Cold == 0 || want.Counts.Warm == 0 || len(want.Functions) != 200 {
		t.Fatalf("%+v", want.Counts)
	}
	c.Workers = 7
	for i := range c.Functions {
		c.Order = append(c.Order, c.Functions-1-i)
	}
	got := mustTrace(t, c)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Outcome{}, FunctionOutcome{}, Digest{}, ran{}, tally{})); diff != "" {
		t.Errorf("one worker and seven differ:\n%s", diff)
	}
	c.Seed++
	if got := mustTrace(t, c); got.All.Mean == want.All.Mean {
		t.Error("another seed gives the same latencies")
	}
}

// A function of a trace is the storm that Run simulates, on the same plane.
func TestFunctionOfATraceIsAStormOfItsOwn(t *testing.T) {
	one := sample(workloads.ModelLambda)
	one.Profile = Profile{Init: []time.Duration{80 * ms}, Payloads: []Payload{{Service: []time.Duration{100 * ms}}}}
	one.Function.KeepAlive, one.Window = time.Minute, time.Hour
	for i := range 40 {
		one.Arrivals = append(one.Arrivals, time.Duration(i*i)*time.Second)
	}
	storm := mustRun(t, one)
	o := mustTrace(t, TraceConfig{
		Functions: 1, Span: time.Hour, KeepAlive: time.Minute, Timeout: 30 * time.Second, Seed: 1,
		Function: func(int) (Tenant, error) {
			return Tenant{MemoryMB: 1769, Service: Exactly(100 * ms), Init: Exactly(80 * ms), Arrivals: &squares{n: 40}}, nil
		},
	})
	if diff := cmp.Diff(storm.Counts, o.Counts); diff != "" {
		t.Errorf("counts: %s", diff)
	}
	near(t, "GB-s", o.Usage.LambdaGBSeconds, storm.Usage.LambdaGBSeconds, 0.02) // init times are draws
	near(t, "mean environments", o.Mean, storm.Mean, 0.01)
	if o.Latency[results.StartWarm] != storm.Latency[results.StartWarm] {
		t.Errorf("warm: %+v, want %+v", o.Latency[results.StartWarm], storm.Latency[results.StartWarm])
	}
}

// squares arrives after 0, 1, 4, 9 seconds and so on.
type squares struct{ i, n int }

func (s *squares) Next(buf []time.Duration) int {
	if s.i == s.n {
		return 0
	}
	buf[0] = time.Duration(s.i*s.i) * time.Second
	s.i++
	return 1
}

func TestTimelineOfATraceSumsItsFunctions(t *testing.T) {
	c := lives(50, 2*time.Hour)
	o := mustTrace(t, c)
	var sum results.TimelinePoint
	for i, p := range o.Timeline {
		count(&sum, &p)
		if p.At != time.Duration(i)*time.Minute || p.Every != time.Minute || p.InFlight != p.Busy+p.Starting {
			t.Fatalf("interval %d: %+v", i, p)
		}
	}
	if len(o.Timeline) != 120 || sum.Offered != o.Counts.Offered || sum.Completed != o.Counts.Served || sum.Cold != o.Counts.Cold {
		t.Errorf("%d intervals, %+v, want 120 and %+v", len(o.Timeline), sum, o.Counts)
	}
	sampled, alive := 0.0, 0.0
	for _, p := range o.Timeline {
		sampled += float64(p.Starting + p.Idle + p.Busy)
	}
	for _, f := range o.Functions {
		alive += f.Alive
	}
	near(t, "mean environments", sampled/120, alive/7200, 0.05)
}

func TestTenantsDoNotShareAnAccountsQuota(t *testing.T) {
	c := TraceConfig{
		Functions: 3, Span: time.Minute, KeepAlive: time.Minute, Workers: 2,
		Function: func(int) (Tenant, error) {
			return Tenant{Service: Exactly(time.Second), Arrivals: &even{n: 900}}, nil
		},
	}
	if o := mustTrace(t, c); o.Counts.Cold != 2700 {
		t.Errorf("%+v, want 2,700 cold starts at once", o.Counts)
	}
	c.Concurrency = 100
	if o := mustTrace(t, c); o.Counts.Cold != 300 || o.Counts.Reasons["ReservedFunctionConcurrentInvocationLimitExceeded"] != 2400 || o.Functions[1].Refused != 800 {
		t.Errorf("%+v, want 100 of each function", o.Counts)
	}
}

// What a trace holds in memory follows from its functions, not from how often
// they are invoked.
func TestFunctionTakesSomeHundredBytesHoweverOftenItRuns(t *testing.T) {
	bytes := func(n int) int {
		service, err := LogNormal(100*ms, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		o := mustTrace(t, TraceConfig{
			Functions: 1, Span: 10 * time.Hour, KeepAlive: time.Minute,
			Function: func(int) (Tenant, error) {
				return Tenant{Service: service, Arrivals: &even{n: n, every: 10 * time.Hour / time.Duration(n)}}, nil
			},
		})
		return o.Functions[0].Bytes()
	}
	few, many := bytes(1000), bytes(500_000)
	if few > 1000 || many > 2000 {
		t.Errorf("%d bytes after 1,000 invocations, %d after 500,000", few, many)
	}
}

func TestMachineKeepsNoMoreThanWhatIsAliveAtATime(t *testing.T) {
	c := lives(1, time.Hour)
	c.KeepAlive, c.Workers = 0, 1 // every start is cold
	c.Function = func(int) (Tenant, error) {
		return Tenant{Service: Exactly(10 * ms), Arrivals: &even{n: 100_000, every: 20 * ms}}, nil
	}
	r := newReplay(context.Background(), c)
	if err := r.all(); err != nil {
		t.Fatal(err)
	}
	m := &r.workers[0].machine
	if n := r.workers[0].counts.Cold; n != 100_000 || len(m.units) > 200 || len(m.triggers.ring) > 1024 {
		t.Errorf("after %d cold starts there is room for %d environments and %d triggers", n, len(m.units), len(m.triggers.ring))
	}
}

func TestTraceThatIsInterruptedKeepsWhatItHas(t *testing.T) {
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	c := lives(400, 24*time.Hour)
	var functions, triggers atomic.Int64
	c.Progress = func(tr, f int) {
		triggers.Add(int64(tr))
		if functions.Add(int64(f)) == 10 {
			cancel(stop)
		}
	}
	o, err := Trace(ctx, c)
	if !errors.Is(err, stop) || len(o.Functions) != 10 || !o.Counts.Accounted() || int64(o.Counts.Offered) != triggers.Load() {
		t.Errorf("%v with %d functions and %+v, want 10 of them and %d triggers", err, len(o.Functions), o.Counts, triggers.Load())
	}
}

func TestTraceRefuses(t *testing.T) {
	broken := errors.New("no such function")
	for name, change := range map[string]func(*TraceConfig){
		"no functions":    func(c *TraceConfig) { c.Functions = 0 },
		"no span":         func(c *TraceConfig) { c.Span = 0 },
		"another model":   func(c *TraceConfig) { c.Model = workloads.ModelEC2 },
		"a short order":   func(c *TraceConfig) { c.Order = []int{1} },
		"a broken source": func(c *TraceConfig) { c.Function = func(int) (Tenant, error) { return Tenant{}, broken } },
		"time that steps back": func(c *TraceConfig) {
			c.Function = func(int) (Tenant, error) {
				return Tenant{Arrivals: &even{n: 5, at: time.Minute, every: -time.Second}}, nil
			}
		},
	} {
		c := lives(5, time.Hour)
		change(&c)
		if _, err := Trace(context.Background(), c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestStreamIsTheSameAsAListOfItsTimes(t *testing.T) {
	c := sample(workloads.ModelLambda)
	for i := range 1000 {
		c.Arrivals = append(c.Arrivals, time.Duration(i)*3*ms)
	}
	want := mustRun(t, c)
	c.Arrivals, c.Stream = nil, &even{n: 1000, every: 3 * ms}
	if diff := cmp.Diff(want, mustRun(t, c), cmp.AllowUnexported(Outcome{}, tally{})); diff != "" {
		t.Error(diff)
	}
	if n := want.Histogram(results.StartCold).TotalCount(); n != int64(want.Counts.Cold) || want.Histogram(results.StartRestored) != nil {
		t.Errorf("a histogram of %d cold starts, want %d", n, want.Counts.Cold)
	}
}

func TestEachAnswerIsTold(t *testing.T) {
	c := sample(workloads.ModelLambda)
	c.Function.Concurrency, c.Function.Timeout = 20, 250*ms
	c.Profile.Payloads = append(c.Profile.Payloads, Payload{Service: []time.Duration{time.Second}, CPU: []time.Duration{0}})
	for i := range 200 {
		c.Arrivals = append(c.Arrivals, time.Duration(i)*3*ms)
	}
	var got results.Counts
	seen := map[int]bool{}
	var longest time.Duration
	c.Each = func(a Answer) {
		got.Offered++
		seen[a.Seq] = true
		if a.At != c.Arrivals[a.Seq] || a.Latency < a.Service+a.Init {
			t.Errorf("trigger %d: %+v", a.Seq, a)
		}
		switch a.Outcome {
		case results.OutcomeServed:
			got.Served++
			longest = max(longest, a.Latency)
		case results.OutcomeTimedOut:
			got.TimedOut++
		case results.OutcomeThrottled:
			got.Throttled++
			if a.Start != "" {
				t.Errorf("a throttled trigger had a start: %+v", a)
			}
		}
	}
	o := mustRun(t, c)
	if got.Served != o.Counts.Served || got.TimedOut != o.Counts.TimedOut || got.Throttled != o.Counts.Throttled || len(seen) != 200 || got.TimedOut*got.Throttled == 0 {
		t.Errorf("told of %+v, want %+v", got, o.Counts)
	}
	near(t, "longest latency", float64(longest), float64(o.All.Max), 0.001)
}

func TestTimesHaveTheirPercentiles(t *testing.T) {
	ps := []Percentile{{0, ms}, {0.25, 10 * ms}, {0.5, 50 * ms}, {0.99, 900 * ms}, {1, 2 * time.Second}}
	times, err := Percentiles(ps)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	const n = 400_000
	var below [5]int
	sum := 0.0
	for range n {
		d := time.Duration(times.d.draw(r))
		sum += float64(d)
		for i, p := range ps {
			if d <= p.Value {
				below[i]++
			}
		}
	}
	for i, p := range ps[1:] {
		if got := float64(below[i+1]) / n; math.Abs(got-p.Q) > 0.004 {
			t.Errorf("%.4f of the draws are up to p%g", got, 100*p.Q)
		}
	}
	near(t, "mean", float64(times.Mean()), sum/n, 0.01)
	for _, bad := range [][]Percentile{nil, {{-1, 0}}, {{0, 5}, {1, 4}}, {{0.5, 1}, {0.5, 2}}, {{0, -1}}} {
		if _, err := Percentiles(bad); err == nil {
			t.Errorf("%v is a distribution", bad)
		}
	}
}

func TestSamplesStandForTheirDistribution(t *testing.T) {
	logNormal, err := LogNormal(100*ms, 300*ms)
	if err != nil {
		t.Fatal(err)
	}
	percentiles, err := Percentiles([]Percentile{{0, 0}, {0.5, 10 * ms}, {1, time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	for name, times := range map[string]Times{"log-normal": logNormal, "exponential": Exponential(50 * ms), "constant": Exactly(ms), "percentiles": percentiles} {
		samples := nanoseconds(times.Samples(5000))
		near(t, name, averageOf(samples), float64(times.Mean()), 0.01)
	}
	near(t, "p99", float64(logNormal.Samples(10_000)[9900]), float64(300*ms), 0.01)
}

func TestDigestIsWithinItsError(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 8))
	var all tally
	d := logNormal("", 100*ms, 2*time.Second)
	for range 100_000 {
		all.add(d.draw(r))
	}
	digest, full := all.digest(), all.histogram()
	if digest.N != 100_000 || digest.Bytes() > 1500 {
		t.Errorf("%d values in %d bytes", digest.N, digest.Bytes())
	}
	for _, q := range []float64{0.001, 0.5, 0.9, 0.99, 0.9999, 1} {
		near(t, fmt.Sprint("quantile ", q), float64(digest.Quantile(q)), float64(full.ValueAtQuantile(100*q)), 0.02)
	}
	if (Digest{}).Quantile(0.5) != 0 {
		t.Error("an empty digest has a median")
	}
}
