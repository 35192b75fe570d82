package plane

import (
	"container/heap"
	"time"
)

// Message names a message of a Queue, numbered from 1.
type Message int64

// QueueRules are the attributes of a message queue, with the defaults of Amazon
// SQS as zero values (Amazon SQS API reference: CreateQueue).
type QueueRules struct {
	Visibility  time.Duration // how long a received message is hidden; 0: 30 s, negative: not at all
	Delay       time.Duration // before a message that is sent can be received
	Retention   time.Duration // after which a message is dropped; 0: 4 days
	MaxReceives int           // after which a message goes to the dead-letter queue; 0: there is none
	FIFO        bool          // messages are of groups, see SendIn
}

func (r QueueRules) withDefaults() QueueRules {
	switch {
	case r.Visibility == 0:
		r.Visibility = 30 * time.Second
	case r.Visibility < 0:
		r.Visibility = 0
	}
	if r.Retention == 0 {
		r.Retention = 4 * 24 * time.Hour
	}
	return r
}

// Queue is a message queue: what was received stays, hidden, until it is deleted or
// its visibility timeout ends. Messages of a standard queue come in the order in which
// they became visible, which SQS only tries to keep; those of a FIFO queue in the order
// in which they were sent to their group, of which none comes while another is in flight
// (Amazon SQS developer guide: "FIFO queue delivery logic"). What a message says is the
// executor's. Like a plane it is pure; times never decrease. Build it with
// NewQueue.
type Queue struct {
	rules    QueueRules
	next     Message
	messages map[Message]*message
	ready    []Message // visible, first at the front; deleted ones are skipped
	hidden   alarms
	counts   QueueCounts
	groups   map[string]*queueGroup // of a FIFO queue, that have messages
	turns    []string               // of these, with a message to hand out
}

// message is one that is neither deleted, dropped nor dead.
type message struct {
	sent, first time.Duration
	receives    int
	state       visibility
	until       time.Duration // hidden
	group       string        // of a FIFO queue's
}

type visibility uint8

const (
	visible visibility = iota
	delayed
	inFlight
)

// Delivery is a message that was received. Receives tells one receipt of it from
// another.
type Delivery struct {
	Message  Message
	Receives int           // so far, with this one
	Sent     time.Duration // when it was sent
	First    time.Duration // when it was first received
}

// QueueCounts is how many messages there are.
type QueueCounts struct{ Visible, InFlight, Delayed int }

// NewQueue returns an empty queue.
func NewQueue(r QueueRules) *Queue {
	return &Queue{rules: r.withDefaults(), messages: map[Message]*message{}}
}

// SetRules changes the attributes: for what is sent and received from now on, and
// of retention and redrive for all.
func (q *Queue) SetRules(r QueueRules) { q.rules = r.withDefaults() }

// Rules are the attributes, with their defaults filled in.
func (q *Queue) Rules() QueueRules { return q.rules }

// Send adds a message. A negative delay is the queue's own.
func (q *Queue) Send(at, delay time.Duration) Message {
	if delay < 0 {
		delay = q.rules.Delay
	}
	q.next++
	m := &message{sent: at}
	q.messages[q.next] = m
	q.counts.Visible++
	if delay == 0 {
		q.ready = append(q.ready, q.next)
		return q.next
	}
	q.hide(q.next, m, delayed, at+delay)
	return q.next
}

func (q *Queue) hide(id Message, m *message, how visibility, until time.Duration) {
	q.count(m.state, -1)
	m.state, m.until = how, until
	q.count(how, 1)
	heap.Push(&q.hidden, alarm{until, id})
}

func (q *Queue) count(v visibility, n int) {
	switch v {
	case visible:
		q.counts.Visible += n
	case delayed:
		q.counts.Delayed += n
	case inFlight:
		q.counts.InFlight += n
	}
}

// appear makes visible what is due.
func (q *Queue) appear(at time.Duration) {
	for len(q.hidden) > 0 && q.hidden[0].at <= at {
		a := heap.Pop(&q.hidden).(alarm)
		m := q.messages[a.message]
		if m == nil || m.state == visible || m.until != a.at {
			continue // deleted, or hidden anew
		}
		was := m.state
		q.count(was, -1)
		m.state = visible
		q.count(visible, 1)
		if q.rules.FIFO {
			q.landed(m, was)
		} else {
			q.ready = append(q.ready, a.message)
		}
	}
}

