package plane

import "time"

// This file holds how a Fleet's units and nodes come and go.

type fleetNode struct {
	up, gone bool
	held     int           // units on it
	since    time.Duration // up
}

// due reports whether a scaler or a launch waits for the time at.
func (f *Fleet) due(at time.Duration) bool {
	d := earliest(earliest(f.scaleAt, f.nodesAt), f.launchAt)
	return d != 0 && d <= at
}

// scale asks the scalers whose time has come, and starts what they want.
func (f *Fleet) scale(at time.Duration, out []Action) []Action {
	if f.scaleAt != 0 && f.scaleAt <= at {
		out = f.resize(at, out)
	}
	out = f.launch(at, out)
	f.prepare(at)
	if f.rules.Nodes == nil || f.rules.Place == nil {
		return out
	}
	want, again := f.rules.Nodes.Nodes(f.nodeSight(at))
	f.nodesAt = again
	for f.upNodes+f.newNodes < want {
		out = f.startNode(out)
	}
	out = f.stopNodes(f.upNodes+f.newNodes-want, out)
	return f.consolidate(at, f.emptied(out))
}

// resize asks the scaler.
func (f *Fleet) resize(at time.Duration, out []Action) []Action {
	s := f.sight(at)
	f.scaleAt = at + f.rules.Scaler.Every()
	f.want = min(max(f.rules.Scaler.Desired(s), f.rules.Min), f.rules.Max)
	// Those that start go first, when they are ready (Kubernetes ranks pods so
	// for deletion); then the newest.
	for id := len(f.units) - 1; id > 0 && f.alive-f.starting > f.want; id-- {
		if u := &f.units[id]; u.state == unitIdle && !u.draining {
			out = f.drain(Unit(id), at, out)
		}
	}
	return out
}

// sight is what the scaler sees, and begins its next interval.
func (f *Fleet) sight(at time.Duration) Sight {
	s := Sight{At: at, Units: f.want, Requests: f.requests}
	var used time.Duration
	for id := 1; id < len(f.units); id++ {
		u := &f.units[id]
		if u.state == unitStarting {
			s.Fresh++
		}
		if u.state != unitIdle || u.draining {
			continue
		}
		u.spend(at)
		if u.readyAt > f.looked {
			s.Fresh++
		} else {
			s.Counted++
			used += u.busyFor
		}
		u.busyFor = 0
	}
	if d := at - f.looked; s.Counted > 0 && d > 0 {
		s.Utilisation = float64(used) / float64(d) / float64(s.Counted*f.rules.Slots)
	}
	f.looked, f.requests = at, 0
	return s
}

// launch starts units until there are as many as wanted, as far as nodes have
// room and the launch rates allow it.
func (f *Fleet) launch(at time.Duration, out []Action) []Action {
	f.launchAt = 0
	f.miss(at)
	for f.alive < f.want {
		m, when := f.next(at)
		if when > at {
			f.launchAt = when
			return out
		}
		var node Node
		if f.rules.Place != nil {
			if node = f.place(); node == 0 {
				return out
			}
		}
		prepared := false
		if f.exempt > 0 {
			f.exempt--
		} else if next := f.token(at); next > at {
			f.launchAt = next
			return out
		} else {
			prepared = f.pooled(at)
		}
		f.missed.remove(m)
		out = f.startUnit(node, m, prepared, out)
	}
	return out
}

// token takes a token of every launch rate, or says when there will be one.
func (f *Fleet) token(at time.Duration) time.Duration {
	next := at
	for i := range f.buckets {
		next = max(next, f.buckets[i].next(at))
	}
	if next > at {
		return next
	}
	for i := range f.buckets {
		f.buckets[i].take(at)
	}
	return at
}

func (f *Fleet) startUnit(node Node, m missing, prepared bool, out []Action) []Action {
	id := Unit(len(f.units))
	f.units = append(f.units, fleetUnit{state: unitStarting, node: node, deaths: m.deaths})
	f.hold(node, 1)
	f.alive++
	f.starting++
	return append(out, Action{Verb: StartUnit, Unit: id, Node: node, Trigger: NoTrigger, Since: m.since, Prepared: prepared})
}

