package sim

import (
	"testing"
	"time"

	"coldstorm/results"

	"github.com/google/go-cmp/cmp"
)

func TestProfileIsOfServedSamples(t *testing.T) {
	served := func(start results.Start, payload string, ph results.Phases, cpu time.Duration) results.Sample {
		s := results.Sample{Outcome: results.OutcomeServed, Payload: payload, Bytes: 100}
		s.Start, s.Phases, s.CPU, s.MaxMemory = start, ph, cpu, 7
		return s
	}
	got := ProfileOf([]results.Sample{
		served(results.StartCold, "a", results.Phases{Sandbox: 2, Rootfs: 3, RuntimeInit: 10, FunctionInit: 20, Invoke: 50}, 60),
		served(results.StartWarm, "a", results.Phases{Invoke: 40}, 30),
		served(results.StartProvisioned, "a", results.Phases{Invoke: 41}, 31),
		served(results.StartWarm, "b", results.Phases{Invoke: 9}, 0),
		served(results.StartCold, "c", results.Phases{Init: 25, Invoke: 8}, 0),
		served(results.StartUnknown, "a", results.Phases{Invoke: 1}, 1),
		{Outcome: results.OutcomeThrottled, Payload: "a"},
	})
	want := Profile{
		Init: []time.Duration{30, 25}, Launch: []time.Duration{5, 0},
		Payloads: []Payload{
			{Name: "a", Weight: 3, Service: []time.Duration{40, 41}, CPU: []time.Duration{30, 31}, First: []time.Duration{50}},
			{Name: "b", Weight: 1, Service: []time.Duration{9}},
			{Name: "c", Weight: 1, Service: []time.Duration{8}, First: []time.Duration{8}},
		},
		ResidentBytes: 7, ResponseBytes: 100,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestProfileOfNothingCannotBeSimulated(t *testing.T) {
	p := ProfileOf(nil)
	if p.check() == nil {
		t.Error("an empty profile passes")
	}
}
