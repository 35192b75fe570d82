package sim

import (
	"testing"
	"time"

	"coldstorm/workloads"
)

func TestManagedEnvironmentsHaveTwoGBAndOneVCPUAtLeast(t *testing.T) {
	for mb, want := range map[int]size{128: {1, 2}, 2048: {1, 2}, 2049: {1.5, 3}, 8192: {4, 8}} {
		if got := managedSize(mb); got != want {
			t.Errorf("%d MB: %v, want %v", mb, got, want)
		}
	}
}

func TestManagedRuntimes(t *testing.T) {
	for runtime, want := range map[string]bool{
		"": true, "provided.al2023": true, "provided.al2": false, "go1.x": false, workloads.RuntimeImage: true,
		"python3.12": false, "python3.13": true, "python3.14": true, "nodejs20.x": false, "nodejs22.x": true,
		"java17": false, "java21": true, "java8.al2": false, "dotnet6": false, "dotnet8": true, "dotnet10": true, "ruby3.4": false,
	} {
		if ok, why := Offered(workloads.ModelLambdaManaged, workloads.Function{Runtime: runtime, MemoryMB: 512}); ok != want || ok == (why != "") {
			t.Errorf("%q: offered %v (%s), want %v", runtime, ok, why, want)
		}
	}
	if ok, _ := Offered(workloads.ModelLambdaManaged, workloads.Function{MemoryMB: 40000}); ok {
		t.Error("40,000 MB are offered")
	}
}

func TestManagedInstancesHaveNoColdStartsAndThrottleABurstBeyondTheirSlots(t *testing.T) {
	c := sample(workloads.ModelLambdaManaged)
	c.Arrivals = burst(500)
	o := mustRun(t, c)
	if o.Counts.Cold != 0 || o.Counts.Warm == 0 || o.Counts.Throttled == 0 || o.Counts.Warm+o.Counts.Throttled != 500 {
		t.Errorf("%+v", o.Counts)
	}
}

func TestManagedInstancesTakeADoublingOfTrafficWithoutThrottles(t *testing.T) {
	c := sample(workloads.ModelLambdaManaged)
	rate := 40.0
	for at := time.Duration(0); at < 40*time.Minute; at += time.Duration(float64(time.Second) / rate) {
		c.Arrivals = append(c.Arrivals, at)
		if at > 20*time.Minute {
			rate = 80
		}
	}
	c.Steady = 40
	if o := mustRun(t, c); o.Counts.Throttled > 0 {
		t.Errorf("%+v, want no throttles", o.Counts)
	}
}

func TestManagedInstancesBillThreeInstancesAndRequestsAlone(t *testing.T) {
	c := sample(workloads.ModelLambdaManaged)
	c.Arrivals = burst(2)
	u := mustRun(t, c).Usage
	if len(u.Instances) != 1 || u.Instances[0].Count != 3 || u.Instances[0].Seconds != 3*3600 || u.Requests != 2 {
		t.Errorf("%+v, want 3 instances for an hour and 2 requests", u)
	}
	if u.LambdaGBSeconds != 0 || u.StorageGBSeconds != 0 || u.LoadBalancerSeconds != 0 {
		t.Errorf("%+v: durations, volumes or a load balancer are billed", u)
	}
}

func TestManagedEnvironmentsTakeWhatTheirVCPUsServeUpToTheRuntimesDefault(t *testing.T) {
	for _, c := range []struct {
		runtime string
		cpu     time.Duration // of 100 ms
		want    int           // requests at once on 1 vCPU
	}{
		{"nodejs22.x", 50 * ms, 2},
		{"nodejs22.x", ms, 64},
		{"java21", ms, 32},
		{"python3.13", ms, 16},
		{"provided.al2023", ms, 8},
	} {
		conf := sample(workloads.ModelLambdaManaged)
		conf.Function.Runtime, conf.Function.MemoryMB = c.runtime, 2048
		conf.Profile.Payloads = []Payload{{Service: []time.Duration{100 * ms}, CPU: []time.Duration{c.cpu}}}
		st, err := Stands(conf)
		if err != nil || st.Slots != c.want {
			t.Errorf("%s, %v of 100 ms on the processor: %d at once, error %v, want %d", c.runtime, c.cpu, st.Slots, err, c.want)
		}
	}
}
