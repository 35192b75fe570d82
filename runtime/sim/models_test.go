package sim

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/workloads"
)

// offered is sample for a runtime that every model takes.
func offered(m workloads.Model) Config {
	c := sample(m)
	c.Function.Runtime = "python3.13"
	return c
}

func TestEveryModelAccountsForEveryTriggerAndRepeatsItself(t *testing.T) {
	for _, model := range workloads.AllModels {
		for seed := range uint64(6) {
			r := rand.New(rand.NewPCG(seed, 5))
			c := offered(model)
			c.Seed = int64(seed)
			c.Function.MemoryMB = []int{128, 512, 1769, 3008}[r.IntN(4)]
			c.Function.KeepAlive = []time.Duration{0, time.Second, time.Minute}[r.IntN(3)]
			c.Function.Concurrency = []int{0, 10}[r.IntN(2)]
			c.Steady = []float64{0, 5, 100}[r.IntN(3)]
			for range 50 + r.IntN(3000) {
				c.Arrivals = append(c.Arrivals, time.Duration(r.Int64N(int64(5*time.Minute))))
			}
			o := mustRun(t, c)
			if o.Counts.Offered != len(c.Arrivals) {
				t.Errorf("%s: %d triggers offered, want %d", model, o.Counts.Offered, len(c.Arrivals))
			}
			inTime := 0
			for _, p := range o.Timeline {
				inTime += p.Completed + p.Throttled + p.Errors
			}
			if inTime != o.Counts.Offered {
				t.Errorf("%s: %d of %d triggers are in the timeline", model, inTime, o.Counts.Offered)
			}
			if again := mustRun(t, c); !reflect.DeepEqual(o, again) {
				t.Errorf("%s: a second run of seed %d differs", model, seed)
			}
		}
	}
}

func TestStormWithoutTriggersUsesStandingCapacityAlone(t *testing.T) {
	for _, model := range workloads.AllModels {
		o := mustRun(t, offered(model))
		if o.Counts.Offered != 0 || o.Usage.Window != time.Hour || o.Usage.LambdaGBSeconds != 0 {
			t.Errorf("%s: %+v, %+v", model, o.Counts, o.Usage)
		}
	}
}

func TestWarmEnvironmentsTakeTheFirstTriggers(t *testing.T) {
	c := sample(workloads.ModelLambda)
	c.Warm, c.Arrivals = 30, burst(100)
	o := mustRun(t, c)
	if o.Counts.Warm != 30 || o.Counts.Cold != 70 {
		t.Errorf("%+v, want 30 warm and 70 cold", o.Counts)
	}
}

func TestFunctionOverItsTimeoutLosesItsEnvironment(t *testing.T) {
	c := sample(workloads.ModelLambda)
	c.Function.Timeout = 50 * ms
	c.Arrivals = []time.Duration{0, time.Second}
	o := mustRun(t, c)
	if o.Counts.TimedOut != 2 || o.Counts.Reasons["FunctionTimeout"] != 2 || o.Counts.Causes[results.CauseCrashed] != 1 {
		t.Errorf("%+v, want 2 timed out, the second after a crash", o.Counts)
	}
	if o.Usage.Requests != 2 || o.Usage.LambdaGBSeconds == 0 {
		t.Errorf("timed-out invocations are not billed: %+v", o.Usage)
	}
}

func TestAnswerAfterTheLoadBalancersTimeoutIsATimeout(t *testing.T) {
	c := sample(workloads.ModelEC2)
	c.Profile.Payloads[0] = Payload{Service: []time.Duration{61 * time.Second}, CPU: []time.Duration{ms}}
	c.Arrivals = burst(3)
	o := mustRun(t, c)
	if o.Counts.TimedOut != 3 || o.Counts.Reasons["GatewayTimeout"] != 3 {
		t.Errorf("%+v, want 3 timeouts", o.Counts)
	}
}

