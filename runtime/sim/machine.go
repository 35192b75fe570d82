package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/plane/life"
)

const never = math.MaxInt64

// arrivals hands out the times at which triggers arrive, in nanoseconds from
// the start, ascending.
type arrivals interface {
	next() (at int64, ok bool)
}

// schedule is arrivals at given times.
type schedule []time.Duration

func (s *schedule) next() (int64, bool) {
	if len(*s) == 0 {
		return never, false
	}
	at := int64((*s)[0])
	*s = (*s)[1:]
	return at, true
}

// poisson is n arrivals of a Poisson stream.
type poisson struct {
	rng  *rand.Rand
	mean float64 // nanoseconds between two
	at   float64
	n    int
}

func (p *poisson) next() (int64, bool) {
	if p.n == 0 {
		return never, false
	}
	p.n--
	p.at += p.mean * p.rng.ExpFloat64()
	return int64(p.at), true
}

// machine executes the actions of one plane in virtual time.
type machine struct {
	plane  plane.Plane
	timing timing
	rng    *rand.Rand
	book   *book
	front  *front  // an event source before the plane; nil: triggers are requests
	states *states // nil: not kept
	cores  *cores  // this host's processor; nil on AWS
	slots  []slots // for launches on this host, by function

	now    int64
	events queue
	wake   int64 // the plane's wake-up, or never
	mark   int64 // when the book looks at the census next, or never
	boot   bool  // what starts now has been there before the first trigger

	settled bool // every trigger is answered

	acts     []plane.Action
	triggers window
	units    []unit // from 1
	nodes    []unit // from 1
}

type trigger struct {
	arrived  int64
	init     int64 // of the unit that started for it
	service  int64
	overhead int64 // transport, on this host
	unit     int32 // that serves it
	state    triggerState
	start    startIndex
}

type triggerState uint8

const (
	triggerWaiting triggerState = iota
	triggerRunning
	triggerAnswered  // served, refused, failed or timed out
	triggerForgotten // answered, and no event of it is to come
)

// unit is a unit of capacity or a node as it is billed.
type unit struct {
	from    int64 // asked for
	init    int64 // init duration
	served  int32
	running int32 // triggers that it serves
	gone    bool

	pulls bool  // of a node: a unit on it has begun to pull the image
	image int64 // of a node: when the image is there
}

func newMachine(p plane.Plane, t timing, seed int64, b *book) *machine {
	m := &machine{units: make([]unit, 1, 64), nodes: make([]unit, 1, 16)}
	m.renew(p, t, seed, b)
	return m
}

// renew makes m a new machine, which keeps its memory.
func (m *machine) renew(p plane.Plane, t timing, seed int64, b *book) {
	*m = machine{
		plane: p, timing: t, book: b, wake: never, mark: b.mark(),
		rng:    rand.New(rand.NewPCG(uint64(seed), 0x636f6c6473746f72)),
		events: m.events.emptied(), triggers: window{ring: m.triggers.ring},
		units: m.units[:1], nodes: m.nodes[:1], acts: m.acts,
	}
}

// run lets the triggers of a arrive and goes on until all of them are answered
// and, beyond that, to the time until (nanoseconds).
func (m *machine) run(a arrivals, until int64) error {
	m.bootstrap()
	next, more := a.next()
	for more || m.book.open > 0 || m.now < until {
		m.settled = !more && m.book.open == 0
		event := m.events.next()
		at := min(m.wake, next, event, m.front.next())
		if m.cores != nil {
			at = min(at, m.cores.next(m.now))
		}
		if at == never || m.settled && at > until {
			break
		}
		if at < m.now {
			return fmt.Errorf("time runs backwards: an event at %v after %v", time.Duration(at), time.Duration(m.now))
		}
		m.advance(at)
		switch {
		case event == at:
			m.happen(m.events.pop())
		case m.cores != nil && m.cores.next(at) <= at:
			m.events.push(m.cores.pop(at))
		case m.wake == at:
			m.wake = never
			m.handle(plane.Event{Kind: plane.Tick})
		case m.front.next() == at:
			m.front.tick()
		default:
			m.arrive()
			if next, more = a.next(); !more {
				m.book.lastArrival(m.now)
			}
		}
	}
	if m.book.open > 0 {
		return fmt.Errorf("%d triggers were never answered: the plane has no work left", m.book.open)
	}
	m.settled = true
	if m.now < until {
		m.advance(until)
	}
	return m.book.err
}

// bootstrap gives the plane its first event and lets everything that it starts
// be ready at once: the capacity that stood before the first trigger.
func (m *machine) bootstrap() {
	m.boot = true
	m.handle(plane.Event{Kind: plane.Tick})
	for m.events.next() == 0 {
		m.happen(m.events.pop())
	}
	m.boot = false
}

