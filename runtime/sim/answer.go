package sim

import (
	"time"

	"coldstorm/results"
)

// Answer is what became of one trigger.
type Answer struct {
	Seq     int           // by arrival, from 0
	At      time.Duration // of the arrival
	Latency time.Duration // from there to the answer
	Outcome results.Outcome
	Reason  string // of what was not served

	// Of what ran, timeouts included.
	Start   results.Start // empty of what did not run
	Service time.Duration
	Init    time.Duration // billed init of the environment that started for it
}

func answer(id int, t *trigger, at int64, outcome results.Outcome, reason string) Answer {
	a := Answer{
		Seq: id, At: time.Duration(t.arrived), Latency: time.Duration(at - t.arrived), Outcome: outcome, Reason: reason,
	}
	if t.service > 0 || outcome == results.OutcomeServed {
		a.Start, a.Service, a.Init = startNames[t.start], time.Duration(t.service), time.Duration(t.init)
	}
	return a
}
