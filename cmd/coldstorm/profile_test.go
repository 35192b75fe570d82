package main

import (
	"slices"
	"testing"
	"time"

	"coldstorm/loadgen/record"
	"coldstorm/results"
	"coldstorm/runtime/sim"
)

// heard is a storm with one served sample for each pair of start and payload.
func heard(name string, busy float64, pairs ...[2]string) measured {
	m := measured{recorder: &record.Recorder{}, Series: results.Series{Name: name, Generator: results.Generator{HostCPUShare: busy}}}
	for _, p := range pairs {
		m.recorder.Add(results.Sample{
			Outcome: results.OutcomeServed, Payload: p[1], Evidence: results.Evidence{Start: results.Start(p[0])},
		})
	}
	return m
}

func TestTheSimulationIsFedByQuietStorms(t *testing.T) {
	cold, warm, large := [2]string{"cold", "small"}, [2]string{"warm", "small"}, [2]string{"warm", "large"}
	for _, c := range []struct {
		rule   string
		series []measured
		want   []string
	}{
		{"busy ones are left out", []measured{heard("c", 0.5, cold), heard("w", 0.6, warm), heard("burst", 1, cold)}, []string{"c", "w"}},
		{"unless no other has a warm start", []measured{heard("c", 0.5, cold), heard("w", 0.9, warm), heard("w2", 0.95, warm)}, []string{"c", "w"}},
		{"or the payload", []measured{heard("c", 0.5, cold), heard("w", 0.6, warm), heard("l", 0.99, large)}, []string{"c", "w", "l"}},
		{"of all busy ones, the least busy", []measured{heard("b", 1, cold, warm), heard("a", 0.98, cold, warm)}, []string{"a"}},
		{"of none, none", nil, nil},
	} {
		var got []string
		for _, s := range quietest(c.series) {
			got = append(got, s.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.rule, got, c.want)
		}
	}
}

func TestRequestsAreSizedByTheirWeights(t *testing.T) {
	got := meanBytes([]payload{{Weight: 9, Body: make([]byte, 100)}, {Weight: 1, Body: make([]byte, 1100)}})
	if got != 200 {
		t.Errorf("mean of nine times 100 and once 1,100 bytes: %d", got)
	}
	if got := meanBytes(nil); got != 0 {
		t.Errorf("mean of nothing: %d", got)
	}
}

// A storm of two seconds, of 100 triggers that took nothing: what the host was busy with
// beyond what others used before is work beside them.
func TestOthersWorkIsNotThatBesideTriggers(t *testing.T) {
	many := make([][2]string, 100)
	for i := range many {
		many[i] = [2]string{"warm", "p"}
	}
	storm := func(busy float64) measured {
		m := heard("s", busy, many...)
		m.Took = 2 * time.Second
		return m
	}
	for _, tt := range []struct {
		name         string
		busy, others float64
		want         time.Duration
	}{
		{"alone", 0.05, 0, 2 * time.Millisecond}, // a twentieth of two cores for two seconds
		{"with others", 0.25, 0.2, 2 * time.Millisecond},
		{"of a host that was full", 0.99, 0, 0},
		{"of others that came later", 0.7, 0, 5 * time.Millisecond},
	} {
		a := aroundOf([]measured{storm(tt.busy)}, sim.Profile{}, results.Host{Cores: 2, Others: tt.others})
		if d := a.beside.Trigger - tt.want; d < -time.Microsecond || d > time.Microsecond || len(a.overhead) != 100 {
			t.Errorf("%s: %v, want %v", tt.name, a.beside.Trigger, tt.want)
		}
	}
}
