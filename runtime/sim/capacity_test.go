package sim

import (
	"testing"
	"time"

	"coldstorm/workloads"
)

// short is a function whose 20 ms of work fit into one period's quota of half a
// vCPU (50 of 100 ms), as its containers have.
func short(m workloads.Model) Config {
	c := offered(m)
	c.Function.MemoryMB = 600
	c.Profile = Profile{
		Init:     []time.Duration{50 * ms},
		Payloads: []Payload{{Service: []time.Duration{20 * ms}, CPU: []time.Duration{20 * ms}}},
	}
	return c
}

func TestUnitDoesNoMoreWorkThanItsVCPUs(t *testing.T) {
	for _, model := range []workloads.Model{workloads.ModelECSFargate, workloads.ModelECSEC2} {
		c := short(model)
		c.Units, c.MaxUnits = 1, 1
		c.Arrivals = []time.Duration{0}
		if d := mustRun(t, c).All.Max; d < 19*ms || d > 21*ms {
			t.Errorf("%s: a single trigger takes %v, want the 20 ms that the quota allows at once", model, d)
		}
		// 1,000 x 20 ms of work on half a vCPU are 40 s.
		c.Arrivals = burst(1000)
		if d := mustRun(t, c).Recover; d < 39900*ms || d > 40100*ms {
			t.Errorf("%s: 20 s of work on half a vCPU are done after %v, want 40 s", model, d)
		}
	}
}

func TestFleetIsSizedByItsWork(t *testing.T) {
	c := short(workloads.ModelECSFargate)
	c.Steady, c.Cap = 100, 5000 // 2 vCPU of work, on halves that are to be busy to 70 %: 5.7
	o, err := Steady(c)
	if err != nil {
		t.Fatal(err)
	}
	if o.Mean != 6 {
		t.Errorf("%v units, want 6", o.Mean)
	}
}

// What waits most of its time has as many slots as keep the processor busy, and
// holds them no longer than it takes.
func TestWaitingHoldsNoSlotBeyondTheAnswer(t *testing.T) {
	c := short(workloads.ModelECSFargate)
	c.Profile.Payloads[0].Service = []time.Duration{400 * ms}
	mo, err := compose(c)
	if err != nil {
		t.Fatal(err)
	}
	if mo.timing.slots != 10 || mo.timing.hold != 1 {
		t.Errorf("%d slots, held %v times the service time, want 10 and 1", mo.timing.slots, mo.timing.hold)
	}
}
