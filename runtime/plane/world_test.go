package plane

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"coldstorm/results"
)

// script hands events to a plane and collects what it answers, in words.
type script struct {
	t    *testing.T
	p    Plane
	wake time.Duration
}

// send hands e to the plane at a time in seconds and returns the actions, but
// for wake-ups, which it keeps.
func (s *script) send(at float64, e Event) []Action {
	s.t.Helper()
	e.At = time.Duration(at * float64(time.Second))
	var out []Action
	for _, a := range s.p.Handle(e, nil) {
		if a.Verb == WakeAt {
			s.wake = a.At
			continue
		}
		out = append(out, a)
	}
	return out
}

func (s *script) arrive(at float64, t Trigger) []Action {
	s.t.Helper()
	return s.send(at, Event{Kind: Arrive, Trigger: t})
}

func (s *script) ready(at float64, u Unit) []Action {
	s.t.Helper()
	return s.send(at, Event{Kind: Ready, Unit: u})
}

func (s *script) done(at float64, u Unit, t Trigger) []Action {
	s.t.Helper()
	return s.send(at, Event{Kind: Done, Unit: u, Trigger: t})
}

func (s *script) tick(at float64) []Action {
	s.t.Helper()
	return s.send(at, Event{Kind: Tick})
}

// want fails unless got is these actions, written as by say.
func want(t *testing.T, got []Action, wants ...string) {
	t.Helper()
	var said []string
	for _, a := range got {
		said = append(said, say(a))
	}
	if !slices.Equal(said, wants) {
		t.Errorf("actions\n got %q\nwant %q", said, wants)
	}
}

func say(a Action) string {
	switch a.Verb {
	case StartUnit:
		s := fmt.Sprintf("start %d", a.Unit)
		if a.Trigger != NoTrigger {
			s += fmt.Sprintf(" for %d", a.Trigger)
		}
		if a.Node != 0 {
			s += fmt.Sprintf(" on %d", a.Node)
		}
		if a.Cause != "" {
			s += " " + string(a.Cause)
		}
		if a.Prepared {
			s += " prepared"
		}
		return s
	case StopUnit:
		return fmt.Sprintf("stop %d", a.Unit)
	case KillUnit:
		return fmt.Sprintf("kill %d", a.Unit)
	case Drain:
		return fmt.Sprintf("drain %d", a.Unit)
	case Freeze:
		return fmt.Sprintf("freeze %d", a.Unit)
	case Await:
		return fmt.Sprintf("%d awaits %d", a.Trigger, a.Unit)
	case Dispatch:
		s := fmt.Sprintf("dispatch %d to %d %s", a.Trigger, a.Unit, a.Start)
		if a.Cause != "" {
			s += " " + string(a.Cause)
		}
		return s
	case Refuse:
		return fmt.Sprintf("refuse %d %s", a.Trigger, a.Reason)
	case StartNode:
		return fmt.Sprintf("start node %d", a.Node)
	case StopNode:
		return fmt.Sprintf("stop node %d", a.Node)
	}
	return fmt.Sprintf("verb %d", a.Verb)
}

// world is an executor for property tests: it draws durations and faults, and
// holds every action against the contract of the package.
type world struct {
	t        *testing.T
	p        Plane
	rng      *rand.Rand
	slots    int
	lambda   bool // triggers are not queued in units, and callers don't give up
	perNode  int
	limit    int // triggers in flight, 0: none
	faults   bool
	lingers  bool // units stay idle for a while after they were deregistered
	now      time.Duration
	wake     time.Duration // 0: none
	events   []Event       // that will happen
	triggers []string      // waiting, running, or an outcome
	units    []worldUnit   // from 1
	nodes    []string      // from 1: starting, up, gone
	log      []Action      // every action, to compare runs
}

type worldUnit struct {
	state    string // starting, ready, gone
	draining bool
	node     Node
	running  []Trigger
}

func (w *world) run(triggers int, rate float64, after time.Duration) {
	w.units, w.nodes = make([]worldUnit, 1), make([]string, 1)
	w.handle(Event{Kind: Tick})
	next := time.Duration(0)
	for !w.t.Failed() {
		e, ok := w.earliest(len(w.triggers) < triggers, next)
		if !ok || len(w.triggers) == triggers && w.open() == 0 && e.At > next+after {
			break
		}
		w.now = e.At
		if e.Kind == Arrive {
			next += time.Duration(w.rng.ExpFloat64() / rate * float64(time.Second))
			w.triggers = append(w.triggers, "waiting")
		}
		w.happen(e)
		if w.faults && w.rng.IntN(20) == 0 {
			w.fault()
		}
	}
	if w.open() > 0 && !w.t.Failed() {
		w.t.Errorf("%d triggers were never answered", w.open())
	}
}

