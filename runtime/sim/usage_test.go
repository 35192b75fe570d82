package sim

import (
	"math"
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/workloads"
)

// round is a function whose times are whole: 50 ms of init, 100.2 ms of service,
// none of it processor time.
func round(m workloads.Model) Config {
	c := offered(m)
	c.Function.MemoryMB = 1024
	c.Profile = Profile{
		Init: []time.Duration{50 * ms}, InitCPU: []time.Duration{0},
		Payloads: []Payload{{Service: []time.Duration{100*ms + 200*time.Microsecond}, CPU: []time.Duration{0}}},
	}
	return c
}

func same(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6*math.Max(1, math.Abs(want)) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestLambdaBillsMillisecondsRoundedUpInitIncluded(t *testing.T) {
	c := round(workloads.ModelLambda)
	c.Arrivals = []time.Duration{0, time.Second}
	u := mustRun(t, c).Usage
	same(t, "GB-s", u.LambdaGBSeconds, 0.151+0.101)
	same(t, "init GB-s", u.LambdaInitGBSeconds, 0.050)
	same(t, "requests", float64(u.Requests), 2)
}

func TestThrottledTriggersAreNotBilled(t *testing.T) {
	c := round(workloads.ModelLambda)
	c.Function.Concurrency, c.Arrivals = 1, burst(5)
	same(t, "requests", float64(mustRun(t, c).Usage.Requests), 1)
}

func TestProvisionedCapacityIsBilledInStepsOfFiveMinutes(t *testing.T) {
	c := round(workloads.ModelLambdaProvisioned)
	c.Steady, c.Window, c.Arrivals = 10, 301*time.Second, burst(3) // two provisioned ones
	u := mustRun(t, c).Usage
	same(t, "capacity", u.ProvisionedGBSeconds, 2*600)
	same(t, "duration on it", u.ProvisionedDurationGBSeconds, 2*0.101)
	same(t, "spilled over", u.LambdaGBSeconds, 0.151)
}

func TestProvisionedCapacityKeepsToTheQuota(t *testing.T) {
	c := round(workloads.ModelLambdaProvisioned)
	c.Steady = 1e6
	same(t, "capacity", mustRun(t, c).Usage.ProvisionedGBSeconds, 900*3600)
	c.Function.Concurrency = 7
	same(t, "capacity", mustRun(t, c).Usage.ProvisionedGBSeconds, 7*3600)
}

func TestSnapStartBillsRestoresAndThreeHoursOfCache(t *testing.T) {
	c := round(workloads.ModelLambdaSnapStart)
	c.Arrivals = []time.Duration{0, 10 * time.Second}
	u := mustRun(t, c).Usage
	same(t, "cache", u.SnapshotCacheGBSeconds, 3*3600)
	same(t, "restored", u.RestoredGB, 1)
	same(t, "GB-s", u.LambdaGBSeconds, 0.283+0.101) // ceil(100.2 + 182) ms
	c.Function.Runtime = "java21"
	u = mustRun(t, c).Usage
	same(t, "cache of Java", u.SnapshotCacheGBSeconds, 0)
	same(t, "restored of Java", u.RestoredGB, 0)
}

func TestFargateBillsSecondsRoundedUpAMinuteAtLeast(t *testing.T) {
	hour := &book{end: int64(time.Hour)}
	s := int64(time.Second)
	for _, test := range []struct {
		name     string
		from, to int64
		stopped  bool
		want     float64
	}{
		{"the minimum", 100 * s, 110 * s, true, 60},
		{"rounded up", 100 * s, 200*s + 1, true, 101},
		{"still there", 100 * s, 3600 * s, false, 3500},
	} {
		if got := billed(test.from, test.to, hour, test.stopped); got != test.want {
			t.Errorf("%s: %g s, want %g", test.name, got, test.want)
		}
	}
	part := &book{from: 500 * s, end: 1000 * s}
	same(t, "a span of a longer life", billed(100*s, 700*s+1, part, true), 200.000000001)
}

func TestStandingTasksAreBilledForTheWindow(t *testing.T) {
	c := round(workloads.ModelECSFargate) // 1 GB is 0.58 vCPU: a task of 1 vCPU, 2 GB
	c.Steady = 0
	u := mustRun(t, c).Usage
	same(t, "vCPU-s", u.FargateVCPUSeconds, 3600)
	same(t, "GB-s", u.FargateGBSeconds, 7200)
	same(t, "load balancer", u.LoadBalancerSeconds, 3600)
	same(t, "addresses", u.IPv4Seconds, 7200)
	same(t, "cluster", u.ClusterSeconds, 0)
}

func TestPodOnFargateHas256MBMore(t *testing.T) {
	c := round(workloads.ModelEKSFargate)
	c.Steady, c.Function.MemoryMB = 0, 4000 // 4,256 MB do not fit into 4 GB
	u := mustRun(t, c).Usage
	same(t, "vCPU-s", u.FargateVCPUSeconds, 4*3600) // 2.26 vCPU
	same(t, "GB-s", u.FargateGBSeconds, 8*3600)
	same(t, "cluster", u.ClusterSeconds, 3600)
	c.Function.MemoryMB = 3500 // 1.98 vCPU
	same(t, "GB-s", mustRun(t, c).Usage.FargateGBSeconds, 4*3600)
	c.Function.MemoryMB = 1900 // 1.07 vCPU
	same(t, "GB-s", mustRun(t, c).Usage.FargateGBSeconds, 4*3600)
	c.Function.MemoryMB = 440 // 0.2488 vCPU, 696 MB
	same(t, "GB-s", mustRun(t, c).Usage.FargateGBSeconds, 1*3600)
}

func TestInstancesAreBilledWhetherUsedOrNot(t *testing.T) {
	c := round(workloads.ModelECSEC2)
	c.Function.MemoryMB = 1769
	c.Profile.Payloads[0].CPU = []time.Duration{100 * ms}
	c.Steady = 30 // 3 s of work a second: 5 tasks at 70 %, 3 instances of 2
	u := mustRun(t, c).Usage
	if len(u.Instances) != 1 || u.Instances[0] != (results.InstanceUse{Type: "c7i.large", Seconds: 3 * 3600, Count: 3}) {
		t.Errorf("%+v, want three of c7i.large for an hour", u.Instances)
	}
	same(t, "volumes", u.StorageGBSeconds, 3*3600*volumeGB)
}

func TestLoadBalancerUnitsAreTheLargestDimension(t *testing.T) {
	b := billing{}
	same(t, "connections", b.capacityUnits(1000, 1), 4) // 100 new connections a second
	b.responseBytes = 1e6
	same(t, "bytes", b.capacityUnits(1000, 1), 3600) // 1 GB a second
	same(t, "no time", b.capacityUnits(0, 0), 0)
}

func TestMonthAtASteadyRate(t *testing.T) {
	c := round(workloads.ModelLambda)
	c.Steady, c.Cap = 10, 20_000
	o, err := Steady(c)
	if err != nil {
		t.Fatal(err)
	}
	if o.Usage.Requests != 10*730*3600 || o.Usage.Window != 730*time.Hour {
		t.Errorf("%d requests in %v, want 26,280,000 in 730 h", o.Usage.Requests, o.Usage.Window)
	}
	near(t, "GB-s", o.Usage.LambdaGBSeconds, 26_280_000*0.101, 0.002) // and rare init
	if o.Counts.Offered != 20_000 || !o.Counts.Accounted() {
		t.Errorf("%+v, want 20,000 counted", o.Counts)
	}
	c.Model = workloads.ModelEC2
	c.Profile.Payloads[0].CPU = []time.Duration{100 * ms}
	if o, err = Steady(c); err != nil {
		t.Fatal(err)
	}
	near(t, "instance-s", o.Usage.Instances[0].Seconds, 730*3600, 1e-9) // 1 s of work a second on 2 vCPU
}

// With a mean gap of 600 s and a keep-alive of 600 s, a trigger finds the one
// environment gone when the gap is longer: with probability 1/e.
func TestColdShareOfARareFunction(t *testing.T) {
	c := round(workloads.ModelLambda)
	c.Steady = 1.0 / 600
	o, err := Steady(c)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "cold share", o.Steady(c.Steady).ColdShare, 1/math.E, 0.01)
}