// hold adds by units to a node's. Node 0 stands for no node.
func (f *Fleet) hold(id Node, by int) {
	n := &f.nodes[id]
	if id == 0 || n.gone {
		return
	}
	if n.held > 0 {
		f.usedNodes--
	}
	n.held += by
	f.placed += by
	f.zones[f.zone(id)] += by
	if n.held > 0 {
		f.usedNodes++
	}
	f.roomOf(id).take(int32(id))
	if id != f.emptying {
		f.roomOf(id).put(int32(id), n.held)
	}
}

func (f *Fleet) stop(id Unit, out []Action) []Action {
	f.forget(id)
	return append(out, Action{Verb: StopUnit, Unit: id})
}

// forget takes a unit off the books.
func (f *Fleet) forget(id Unit) {
	u := &f.units[id]
	if u.state == unitStarting {
		f.starting--
	} else {
		f.ready--
		if !u.draining {
			f.router.remove(id)
		}
	}
	if u.running > 0 {
		f.busy--
	}
	if !u.draining {
		f.alive--
	}
	f.hold(u.node, -1)
	u.state, u.running = unitGone, 0
}

// gone forgets a unit that died, or is stopped with all that it holds; what waited in it is
// lost.
func (f *Fleet) gone(id Unit, out []Action) []Action {
	u := f.unit(id)
	if u == nil || u.state == unitGone {
		return out
	}
	f.forget(id)
	for u.queue.len() > 0 {
		f.queued--
		out = append(out, Action{Verb: Refuse, Trigger: u.queue.pop(), Reason: ReasonUnitLost})
	}
	return out
}

func (f *Fleet) startNode(out []Action) []Action {
	id := Node(len(f.nodes))
	f.nodes = append(f.nodes, fleetNode{})
	f.newNodes++
	return append(out, Action{Verb: StartNode, Node: id})
}

func (f *Fleet) nodeUp(id Node, at time.Duration) {
	if id <= 0 || int(id) >= len(f.nodes) || f.nodes[id].up || f.nodes[id].gone {
		return
	}
	f.nodes[id].up, f.nodes[id].since = true, at
	f.roomOf(id).put(int32(id), 0)
	f.newNodes--
	f.upNodes++
}

func (f *Fleet) nodeGone(id Node, out []Action) []Action {
	if id <= 0 || int(id) >= len(f.nodes) || f.nodes[id].gone {
		return out
	}
	for u := range f.units {
		if u > 0 && f.units[u].node == id {
			out = f.gone(Unit(u), out)
		}
	}
	f.lose(id)
	return out
}

// lose takes an empty node off the books.
func (f *Fleet) lose(id Node) {
	n := &f.nodes[id]
	f.roomOf(id).take(int32(id))
	if n.up {
		f.upNodes--
	} else {
		f.newNodes--
	}
	n.gone = true
}

// stopNodes stops up to excess nodes that are up and empty, the newest first.
func (f *Fleet) stopNodes(excess int, out []Action) []Action {
	for id := len(f.nodes) - 1; id > 0 && excess > 0; id-- {
		n := &f.nodes[id]
		if n.up && !n.gone && n.held == 0 {
			f.lose(Node(id))
			excess--
			out = append(out, Action{Verb: StopNode, Node: Node(id)})
		}
	}
	return out
}

func (f *Fleet) nodeSight(at time.Duration) NodeSight {
	free := f.upNodes*f.rules.PerNode - f.placed
	if n := &f.nodes[f.emptying]; n.up && !n.gone {
		free -= f.rules.PerNode - n.held
	}
	return NodeSight{
		At: at, Pending: f.want - f.alive, Up: f.upNodes, Starting: f.newNodes, PerNode: f.rules.PerNode,
		Free: free, Used: f.usedNodes,
		Least: f.rules.MinNodes,
	}
}
