package plane

import "time"

// A queueGroup is the messages of a FIFO queue that are handed out in order: none while
// others of the group are in flight.
type queueGroup struct {
	ids  []Message // in the order in which they were sent; deleted ones are skipped
	busy int       // in flight
	turn bool      // it waits for its turn
}

// SendIn adds a message to a group of a FIFO queue, with the queue's own delay.
func (q *Queue) SendIn(at time.Duration, group string) Message {
	q.next++
	m := &message{sent: at, group: group}
	q.messages[q.next] = m
	q.counts.Visible++
	g := q.groups[group]
	if g == nil {
		g = &queueGroup{}
		if q.groups == nil {
			q.groups = map[string]*queueGroup{}
		}
		q.groups[group] = g
	}
	g.ids = append(g.ids, q.next)
	if q.rules.Delay > 0 {
		q.hide(q.next, m, delayed, at+q.rules.Delay)
	}
	q.ripen(group)
	return q.next
}

// ripen gives a group its turn, if it has a message to hand out. One without messages is
// forgotten.
func (q *Queue) ripen(name string) {
	g := q.groups[name]
	if g == nil {
		return
	}
	for len(g.ids) > 0 && q.messages[g.ids[0]] == nil {
		g.ids = g.ids[1:]
	}
	switch {
	case len(g.ids) == 0:
		delete(q.groups, name)
	case g.busy == 0 && !g.turn && q.messages[g.ids[0]].state == visible:
		g.turn = true
		q.turns = append(q.turns, name)
	}
}

// landed notes that a message of a FIFO queue is no longer hidden as it was.
func (q *Queue) landed(m *message, was visibility) {
	if g := q.groups[m.group]; g != nil && was == inFlight {
		g.busy--
	}
	q.ripen(m.group)
}

// receiveInOrder is Receive of a FIFO queue: as many as there are of one group, then of
// the next.
func (q *Queue) receiveInOrder(at time.Duration, n int, timeout time.Duration) (got []Delivery, dead, dropped []Message) {
	for n > 0 && len(q.turns) > 0 {
		name := q.turns[0]
		q.turns = q.turns[1:]
		g := q.groups[name]
		if g == nil {
			continue
		}
		g.turn = false
		for _, id := range g.ids {
			m := q.messages[id]
			if m == nil {
				continue
			}
			if n == 0 || m.state != visible {
				break
			}
			switch d, fate := q.take(at, id, m, timeout); fate {
			case taken:
				got = append(got, d)
				g.busy++
				n--
			case expired:
				dropped = append(dropped, id)
			case overReceived:
				dead = append(dead, id)
			}
		}
		q.ripen(name)
	}
	return got, dead, dropped
}
