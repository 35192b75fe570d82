package sim

import (
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/workloads"
)

const ms = time.Millisecond

// sample is a function of one vCPU: 50 ms of init, 100 ms of work, half of it
// on the processor.
func sample(m workloads.Model) Config {
	return Config{
		Model: m,
		Function: workloads.Function{
			MemoryMB: 1769, Timeout: 30 * time.Second, KeepAlive: 10 * time.Minute, Runtime: "provided.al2023",
		},
		Profile: Profile{
			Init:     []time.Duration{45 * ms, 50 * ms, 55 * ms},
			Payloads: []Payload{{Service: []time.Duration{90 * ms, 100 * ms, 110 * ms}, CPU: []time.Duration{45 * ms, 50 * ms, 55 * ms}}},
		},
		Seed: 1, Steady: 10,
	}
}

func burst(n int) []time.Duration { return make([]time.Duration, n) }

func mustRun(t *testing.T, c Config) Outcome {
	t.Helper()
	o, err := Run(c)
	if err != nil {
		t.Fatal(err)
	}
	if !o.Counts.Accounted() {
		t.Errorf("triggers are lost: %+v", o.Counts)
	}
	return o
}

func TestBurstOfAThousandOnDefaultAccountIsAThousandColdStarts(t *testing.T) {
	c := sample(workloads.ModelLambda)
	c.Arrivals = burst(1000)
	o := mustRun(t, c)
	if o.Counts.Cold != 1000 || o.Peak != 1000 {
		t.Errorf("%d cold starts on %d environments, want 1000 each", o.Counts.Cold, o.Peak)
	}
	if o.Counts.Causes[results.CauseScaleOut] != 999 || o.Counts.Causes[results.CauseDeployed] != 1 {
		t.Errorf("causes %v", o.Counts.Causes)
	}
}

func TestBurstOverReservedConcurrencyIsThrottled(t *testing.T) {
	c := sample(workloads.ModelLambda)
	c.Function.Concurrency = 500
	c.Arrivals = burst(1000)
	o := mustRun(t, c)
	if o.Counts.Served != 500 || o.Counts.Throttled != 500 ||
		o.Counts.Reasons["ReservedFunctionConcurrentInvocationLimitExceeded"] != 500 {
		t.Errorf("%+v, want 500 served and 500 throttled for reserved concurrency", o.Counts)
	}
}
