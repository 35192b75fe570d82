package sim

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
	"coldstorm/workloads"
)

func TestDistributionsHaveTheirPercentiles(t *testing.T) {
	for _, test := range []struct {
		d             dist
		p50, p99, avg time.Duration
	}{
		{logNormal("", 25*time.Second, 60*time.Second), 25 * time.Second, 60 * time.Second, 0},
		{exponential("", time.Second), 693 * ms, 4605 * ms, time.Second},
		{uniform("", 350*ms, 600*ms), 475 * ms, 597500 * time.Microsecond, 475 * ms},
		{constant("", time.Second), time.Second, time.Second, time.Second},
		{measured("", []int64{1e9, 2e9, 3e9}), 2 * time.Second, 3 * time.Second, 2 * time.Second},
		{dist{}, 0, 0, 0},
	} {
		r := rand.New(rand.NewPCG(1, 2))
		const n = 200_000
		draws := make([]int64, n)
		sum := 0.0
		for i := range draws {
			draws[i] = test.d.draw(r)
			sum += float64(draws[i])
		}
		slices.Sort(draws)
		about := func(what string, got int64, want time.Duration) {
			if math.Abs(float64(got)-float64(want)) > 0.03*float64(want) {
				t.Errorf("%+v: %s %v, want %v", test.d, what, time.Duration(got), want)
			}
		}
		about("p50", draws[n/2], test.p50)
		about("p99", draws[n*99/100], test.p99)
		about("average", int64(test.d.average()), time.Duration(sum/n))
		if test.avg > 0 {
			about("mean", int64(sum/n), test.avg)
		}
	}
}

func TestPublishedDistributionsAreNamedAndOrdered(t *testing.T) {
	for _, d := range []dist{
		lambdaPlatform, lambdaInit, snapStartRestore, ecsFargateTask, eksFargatePod, ecsEC2Task, eksEC2Pod, karpenterNode, ecsNode, ec2Boot,
	} {
		if d.name == "" || d.average() <= 0 || d.hi < d.lo || d.sigma < 0 {
			t.Errorf("%+v", d)
		}
	}
}

func TestProcessorQuotaStretchesOnlyWhatExceedsIt(t *testing.T) {
	quarter := limit{0.25, 20 * ms} // 5 ms in each 20
	for _, test := range []struct {
		name          string
		l             limit
		cpu, parallel float64 // ms
		want          float64
	}{
		{"no limit", limit{}, 50, 1, 50},
		{"no limit, two threads", limit{}, 50, 2, 25},
		{"more than it can use", limit{2, 20 * ms}, 50, 1, 50},
		{"no work", quarter, 0, 1, 0},
		{"within one period's quota", quarter, 4, 1, 4},
		{"exactly one quota", quarter, 5, 1, 5},
		{"two quotas", quarter, 10, 1, 25},
		{"a part of the third", quarter, 12, 1, 42},
		{"one of two threads", limit{1, 20 * ms}, 100, 2, 90}, // 4 periods and the last 20 ms on two cores
	} {
		if got := test.l.wall(test.cpu*1e6, test.parallel) / 1e6; math.Abs(got-test.want) > 1e-6 {
			t.Errorf("%s: %g ms, want %g", test.name, got, test.want)
		}
	}
}

func TestServiceTimesAreScaledInTheirProcessorPart(t *testing.T) {
	wall, cpu := []time.Duration{100 * ms}, []time.Duration{40 * ms}
	full, half := limit{1, 20 * ms}, limit{0.5, 20 * ms}
	for _, test := range []struct {
		name     string
		cpu      []time.Duration
		from, to limit
		factor   float64
		want     time.Duration
	}{
		{"same limit", cpu, full, full, 1, 100 * ms},
		{"half the processor", cpu, full, half, 1, 130 * ms}, // 40 ms in 4 periods of 10: 70 ms
		{"slower processor", cpu, full, full, 2, 140 * ms},
		{"all is processor time when it is not known", nil, full, full, 2, 200 * ms},
		{"and no more than the limit allowed", nil, half, full, 1, 60 * ms}, // 50 ms of it took 90
		{"as measured, though the limit did not bind", []time.Duration{90 * ms}, half, half, 1, 100 * ms},
		{"there and back", []time.Duration{40 * ms}, half, half, 1, 100 * ms},
	} {
		got := rescale(wall, test.cpu, test.from, test.to, test.factor)
		if time.Duration(got[0]) != test.want {
			t.Errorf("%s: %v, want %v", test.name, time.Duration(got[0]), test.want)
		}
	}
}

