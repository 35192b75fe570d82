package fleet

import (
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/plane/life"
)

// Service names whose states units go through.
type Service string

// The services; the zero value is ECS.
const (
	ServiceECS Service = ""
	ServiceEKS Service = "eks"
	ServiceEC2 Service = "ec2"
)

var words = map[Service]life.Words{ServiceECS: life.Task, ServiceEKS: life.Pod, ServiceEC2: life.Instance}

// States are the times that units and nodes have been in each state so far, in real time.
// What waits by the rules, for a launch or after a crash, waits on their clock, which
// passes Config.Speed times as fast.
func (f *Fleet) States() []results.StateTime {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Since(f.began)
	return append(f.unitLives.Times(words[f.config.Service], now), f.nodeLives.Times(life.Instance, now)...)
}

// begins notes that a unit is missing no more. The caller holds the lock.
func (f *Fleet) begins(a plane.Action) {
	f.unitLives.Enter(int32(a.Unit), life.Missing, a.Since)
	f.enter(a.Unit, life.Placed)
}

// enter notes a unit's stage, from now on. The caller holds the lock.
func (f *Fleet) enter(u plane.Unit, s life.Stage) {
	f.unitLives.Enter(int32(u), s, time.Since(f.began))
}

// enters does so for those who don't hold the lock, unless nobody hears of the unit: of one
// on a dead node its service tells what it knew last.
func (u *unit) enters(s life.Stage) {
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	if !u.silent {
		u.f.enter(u.no, s)
	}
}

// enterNode notes a node's stage, unless it is a unit's own, whose life is that unit's. The
// caller holds the lock.
func (f *Fleet) enterNode(n *node, s life.Stage) {
	if !n.own {
		f.nodeLives.Enter(int32(n.no), s, time.Since(f.began))
	}
}