// Receive takes up to n visible messages and hides them: for the queue's own
// visibility timeout if that of the call is negative. What was received too often
// is dead: it leaves the queue, for the dead-letter queue. What has outlived the
// retention is dropped.
func (q *Queue) Receive(at time.Duration, n int, timeout time.Duration) (got []Delivery, dead, dropped []Message) {
	if timeout < 0 {
		timeout = q.rules.Visibility
	}
	q.appear(at)
	if q.rules.FIFO {
		return q.receiveInOrder(at, n, timeout)
	}
	for n > 0 && len(q.ready) > 0 {
		id := q.ready[0]
		q.ready = q.ready[1:]
		m := q.messages[id]
		if m == nil || m.state != visible {
			continue
		}
		switch d, fate := q.take(at, id, m, timeout); fate {
		case taken:
			got = append(got, d)
			n--
		case expired:
			dropped = append(dropped, id)
		case overReceived:
			dead = append(dead, id)
		}
	}
	return got, dead, dropped
}

// fate is what becomes of a message that is received.
type fate uint8

const (
	taken fate = iota
	expired
	overReceived
)

// take hides a visible message for who receives it, or removes it.
func (q *Queue) take(at time.Duration, id Message, m *message, timeout time.Duration) (d Delivery, f fate) {
	switch {
	case at-m.sent >= q.rules.Retention:
		q.remove(id, m)
		return d, expired
	case q.rules.MaxReceives > 0 && m.receives >= q.rules.MaxReceives:
		q.remove(id, m)
		return d, overReceived
	}
	if m.receives++; m.receives == 1 {
		m.first = at
	}
	q.hide(id, m, inFlight, at+timeout)
	return Delivery{Message: id, Receives: m.receives, Sent: m.sent, First: m.first}, taken
}

func (q *Queue) remove(id Message, m *message) {
	q.count(m.state, -1)
	delete(q.messages, id)
}

// Delete removes a message for who received it last, and reports whether it was
// there. A receipt that is not the last has no effect, nor has one of a FIFO queue whose
// visibility timeout has ended.
func (q *Queue) Delete(id Message, receives int) bool {
	m := q.messages[id]
	if m == nil || m.receives != receives || q.rules.FIFO && m.state != inFlight {
		return false
	}
	was := m.state
	q.remove(id, m)
	if q.rules.FIFO {
		q.landed(m, was)
	}
	return true
}

// Hide changes how long from now a message that is in flight stays hidden; 0
// shows it at once. It reports whether it was in flight by this receipt.
func (q *Queue) Hide(at time.Duration, id Message, receives int, timeout time.Duration) bool {
	q.appear(at)
	m := q.messages[id]
	if m == nil || m.receives != receives || m.state != inFlight {
		return false
	}
	q.hide(id, m, inFlight, at+timeout)
	q.appear(at)
	return true
}

// Purge removes every message.
func (q *Queue) Purge() {
	clear(q.messages)
	q.ready, q.hidden, q.counts = nil, nil, QueueCounts{}
	q.groups, q.turns = nil, nil
}

// Counts counts messages now.
func (q *Queue) Counts(at time.Duration) QueueCounts {
	q.appear(at)
	return q.counts
}

// Next is when a hidden message will be visible, at the earliest; false if none
// is hidden.
func (q *Queue) Next(at time.Duration) (time.Duration, bool) {
	q.appear(at)
	for len(q.hidden) > 0 {
		a := q.hidden[0]
		if m := q.messages[a.message]; m != nil && m.state != visible && m.until == a.at {
			return a.at, true
		}
		heap.Pop(&q.hidden)
	}
	return 0, false
}

// alarm is when a message becomes visible, if it isn't hidden anew until then.
type alarm struct {
	at      time.Duration
	message Message
}

// alarms is a heap by time, then by message.
type alarms []alarm

func (a alarms) Len() int { return len(a) }
func (a alarms) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].message < a[j].message
}
func (a alarms) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *alarms) Push(x any)   { *a = append(*a, x.(alarm)) }
func (a *alarms) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}