func (w *world) open() int {
	n := 0
	for _, s := range w.triggers {
		if s == "waiting" || s == "running" {
			n++
		}
	}
	return n
}

func (w *world) earliest(more bool, arrival time.Duration) (Event, bool) {
	best := -1
	for i := range w.events {
		if best < 0 || w.events[i].At < w.events[best].At {
			best = i
		}
	}
	e, ok := Event{}, false
	if best >= 0 {
		e, ok = w.events[best], true
	}
	if w.wake != 0 && (!ok || w.wake < e.At) {
		e, ok, best = Event{Kind: Tick, At: w.wake}, true, -1
	}
	if more && (!ok || arrival < e.At) {
		return Event{Kind: Arrive, At: arrival, Trigger: Trigger(len(w.triggers))}, true
	}
	if best >= 0 {
		w.events = slices.Delete(w.events, best, best+1)
	}
	return e, ok
}

func (w *world) happen(e Event) {
	switch e.Kind {
	case Tick:
		w.wake = 0
	case Ready:
		if w.units[e.Unit].state != "starting" {
			return
		}
		w.units[e.Unit].state = "ready"
	case Done:
		u := &w.units[e.Unit]
		i := slices.Index(u.running, e.Trigger)
		if u.state == "gone" || i < 0 {
			return
		}
		u.running = slices.Delete(u.running, i, i+1)
		w.triggers[e.Trigger] = "served"
	case NodeUp:
		if w.nodes[e.Node] != "starting" {
			return
		}
		w.nodes[e.Node] = "up"
	}
	w.handle(e)
}

// fault lets a unit or a node die, or a caller give up.
func (w *world) fault() {
	switch n := w.rng.IntN(12); {
	case n == 0 && len(w.nodes) > 1:
		id := 1 + w.rng.IntN(len(w.nodes)-1)
		if w.nodes[id] == "gone" {
			return
		}
		w.nodes[id] = "gone"
		for u := range w.units {
			if u > 0 && w.units[u].node == Node(id) {
				w.lose(Unit(u))
			}
		}
		w.handle(Event{Kind: NodeGone, Node: Node(id)})
	case n > 8 && len(w.units) > 1 && w.slots > 1:
		id := Unit(1 + w.rng.IntN(len(w.units)-1))
		if w.units[id].state == "ready" {
			w.handle(Event{Kind: CheckFailed - Kind(w.rng.IntN(2)), Unit: id})
		}
	case n < 4 && len(w.triggers) > 0:
		id := Trigger(len(w.triggers) - 1 - w.rng.IntN(min(len(w.triggers), 20)))
		if w.slots > 1 && !w.lambda && w.triggers[id] == "waiting" {
			w.triggers[id] = "abandoned"
			w.handle(Event{Kind: Abandon, Trigger: id})
		}
	case len(w.units) > 1:
		id := Unit(1 + w.rng.IntN(len(w.units)-1))
		if w.units[id].state != "gone" {
			w.lose(id)
			w.handle(Event{Kind: Gone, Unit: id})
		}
	}
}

// lose fails what a unit that died held.
func (w *world) lose(id Unit) {
	u := &w.units[id]
	if u.state == "gone" {
		return
	}
	for _, t := range u.running {
		w.triggers[t] = "failed"
	}
	*u = worldUnit{state: "gone"}
	for i := range w.log { // an environment that starts holds its trigger already
		if a := w.log[i]; (a.Verb == StartUnit || a.Verb == Await) && a.Unit == id && a.Trigger != NoTrigger && w.triggers[a.Trigger] == "waiting" {
			w.triggers[a.Trigger] = "failed"
		}
	}
}

func (w *world) handle(e Event) {
	e.At = w.now
	acts := w.p.Handle(e, nil)
	for _, a := range acts {
		w.act(a)
	}
	w.log = append(w.log, acts...)
	w.census()
}

func (w *world) later(from, to float64, e Event) {
	e.At = w.now + time.Duration((from+(to-from)*w.rng.Float64())*float64(time.Second))
	w.events = append(w.events, e)
}

