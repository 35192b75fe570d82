package sim

import (
	"testing"
	"time"

	"coldstorm/runtime/plane"
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

// AWS: accounts that launch pods alone have a burst of 20, others of 100 tasks
// and pods; both 20 a second.
func TestFargateLaunchesKeepToTheAccountsRate(t *testing.T) {
	for model, want := range map[workloads.Model]int{workloads.ModelEKSFargate: 20, workloads.ModelECSFargate: 100} {
		c := short(model)
		c.Units, c.MaxUnits = 500, 1000
		mo, err := compose(c)
		if err != nil {
			t.Fatal(err)
		}
		p := mo.plane()
		acts := p.Handle(plane.Event{Kind: plane.Tick}, nil)
		for _, a := range acts {
			p.Handle(plane.Event{Kind: plane.Ready, Unit: a.Unit}, nil)
		}
		for i := range plane.Trigger(5000) { // all slots busy for good
			p.Handle(plane.Event{Kind: plane.Arrive, Trigger: i}, nil)
		}
		most := 0
		for at := time.Second; at < 10*time.Minute; at += time.Second {
			started := 0
			for _, a := range p.Handle(plane.Event{Kind: plane.Tick, At: at}, nil) {
				if a.Verb == plane.StartUnit {
					started++
				}
			}
			most = max(most, started)
		}
		if most != want {
			t.Errorf("%s starts up to %d units at a time, want %d", model, most, want)
		}
	}
}

func TestUnitsStandForAllPayloadsWhateverAStormFires(t *testing.T) {
	c := short(workloads.ModelECSFargate)
	c.Steady = 100
	c.Profile.Payloads = append(c.Profile.Payloads, Payload{Service: []time.Duration{80 * ms}})
	want, err := Units(c)
	if err != nil || want < 10 { // 100 x 50 ms on average are 5 vCPU of work, on halves
		t.Fatalf("%d units, %v, want 10 at least", want, err)
	}
	c.Units, c.Profile.Payloads = want, c.Profile.Payloads[:1]
	c.Arrivals = burst(1)
	if o := mustRun(t, c); o.Peak != want {
		t.Errorf("a storm of one payload meets %d units, want %d", o.Peak, want)
	}
	c.Model = "mainframe"
	if _, err := Units(c); err == nil {
		t.Error("a model that is not known has units")
	}
}