func TestCurveGrowsWithTheRateAndMeetsTheQuota(t *testing.T) {
	c := round(workloads.ModelLambda)
	c.Cap = 20_000
	points, err := Curve(c, []float64{0.1, 10, 1000, 20_000})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range points {
		if i > 0 && (p.Usage.LambdaGBSeconds <= points[i-1].Usage.LambdaGBSeconds || p.Units <= points[i-1].Units) {
			t.Errorf("at %g/s usage and units are not above those of %g/s", p.Rate, points[i-1].Rate)
		}
		if over := p.Rate > 10_000; (p.Refused > 0.1) != over || !over && p.Refused > 0 {
			t.Errorf("at %g/s %.3f are refused", p.Rate, p.Refused)
		}
	}
}

func TestStreamLastsForTenServiceTimes(t *testing.T) {
	c := round(workloads.ModelLambda)
	c.Profile.Payloads[0].Service = []time.Duration{2 * time.Second}
	c.Steady, c.Cap = 1000, 2000 // 2,000 triggers would end before the first answer
	o, err := Steady(c)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "refused share at twice the concurrency limit", o.Refused(), 0.5, 0.02)
}

func TestExceededIsAPoissonQuantile(t *testing.T) {
	for _, test := range []struct {
		a, p float64
		want int
	}{
		{0, 0.5, 0},
		{0.001, 0.5, 0},
		{0.001, 0.0005, 1},
		{1, 0.2642, 2}, // P(N > 1) is 0.26424
		{1, 0.2643, 1},
		{10, 0.05, 15}, // P(N > 15) is 0.0487, P(N > 14) 0.0835
	} {
		if got := exceeded(test.a, test.p); got != test.want {
			t.Errorf("exceeded(%g, %g) is %d, want %d", test.a, test.p, got, test.want)
		}
	}
	if small, large := exceeded(100, 1e-4), exceeded(100.001, 1e-4); large < small || large > small+15 {
		t.Errorf("from %d to %d where the approximation begins", small, large)
	}
}