func (w *world) act(a Action) {
	bad := func(why string) { w.t.Errorf("at %v: %s: %s", w.now, say(a), why) }
	switch a.Verb {
	case WakeAt:
		if a.At < w.now {
			bad("in the past")
		}
		w.wake = max(a.At, 1)
	case StartUnit:
		if int(a.Unit) != len(w.units) {
			bad("units are not numbered in order")
			return
		}
		if a.Node != 0 && (w.nodes[a.Node] != "up" || w.held(a.Node) >= w.perNode) {
			bad("the node has no room")
		}
		w.units = append(w.units, worldUnit{state: "starting", node: a.Node})
		w.later(0.1, 5, Event{Kind: Ready, Unit: a.Unit})
	case StopUnit:
		u := &w.units[a.Unit]
		if u.state != "ready" || len(u.running) > 0 {
			bad("the unit is not idle")
		}
		*u = worldUnit{state: "gone"}
	case KillUnit:
		if u := &w.units[a.Unit]; u.state != "ready" || len(u.running) == 0 || !u.draining {
			bad("the unit is to be stopped, or to be left alone")
		}
		w.lose(a.Unit)
	case Await:
		if w.units[a.Unit].state != "starting" || w.triggers[a.Trigger] != "waiting" {
			bad("the unit is " + w.units[a.Unit].state + ", the trigger " + w.triggers[a.Trigger])
		}
	case Drain:
		u := &w.units[a.Unit]
		if u.state != "ready" || len(u.running) == 0 && !w.lingers || u.draining {
			bad("the unit has nothing to finish")
		}
		u.draining = true
	case Freeze:
		if u := &w.units[a.Unit]; u.state != "ready" || len(u.running) > 0 {
			bad("the unit is not idle")
		}
	case Dispatch:
		u := &w.units[a.Unit]
		if w.triggers[a.Trigger] != "waiting" {
			bad("the trigger is " + w.triggers[a.Trigger])
		}
		if u.state != "ready" || len(u.running) >= w.slots {
			bad(fmt.Sprintf("the unit is %s with %d running", u.state, len(u.running)))
		}
		if (a.Start == results.StartWarm) != (a.Cause == "") && a.Start != results.StartProvisioned {
			bad("a cold start has a cause, a warm one none")
		}
		u.running = append(u.running, a.Trigger)
		w.triggers[a.Trigger] = "running"
		w.later(0.01, 3, Event{Kind: Done, Unit: a.Unit, Trigger: a.Trigger})
	case Refuse:
		if w.triggers[a.Trigger] != "waiting" || a.Reason == "" {
			bad("the trigger is " + w.triggers[a.Trigger])
		}
		w.triggers[a.Trigger] = "refused"
	case StartNode:
		if int(a.Node) != len(w.nodes) {
			bad("nodes are not numbered in order")
			return
		}
		w.nodes = append(w.nodes, "starting")
		w.later(1, 60, Event{Kind: NodeUp, Node: a.Node})
	case StopNode:
		if w.nodes[a.Node] != "up" || w.held(a.Node) > 0 {
			bad("the node is not empty")
		}
		w.nodes[a.Node] = "gone"
	}
}

func (w *world) held(n Node) int {
	held := 0
	for i := range w.units {
		if u := &w.units[i]; i > 0 && u.node == n && u.state != "gone" {
			held++
		}
	}
	return held
}

// census holds the plane's counts against the world's.
func (w *world) census() {
	var c Census
	inFlight := 0
	for i := range w.units {
		switch u := &w.units[i]; {
		case u.state == "starting":
			c.Starting++
		case u.state == "ready" && len(u.running) > 0:
			c.Busy++
		case u.state == "ready":
			c.Idle++
		}
	}
	for _, n := range w.nodes {
		if n == "up" || n == "starting" {
			c.Nodes++
		}
	}
	for _, s := range w.triggers {
		if s == "waiting" || s == "running" {
			inFlight++
		}
		if s == "waiting" && w.slots > 1 && !w.lambda {
			c.Queued++
		}
	}
	if got := w.p.Census(); got != c {
		w.t.Errorf("at %v: census is %+v, want %+v", w.now, got, c)
	}
	if w.limit > 0 && inFlight > w.limit {
		w.t.Errorf("at %v: %d triggers in flight, over the limit of %d", w.now, inFlight, w.limit)
	}
}
