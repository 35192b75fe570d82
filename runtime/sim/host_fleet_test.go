package sim

import (
	"testing"
	"time"

	"coldstorm/runtime/plane"
	"coldstorm/workloads"
)

func onThisHost(units int, age time.Duration, at ...time.Duration) HostConfig {
	rules := plane.FleetRules{Min: units, Timeout: time.Minute, Queue: 2, RoundRobin: true}
	p := Profile{
		Init: []time.Duration{10 * ms}, Launch: []time.Duration{5 * ms},
		Payloads: []Payload{{Service: []time.Duration{100 * ms}, CPU: []time.Duration{100 * ms}}},
	}
	return HostConfig{
		Profile: p, Arrivals: at, Cores: 2,
		Fleet: &HostFleet{Model: workloads.ModelECSFargate, Plane: plane.NewFleet(rules), Age: age},
	}
}

func TestAFleetOnThisHostSharesItsCores(t *testing.T) {
	for _, tt := range []struct {
		rule  string
		units int
		vcpu  float64
		want  time.Duration
	}{
		{"a core each", 2, 0, 100 * ms},
		{"four on two cores", 4, 0, 200 * ms},
		{"a quota of a half of a core", 1, 0.5, 190 * ms}, // ten periods of 20 ms, the last of which ends with its quota
	} {
		c := onThisHost(tt.units, 0, make([]time.Duration, tt.units)...)
		c.Fleet.VCPU = tt.vcpu
		o, err := Host(c)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.All.Max; o.Counts.Served != tt.units || got < tt.want*99/100 || got > tt.want*101/100 {
			t.Errorf("%s: %v, %+v", tt.rule, got, o.Counts)
		}
		if o.Model != workloads.ModelECSFargate || o.Counts.Cold != 0 {
			t.Errorf("%s: model %s, %+v", tt.rule, o.Model, o.Counts)
		}
	}
}

func TestAFleetsAgeShiftsNothingButItsScalersLooks(t *testing.T) {
	young, old := onThisHost(1, 0, 0, 50*ms), onThisHost(1, time.Hour+7*ms, 0, 50*ms)
	a, err := Host(young)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Host(old)
	if err != nil {
		t.Fatal(err)
	}
	if a.All != b.All || a.Recover != b.Recover || a.Recover != 200*ms {
		t.Errorf("latencies %+v and %+v, last answers %v and %v", a.All, b.All, a.Recover, b.Recover)
	}
	if len(b.Timeline) == 0 || b.Timeline[0].At > 0 {
		t.Errorf("timeline %+v", b.Timeline)
	}
}

func TestWhatStandsIsWhatRunStarts(t *testing.T) {
	p := onThisHost(1, 0).Profile
	for _, m := range []workloads.Model{workloads.ModelECSFargate, workloads.ModelEKSFargate, workloads.ModelECSEC2, workloads.ModelEKSEC2, workloads.ModelEC2} {
		c := Config{Model: m, Function: workloads.Function{MemoryMB: 1769}, Profile: p, Steady: 100}
		s, err := Stands(c)
		if err != nil {
			t.Fatal(err)
		}
		o, err := Run(c)
		if err != nil {
			t.Fatal(err)
		}
		if s.Min != o.Peak || s.VCPU <= 0 || s.GB <= 0 || s.Slots < 1 {
			t.Errorf("%s: %+v stands, Run had %d units", m, s, o.Peak)
		}
		if nodes := m == workloads.ModelECSEC2 || m == workloads.ModelEKSEC2; nodes != (s.PerNode > 0) {
			t.Errorf("%s: %d units on a node", m, s.PerNode)
		}
	}
	if _, err := Stands(Config{Model: workloads.ModelLambda, Function: workloads.Function{MemoryMB: 1769}, Profile: p}); err == nil {
		t.Error("environments stand")
	}
}