func (m *machine) advance(at int64) {
	if at >= m.mark {
		m.mark = m.book.reach(at, m)
	}
	m.now = at
}

func (m *machine) arrive() {
	if m.front != nil {
		m.front.publish()
		return
	}
	t := m.triggers.add(m.now)
	m.book.arrived(m.now)
	m.handle(plane.Event{Kind: plane.Arrive, Trigger: t})
}

// happen hands a pending event to the plane, after its effects on the books.
func (m *machine) happen(p pending) {
	e := plane.Event{Kind: p.kind, Trigger: p.trigger}
	switch p.kind {
	case launched:
		m.launched(p.id)
		return
	case spent:
		return
	case plane.NodeUp:
		e.Node = plane.Node(p.id)
		if m.nodes[p.id].gone {
			return
		}
		m.states.node(p.id, life.Serving, m.now)
	case plane.Ready:
		e.Unit = plane.Unit(p.id)
		if m.units[p.id].gone {
			return
		}
		m.states.unit(p.id, life.Serving, m.now)
	case plane.Done:
		if m.units[p.id].gone { // lost with its unit
			m.triggers.done(p.trigger)
			return
		}
		e.Unit = plane.Unit(p.id)
		m.answer(p.trigger, p.id)
		if rest := m.timing.rest(m.triggers.of(p.trigger).service); rest > 0 {
			m.events.push(pending{at: m.now + rest, kind: rested, id: p.id, trigger: p.trigger})
			return
		}
		m.units[p.id].running--
	case rested:
		if m.units[p.id].gone {
			m.triggers.done(p.trigger)
			return
		}
		e.Kind, e.Unit = plane.Done, plane.Unit(p.id)
		m.units[p.id].running--
	case plane.Gone: // over the function's timeout
		e.Unit = plane.Unit(p.id)
		m.timeOut(p.trigger, p.id)
	}
	m.handle(e)
	if p.trigger != plane.NoTrigger {
		m.triggers.done(p.trigger)
	}
}

func (m *machine) answer(id plane.Trigger, u int32) {
	t := m.triggers.of(id)
	if t.state != triggerRunning {
		m.fault("unit %d finished trigger %d, which it does not serve", u, id)
		return
	}
	t.state = triggerAnswered
	if m.front != nil {
		m.front.served(id, t)
		return
	}
	if g := m.timing.gateway; g > 0 && m.now-t.arrived > g {
		m.book.timedOut(int(id), t, string(plane.ReasonGatewayTimeout), m.now)
		return
	}
	m.book.served(int(id), t, m.now)
}

// functionTimeout is why an invocation over its timeout was not served.
const functionTimeout = "FunctionTimeout"

// lose fails the triggers that a unit serves, which is killed under them.
func (m *machine) lose(u int32) {
	for id := m.triggers.oldest; id < m.triggers.after; id++ {
		t := m.triggers.of(id)
		if t.state != triggerRunning || t.unit != u {
			continue
		}
		t.state = triggerAnswered // and done with once its event has come
		if g := m.timing.gateway; g > 0 && m.now-t.arrived > g {
			m.book.timedOut(int(id), t, string(plane.ReasonGatewayTimeout), m.now)
			continue
		}
		m.book.refused(int(id), t, plane.ReasonUnitLost, m.now)
	}
	m.units[u].running = 0
}

func (m *machine) timeOut(id plane.Trigger, u int32) {
	t := m.triggers.of(id)
	t.state = triggerAnswered
	if m.front != nil {
		m.front.timedOut(id, t, functionTimeout)
	} else {
		m.book.timedOut(int(id), t, functionTimeout, m.now)
	}
	m.units[u].running = 0
	m.retire(u)
}

func (m *machine) handle(e plane.Event) {
	e.At = time.Duration(m.now)
	m.acts = m.plane.Handle(e, m.acts[:0])
	for i := range m.acts {
		m.act(&m.acts[i])
	}
	if m.book.bill.warmPool {
		m.book.bill.pool(m.plane.(*plane.Fleet).WarmPool(), m.now, m.book)
	}
}

// fault keeps the first breach of the contract between plane and executor.
func (m *machine) fault(format string, args ...any) {
	if m.book.err == nil {
		m.book.err = fmt.Errorf("at %v: "+format, append([]any{time.Duration(m.now)}, args...)...)
	}
}

// startIndex numbers the kinds of start.
type startIndex uint8

const (
	startCold startIndex = iota
	startWarm
	startProvisioned
	startRestored
	startKinds
)

var startNames = [startKinds]results.Start{
	results.StartCold, results.StartWarm, results.StartProvisioned, results.StartRestored,
}

func indexOf(s results.Start) startIndex {
	switch s {
	case results.StartCold:
		return startCold
	case results.StartProvisioned:
		return startProvisioned
	case results.StartRestored:
		return startRestored
	}
	return startWarm
}
