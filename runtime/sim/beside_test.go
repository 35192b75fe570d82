package sim

import (
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
)

func TestBesideIsWhatExplainsStormsBest(t *testing.T) {
	const trigger, end = 2 * time.Millisecond, 3 * time.Millisecond
	storm := func(triggers, ends int, more time.Duration) Spent {
		work := time.Duration(triggers) * 20 * time.Millisecond
		return Spent{Triggers: triggers, Ends: ends, Work: work, CPU: work + time.Duration(triggers)*trigger + time.Duration(ends)*end + more}
	}
	for _, tt := range []struct {
		name   string
		storms []Spent
		want   Beside
	}{
		{"none", nil, Beside{}},
		{"exactly", []Spent{storm(200, 0, 0), storm(60, 60, 0)}, Beside{trigger, end}},
		{"all of a kind", []Spent{storm(60, 60, 0), storm(120, 120, 0)}, Beside{Trigger: trigger + end}},
		{"triggers that took less than their work", []Spent{storm(200, 0, -time.Second), storm(100, 100, 0)}, Beside{End: 5 * time.Millisecond}},
	} {
		got := BesideOf(tt.storms)
		if d := got.Trigger - tt.want.Trigger; d < -time.Microsecond || d > time.Microsecond {
			t.Errorf("%s: %v a trigger, want %v", tt.name, got.Trigger, tt.want.Trigger)
		}
		if d := got.End - tt.want.End; tt.name != "triggers that took less than their work" && (d < -time.Microsecond || d > time.Microsecond) {
			t.Errorf("%s: %v an end, want %v", tt.name, got.End, tt.want.End)
		}
		if got.Trigger < 0 || got.End < 0 {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// What is spent beside a trigger shares the cores with it, and what is spent at a unit's end
// with who comes then. Where there is a core for each, neither delays anybody.
func TestWorkBesideTriggersTakesTheCores(t *testing.T) {
	const work = 20 * time.Millisecond
	for _, tt := range []struct {
		name   string
		cores  float64
		beside Beside
		keep   time.Duration
		want   time.Duration // of the slower of two triggers, the second 25 ms after the first
	}{
		{"nothing", 1, Beside{}, -1, 20 * time.Millisecond},
		{"beside each, on one core", 1, Beside{Trigger: 4 * time.Millisecond}, -1, 24 * time.Millisecond},
		{"beside each, on two", 2, Beside{Trigger: 4 * time.Millisecond}, -1, 20 * time.Millisecond},
		{"at the end of the first, on one core", 1, Beside{End: 10 * time.Millisecond}, time.Millisecond, 46 * time.Millisecond}, // 4 ms of it are over
		{"at the end of the first, on two", 2, Beside{End: 10 * time.Millisecond}, time.Millisecond, 40 * time.Millisecond},
	} {
		o, err := Host(HostConfig{
			Rules:    plane.LambdaRules{Concurrency: 1000, KeepAlive: tt.keep, ScaleOutBurst: -1, Warm: 1},
			Profile:  Profile{Init: []time.Duration{work}, Launch: []time.Duration{0}, Payloads: []Payload{{Service: []time.Duration{work}}}},
			Arrivals: []time.Duration{0, 25 * time.Millisecond}, Cores: tt.cores, Beside: tt.beside, Seed: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := o.All.Max - tt.want; d < -100*time.Microsecond || d > 100*time.Microsecond {
			t.Errorf("%s: %v, want %v", tt.name, o.All.Max, tt.want)
		}
	}
}

func TestYoungEnvironmentsHaveTimesOfTheirOwn(t *testing.T) {
	var samples []results.Sample
	add := func(served int, took time.Duration, n int) {
		for range n {
			s := results.Sample{Outcome: results.OutcomeServed}
			s.Start, s.Evidence.Served, s.CPU, s.Phases.Invoke = results.StartWarm, served, took, took
			samples = append(samples, s)
		}
	}
	add(3, 30*time.Millisecond, leastYoung)
	add(youngest+1, 20*time.Millisecond, leastYoung)
	p := ProfileOf(samples)
	if pl := p.Payloads[0]; len(pl.Young) != leastYoung || len(pl.Service) != leastYoung || pl.Young[0] != 30*time.Millisecond || pl.Service[0] != 20*time.Millisecond {
		t.Fatalf("%+v", pl)
	}
	p.Init = []time.Duration{time.Millisecond}
	arrivals := make([]time.Duration, 30)
	for i := range arrivals {
		arrivals[i] = time.Duration(i) * time.Second
	}
	o, err := Host(HostConfig{
		Rules:   plane.LambdaRules{Concurrency: 1000, KeepAlive: -1, ScaleOutBurst: -1, Warm: 1},
		Profile: p, Arrivals: arrivals, Seed: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	slow := 0
	for _, b := range o.Timeline {
		slow += b.Completed
	}
	if q := o.Latency[results.StartWarm]; q.N != 30 || slow != 30 || q.P50 > 21*time.Millisecond || q.Max < 29*time.Millisecond {
		t.Errorf("%+v", q)
	}
	few := ProfileOf(samples[1:])
	if pl := few.Payloads[0]; pl.Young != nil || len(pl.Service) != 2*leastYoung-1 || len(pl.CPU) != len(pl.Service) {
		t.Errorf("of too few young ones: %d, %d, %d", len(pl.Young), len(pl.Service), len(pl.CPU))
	}
}
