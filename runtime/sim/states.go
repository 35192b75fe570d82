package sim

import (
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/plane/life"
	"coldstorm/workloads"
)

// states is how the units of a fleet and its nodes went through their states. A nil states
// keeps nothing. What stood before the first trigger serves from its start on: how it came
// up is not simulated, and neither is how a node stops, which takes no time here.
type states struct {
	words        life.Words
	units, nodes life.Record
	pool         string // state of instances in a warm pool; empty: there is none
}

// part is one of the delays before a unit's init, in a stage of its life.
type part struct {
	stage life.Stage
	dist
}

// states is a record in the words of the model's service; nil of a model that is none of
// containers or instances.
func (mo *model) states(m workloads.Model, f workloads.Fleet) *states {
	l := &states{}
	switch m {
	case workloads.ModelECSFargate, workloads.ModelECSEC2:
		l.words = life.Task
	case workloads.ModelEKSFargate:
		l.words = life.FargatePod
	case workloads.ModelEKSEC2:
		l.words = life.Pod
	case workloads.ModelEC2:
		l.words = life.Instance
		if mo.billing.warmPool {
			l.pool = warmStates[f.WarmPoolState]
		}
	default:
		return nil
	}
	return l
}

// warmStates are the lifecycle states of instances in a warm pool (Amazon EC2 Auto Scaling
// documentation, "Warm pool instance lifecycle").
var warmStates = map[string]string{
	"": "Warmed:Stopped", workloads.WarmPoolStopped: "Warmed:Stopped",
	workloads.WarmPoolHibernated: "Warmed:Hibernated", workloads.WarmPoolRunning: "Warmed:Running",
}

// starts is told of a unit that starts now, after as long in each stage as before says.
func (l *states) starts(a *plane.Action, now int64, before *[life.Serving]int64) {
	if l == nil {
		return
	}
	l.unit(int32(a.Unit), life.Missing, int64(a.Since))
	for s := life.Missing; s < life.Starting; s++ { // a part of it in the stage Missing is the network's, of Fargate
		now += before[s]
		if s+1 == life.Starting || before[s+1] > 0 {
			l.unit(int32(a.Unit), s+1, now)
		}
	}
}

func (l *states) unit(u int32, s life.Stage, at int64) {
	if l != nil {
		l.units.Enter(u, s, time.Duration(at))
	}
}

func (l *states) node(n int32, s life.Stage, at int64) {
	if l != nil {
		l.nodes.Enter(n, s, time.Duration(at))
	}
}

// times are those of all states up to the time end.
func (l *states) times(p plane.Plane, end int64) []results.StateTime {
	if l == nil {
		return nil
	}
	list := l.units.Times(l.words, time.Duration(end))
	if l.pool != "" {
		left, still := p.(*plane.Fleet).Waited()
		list = append([]results.StateTime{life.State(l.words.Of, l.pool, left, still)}, list...)
	}
	return append(list, l.nodes.Times(life.Instance, time.Duration(end))...)
}