func TestFleetGrowsUnderAStormAndShrinksAfterIt(t *testing.T) {
	for _, model := range []workloads.Model{
		workloads.ModelECSFargate, workloads.ModelEKSFargate, workloads.ModelECSEC2, workloads.ModelEKSEC2, workloads.ModelEC2,
	} {
		c := offered(model)
		c.Window = 3 * time.Hour
		for at := time.Duration(0); at < 30*time.Minute; at += 20 * ms { // 50/s onto a fleet for 10/s
			c.Arrivals = append(c.Arrivals, at)
		}
		o := mustRun(t, c)
		if o.Peak < 2 {
			t.Errorf("%s: %d units at most", model, o.Peak)
		}
		// Had all of them stayed for the window, the mean would be near the peak.
		if o.Mean-1 > 0.5*float64(o.Peak-1) {
			t.Errorf("%s: %.2f units on average of %d at most: it did not shrink", model, o.Mean, o.Peak)
		}
		if o.Counts.Cold > 0 {
			t.Errorf("%s: %d cold starts; a trigger never waits for a unit there", model, o.Counts.Cold)
		}
	}
}

func TestECSNeedsMinutesAndKubernetesSeconds(t *testing.T) {
	grown := func(model workloads.Model) time.Duration {
		c := offered(model)
		for at := time.Duration(0); at < 15*time.Minute; at += 10 * ms {
			c.Arrivals = append(c.Arrivals, at)
		}
		for _, p := range mustRun(t, c).Timeline {
			if p.Starting+p.Idle+p.Busy > 1 {
				return p.At + p.Every
			}
		}
		return time.Hour
	}
	// AWS measured 363 s from load to trigger; a timeline's interval is 12.8 s.
	if got := grown(workloads.ModelECSFargate); got < 360*time.Second || got > 375*time.Second {
		t.Errorf("ECS starts a second task after %v, want about 363 s", got)
	}
	if got := grown(workloads.ModelEKSEC2); got > time.Minute {
		t.Errorf("Kubernetes has a second pod after %v, want less than a minute", got)
	}
}

func TestUnitSizeIsInWords(t *testing.T) {
	for model, want := range map[workloads.Model]string{
		workloads.ModelLambda:            "environment of 1769 MB (1.00 vCPU), 1 request at once; up to 1000 at once",
		workloads.ModelLambdaProvisioned: "2 provisioned",
		workloads.ModelECSFargate:        "task of 1 vCPU, 2 GB, 2 requests at once; 1..200 tasks",
		workloads.ModelEKSFargate:        "pod of 1 vCPU, 2 GB",
		workloads.ModelECSEC2:            "2 on a c7i.large",
		workloads.ModelEC2:               "process on a c7i.large (2 vCPU, 4 GB), 4 requests at once; 1..200 instances",
	} {
		if o := mustRun(t, offered(model)); !strings.Contains(o.Config, want) {
			t.Errorf("%s: %q, want %q in it", model, o.Config, want)
		}
	}
}

func TestConfigurationsThatCannotBeSimulated(t *testing.T) {
	for _, test := range []struct {
		name, want string
		change     func(*Config)
	}{
		{"not offered", "not offered", func(c *Config) { c.Model, c.Function.Runtime = workloads.ModelLambdaSnapStart, "go1.x" }},
		{"unknown model", "not known", func(c *Config) { c.Model = "mainframe" }},
		{"no init", "no init times", func(c *Config) { c.Profile.Init = nil }},
		{"no payload", "no payloads", func(c *Config) { c.Profile.Payloads = nil }},
		{"no service", "no service times", func(c *Config) { c.Profile.Payloads[0].Service = nil }},
		{"before the start", "before the storm's start", func(c *Config) { c.Arrivals = []time.Duration{-1} }},
		{"no memory", "memory of 0 MB", func(c *Config) { c.Model, c.Function.MemoryMB = workloads.ModelEC2, 0 }},
		{"too small an instance", "does not hold", func(c *Config) {
			c.Model, c.Instance, c.Function.MemoryMB = workloads.ModelEC2, "c7i.large", 5000
		}},
	} {
		c := sample(workloads.ModelLambda)
		test.change(&c)
		if _, err := Run(c); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q in it", test.name, err, test.want)
		}
	}
	c := sample(workloads.ModelLambda)
	for _, rate := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		c.Steady = rate
		if _, err := Steady(c); err == nil {
			t.Errorf("a steady rate of %v is taken", rate)
		}
	}
}