func TestFargateSizesAreRoundedUp(t *testing.T) {
	for _, test := range []struct {
		vcpu, mb float64
		want     size
	}{
		{0.07, 128, size{0.25, 0.5}},
		{0.25, 600, size{0.25, 1}},
		{0.25, 1100, size{0.25, 2}},
		{0.25, 2049, size{0.5, 3}},
		{0.29, 512, size{0.5, 1}},
		{1, 1769, size{1, 2}},
		{1, 2100, size{1, 3}},
		{2, 3538, size{2, 4}},
		{5.8, 10240, size{8, 16}},
		{8, 17 * 1024, size{8, 20}},
	} {
		if got, ok := fargateSize(test.vcpu, test.mb); !ok || got != test.want {
			t.Errorf("%g vCPU and %g MB are %v, want %v", test.vcpu, test.mb, got, test.want)
		}
	}
	if s, ok := fargateSize(1, 200*1024); ok {
		t.Errorf("200 GB fit into %v", s)
	}
}

func TestInstanceIsTheSmallestThatHoldsAUnit(t *testing.T) {
	for _, test := range []struct {
		name, arch string
		unit       size
		want       string // empty: an error
	}{
		{"", "x86_64", size{1, 1.73}, "c7i.large"},
		{"", "arm64", size{1, 1.73}, "c7g.large"},
		{"", "x86_64", size{0.25, 5}, "c7i.xlarge"},
		{"m7i.large", "x86_64", size{1, 5}, "m7i.large"},
		{"c7i.large", "x86_64", size{1, 5}, ""},
		{"c7i.large", "arm64", size{1, 1}, ""},
		{"z9.large", "x86_64", size{1, 1}, ""},
		{"", "x86_64", size{64, 1}, ""},
	} {
		got, err := instanceFor(test.name, test.arch, test.unit)
		if got.name != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%q for %v on %s: %q, %v, want %q", test.name, test.unit, test.arch, got.name, err, test.want)
		}
	}
}

func TestOffered(t *testing.T) {
	for _, test := range []struct {
		model         workloads.Model
		runtime, arch string
		memory        int
		want          bool
	}{
		{workloads.ModelLambdaSnapStart, "provided.al2023", "x86_64", 512, false},
		{workloads.ModelLambdaSnapStart, "", "x86_64", 512, false},
		{workloads.ModelLambdaSnapStart, workloads.RuntimeImage, "x86_64", 512, false},
		{workloads.ModelLambdaSnapStart, "java21", "x86_64", 512, true},
		{workloads.ModelLambdaSnapStart, "java8.al2", "x86_64", 512, false},
		{workloads.ModelLambdaSnapStart, "python3.11", "x86_64", 512, false},
		{workloads.ModelLambdaSnapStart, "python3.13", "arm64", 512, true},
		{workloads.ModelLambdaSnapStart, "dotnet6", "x86_64", 512, false},
		{workloads.ModelLambdaSnapStart, "dotnet8", "x86_64", 512, true},
		{workloads.ModelLambdaSnapStart, "nodejs22.x", "x86_64", 512, false},
		{workloads.ModelEKSFargate, "", "arm64", 512, false},
		{workloads.ModelEKSFargate, "", "x86_64", 512, true},
		{workloads.ModelECSFargate, "", "arm64", 512, true},
		{workloads.ModelLambda, "", "", 64, false},
		{workloads.ModelLambda, "", "", 10240, true},
	} {
		ok, why := Offered(test.model, workloads.Function{Runtime: test.runtime, Architecture: test.arch, MemoryMB: test.memory})
		if ok != test.want || ok != (why == "") {
			t.Errorf("%s of %s %s, %d MB: %v, %q", test.model, test.runtime, test.arch, test.memory, ok, why)
		}
	}
}

