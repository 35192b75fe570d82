package sim

import (
	"testing"
	"time"

	"coldstorm/runtime/plane"
	"coldstorm/workloads"
)

// risesAndFalls is a model under a load that ends, long before the billed window does.
func risesAndFalls(t *testing.T, m workloads.Model, f workloads.Fleet) Outcome {
	t.Helper()
	return twentyMinutes(t, m, f, 10*ms, 3*time.Hour)
}

func TestAScaleInBillsTheDeregistrationDelay(t *testing.T) {
	for _, m := range []workloads.Model{workloads.ModelECSFargate, workloads.ModelEC2} {
		short, usual := risesAndFalls(t, m, workloads.Fleet{DeregistrationDelay: time.Second}), risesAndFalls(t, m, workloads.Fleet{})
		if short.Peak != usual.Peak || short.Counts.Served != usual.Counts.Served {
			t.Fatalf("%s: peak %d and %d, served %d and %d", m, short.Peak, usual.Peak, short.Counts.Served, usual.Counts.Served)
		}
		gone := float64(usual.Peak - 1) // one stands
		billed := func(o Outcome) float64 {
			if m == workloads.ModelEC2 {
				return o.Usage.Instances[0].Seconds
			}
			return o.Usage.FargateVCPUSeconds // of 1 vCPU each
		}
		if got, want := billed(usual)-billed(short), gone*299; got < want-gone || got > want+gone { // whole seconds are billed
			t.Errorf("%s: %.0f unit-seconds more for %.0f units, want 299 each", m, got, gone)
		}
	}
}

func TestATasksStopTimeIsBilledUpToItsTimeout(t *testing.T) {
	none := risesAndFalls(t, workloads.ModelECSFargate, workloads.Fleet{})
	for _, c := range []struct {
		set  workloads.Fleet
		want float64 // seconds
	}{
		{workloads.Fleet{StopTime: 10 * time.Second}, 10},
		{workloads.Fleet{StopTime: time.Minute}, 30}, // killed
		{workloads.Fleet{StopTime: time.Minute, StopTimeout: 40 * time.Second}, 40},
	} {
		o := risesAndFalls(t, workloads.ModelECSFargate, c.set)
		if got := (o.Usage.FargateVCPUSeconds - none.Usage.FargateVCPUSeconds) / float64(none.Peak-1); got < c.want-1 || got > c.want+1 {
			t.Errorf("%+v: %.1f s more a task, want %.0f", c.set, got, c.want)
		}
		if s := state(o, "task", "STOPPING").Time; s.Min != time.Duration(c.want)*time.Second {
			t.Errorf("%+v: STOPPING for %v", c.set, s.Min)
		}
	}
}

func TestADeregisteredTaskIsDeactivatingForTheDelay(t *testing.T) {
	if s := state(risesAndFalls(t, workloads.ModelECSFargate, workloads.Fleet{}), "task", "DEACTIVATING").Time; s.N == 0 || s.Min != plane.DeregistrationDelay || s.Max != plane.DeregistrationDelay {
		t.Errorf("DEACTIVATING for %v to %v, want %v", s.Min, s.Max, plane.DeregistrationDelay)
	}
}

// long is a model whose requests take 40 s, scaled in while its units serve some.
func long(t *testing.T, m workloads.Model, f workloads.Fleet) Outcome {
	t.Helper()
	c := offered(m)
	c.Fleet, c.Window = f, 3*time.Hour
	c.Profile.Payloads = []Payload{{Service: []time.Duration{40 * time.Second}, CPU: []time.Duration{4 * time.Second}}}
	for at := time.Duration(0); at < 20*time.Minute; at += 500 * ms {
		c.Arrivals = append(c.Arrivals, at)
	}
	for at := 20 * time.Minute; at < 2*time.Hour; at += 2 * time.Second {
		c.Arrivals = append(c.Arrivals, at)
	}
	c.Steady, c.MaxUnits = 0.1, 50
	return mustRun(t, c)
}

func TestRequestsInFlightAreLostBeyondThePodsGracePeriodAlone(t *testing.T) {
	lost := func(o Outcome) int { return o.Counts.Reasons[string(plane.ReasonUnitLost)] }
	if o := long(t, workloads.ModelEKSFargate, workloads.Fleet{}); lost(o) == 0 || o.Counts.Failed != lost(o) {
		t.Errorf("%+v: requests of 40 s outlive a grace period of 30 s", o.Counts)
	}
	if o := long(t, workloads.ModelEKSFargate, workloads.Fleet{StopTimeout: time.Minute}); lost(o) > 0 {
		t.Errorf("%d lost within a grace period of a minute", lost(o))
	}
	if o := long(t, workloads.ModelECSFargate, workloads.Fleet{}); lost(o) > 0 {
		t.Errorf("%d lost within a deregistration delay of 300 s", lost(o))
	}
	if o := long(t, workloads.ModelECSFargate, workloads.Fleet{DeregistrationDelay: 5 * time.Second}); lost(o) == 0 {
		t.Error("requests of 40 s outlive a deregistration delay of 5 s")
	}
}