func TestHostContentionSlowsABurstDown(t *testing.T) {
	p := sample("").Profile
	p.Launch = []time.Duration{10 * ms}
	c := HostConfig{Profile: p, Arrivals: burst(40), Overhead: []time.Duration{ms}}
	c.Rules.KeepAlive = time.Minute
	run := func(cores float64) Outcome {
		c.Cores = cores
		o, err := Host(c)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	free, two := run(0), run(2)
	if free.Counts.Cold != 40 || two.Counts.Cold != 40 {
		t.Fatalf("%d and %d cold starts, want 40", free.Counts.Cold, two.Counts.Cold)
	}
	// 10 ms launch + 50 init + 100 service + 1 overhead.
	if d := free.All.P50; d < 145*ms || d > 177*ms {
		t.Errorf("p50 without contention is %v, want about 161 ms", d)
	}
	// 40 x (10 + 50 + 50 ms) of work on two cores take 2.2 s.
	if d := two.All.Max; d < 2100*ms || d > 2400*ms {
		t.Errorf("the last of 40 on two cores is answered after %v, want about 2.25 s", d)
	}
}

// Live holds a slot from launch to exec, not during init: with 4 slots on 2
// cores and launches as long as all else together, environments come two at a
// time, and the storm's latencies spread evenly over its length instead of all
// being near its end.
func TestLaunchSlotsLetEarlyEnvironmentsFinishEarly(t *testing.T) {
	p := Profile{
		Init: []time.Duration{10 * ms}, Launch: []time.Duration{50 * ms},
		Payloads: []Payload{{Service: []time.Duration{40 * ms}}},
	}
	c := HostConfig{Profile: p, Arrivals: burst(400), Cores: 2}
	c.Rules.KeepAlive = time.Minute
	for _, test := range []struct {
		name     string
		launches int
		low, top time.Duration // of the median, where all work is done after 20 s
	}{
		{"as many as cores can use twice", 0, 9500 * ms, 10500 * ms},
		{"four are the default", 4, 9500 * ms, 10500 * ms},
		{"one after another", 1, 10 * time.Second, 11 * time.Second},
		{"no bound", -1, 19900 * ms, 20100 * ms},
	} {
		c.Launches = test.launches
		o, err := Host(c)
		if err != nil {
			t.Fatal(err)
		}
		if o.Counts.Cold != 400 || o.Peak != 400 {
			t.Errorf("%s: %+v, peak %d, want 400 cold starts", test.name, o.Counts, o.Peak)
		}
		if d := o.All.P50; d < test.low || d > test.top {
			t.Errorf("%s: the median is %v, want %v to %v", test.name, d, test.low, test.top)
		}
		if d := o.All.Max; d < 19900*ms || d > 20700*ms {
			t.Errorf("%s: the last of 400 x 100 ms on two cores is answered after %v, want about 20 s", test.name, d)
		}
	}
}

// A slot that is not given back would leave triggers unanswered, an error of
// Host's: environments that outlive their timeout and those that are reclaimed
// at once must not keep any.
func TestLaunchSlotsAreGivenBack(t *testing.T) {
	p := sample("").Profile
	p.Launch = []time.Duration{10 * ms}
	c := HostConfig{Profile: p, Arrivals: burst(50), Cores: 2, Launches: 1, Timeout: 20 * ms}
	o, err := Host(c)
	if err != nil || o.Counts.TimedOut != 50 {
		t.Errorf("%+v, %v, want 50 timed out", o.Counts, err)
	}
}

// Init of 1 ms here is init of AWS's leanest runtime there: 1,000 environments
// bill 15.9 ms each and more, of a log-normal's mean of 18 ms.
func TestInitIsNoShorterThanAWSsOwn(t *testing.T) {
	c := round(workloads.ModelLambda)
	c.Arrivals = burst(1000)
	c.Profile.Init = []time.Duration{ms}
	each := mustRun(t, c).Usage.LambdaInitGBSeconds / 1000
	near(t, "init GB-s", each, lambdaInit.average()/1e9, 0.05) // three standard errors of a spread of half
	c.Profile.Init = []time.Duration{time.Second}
	each = mustRun(t, c).Usage.LambdaInitGBSeconds / 1000
	near(t, "long init GB-s", each, 1, 1e-9)
}