func TestEveryModelSaysWhatItLeavesOut(t *testing.T) {
	general := len(Notes(""))
	for _, m := range workloads.AllModels {
		if len(Notes(m)) <= general {
			t.Errorf("%s has no notes of its own", m)
		}
	}
}

func TestTimelineKeepsEveryCountWhateverItsLength(t *testing.T) {
	for _, seconds := range []int{1, 5, 13, 100, 777, 86400} {
		l := newTimeline()
		p := plane.NewLambda(plane.LambdaRules{})
		want := 0
		for at := int64(0); at < int64(seconds)*1e9; at += int64(seconds) * 1e6 {
			if at >= l.mark {
				l.reach(at, want, p)
			}
			l.offered()
			want++
		}
		points := l.finish(0, p)
		got := 0
		for i, pt := range points {
			got += pt.Offered
			if pt.Every != points[0].Every || pt.At != time.Duration(i)*pt.Every {
				t.Errorf("over %d s: point %d is at %v every %v", seconds, i, pt.At, pt.Every)
			}
		}
		if got != want || len(points) > mostPoints+1 {
			t.Errorf("over %d s: %d points with %d triggers, want %d", seconds, len(points), got, want)
		}
	}
}

func TestFidelityIsSimOverLive(t *testing.T) {
	live := results.Series{
		Counts:  results.Counts{Cold: 10},
		Latency: map[results.Start]results.Quantiles{results.StartCold: {N: 10, P50: 100 * ms, P90: 200 * ms}},
	}
	o := Outcome{Model: "lambda", Counts: results.Counts{Cold: 12}, Latency: map[results.Start]results.Quantiles{results.StartCold: {N: 12, P50: 90 * ms, P90: 300 * ms}}}
	got := map[string]float64{}
	for _, f := range Fidelity("burst", live, o) {
		got[f.Metric] = f.Error
	}
	if math.Abs(got["cold_starts"]-0.2) > 1e-9 || math.Abs(got["cold_p50"]+0.1) > 1e-9 || math.Abs(got["cold_p90"]-0.5) > 1e-9 || len(got) != 4 {
		t.Errorf("%v", got)
	}
}

// grown is a timeline of so many environments at the ends of intervals.
func grown(every time.Duration, counts ...int) []results.TimelinePoint {
	var line []results.TimelinePoint
	for i, n := range counts {
		line = append(line, results.TimelinePoint{At: time.Duration(i) * every, Every: every, Idle: n - n/2, Busy: n / 2})
	}
	return line
}

func TestEnvironmentsAreHeldAgainstEachOtherOverTime(t *testing.T) {
	unknown := grown(ms, 5, 5)
	unknown[1].Starting = -1
	for _, test := range []struct {
		name         string
		live, sim    []results.TimelinePoint
		l, s, off    float64
		incomparable bool
	}{
		{"the same", grown(ms, 4, 8, 8), grown(ms, 4, 8, 8), 6, 6, 0, false}, // 4, then from 4 to 8, then 8
		{"the same in other intervals", grown(2*ms, 10, 10), grown(ms, 10, 10, 10, 10), 10, 10, 0, false},
		{"half as many", grown(ms, 10, 10), grown(ms, 5, 5), 10, 5, 0.5, false},
		{"now more, now fewer", grown(ms, 10, 10, 10, 10), grown(ms, 12, 12, 8, 8), 10, 10.5, 0.175, false},
		{"one lasts longer", grown(ms, 10, 10), grown(ms, 10, 10, 0, 0), 10, 10, 0, false},
		{"not known", unknown, grown(ms, 5, 5), 0, 0, 0, true},
		{"none here", grown(ms, 0, 0), grown(ms, 5, 5), 0, 0, 0, true},
		{"no timeline", nil, grown(ms, 5), 0, 0, 0, true},
	} {
		l, s, off, ok := unitsApart(test.live, test.sim)
		if ok == test.incomparable {
			t.Errorf("%s: comparable is %v", test.name, ok)
		}
		if ok && (math.Abs(l-test.l) > 0.05 || math.Abs(s-test.s) > 0.05 || math.Abs(off-test.off) > 0.01) {
			t.Errorf("%s: %.3f and %.3f, %.3f apart, want %.3f and %.3f, %.3f", test.name, l, s, off, test.l, test.s, test.off)
		}
	}
}
