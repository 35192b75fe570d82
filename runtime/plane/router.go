package plane

import "time"

// router chooses among the units that a load balancer sends to.
type router interface {
	add(Unit, time.Duration)
	remove(Unit)
	load(Unit, int)          // how many triggers the unit holds now
	pick(time.Duration) Unit // 0: there is none
}

// roundRobin takes units in turn (AWS: the default of an Application Load
// Balancer's target group). A unit in slow start lets turns pass, so that its share
// grows with its age.
type roundRobin struct {
	units []Unit
	next  int

	slow  time.Duration
	young map[Unit]*youth
}

type youth struct {
	since time.Duration
	turns float64 // that it has saved
}

var _ router = (*roundRobin)(nil)

func (r *roundRobin) load(Unit, int) {}

func (r *roundRobin) add(u Unit, at time.Duration) {
	if r.slow > 0 && len(r.units) > len(r.young) { // else there is no other for the rest
		if r.young == nil {
			r.young = make(map[Unit]*youth)
		}
		r.young[u] = &youth{since: at}
	}
	r.units = append(r.units, u)
}

func (r *roundRobin) remove(u Unit) {
	r.units = removeUnit(r.units, u)
	delete(r.young, u)
}

func (r *roundRobin) pick(at time.Duration) Unit {
	if len(r.units) == 0 {
		return 0
	}
	for range r.units {
		r.next = (r.next + 1) % len(r.units)
		if u := r.units[r.next]; len(r.young) == 0 || r.takes(u, at) {
			return u
		}
	}
	return r.units[r.next] // all are young
}

// takes reports whether a unit takes its turn.
func (r *roundRobin) takes(u Unit, at time.Duration) bool {
	y := r.young[u]
	if y == nil {
		return true
	}
	if at-y.since >= r.slow {
		delete(r.young, u)
		return true
	}
	if y.turns += float64(at-y.since) / float64(r.slow); y.turns < 1 {
		return false
	}
	y.turns--
	return true
}

// leastOutstanding takes the unit with the fewest triggers in it (AWS: the
// algorithm "least outstanding requests").
type leastOutstanding struct {
	by    levels
	least int // no unit holds less
}

var _ router = (*leastOutstanding)(nil)

func (r *leastOutstanding) add(u Unit, _ time.Duration) {
	r.by.put(int32(u), 0)
	r.least = 0
}

func (r *leastOutstanding) remove(u Unit) { r.by.take(int32(u)) }

func (r *leastOutstanding) load(u Unit, n int) {
	if r.by.take(int32(u)) {
		r.by.put(int32(u), n)
		r.least = min(r.least, n)
	}
}

func (r *leastOutstanding) pick(time.Duration) Unit {
	if r.by.n == 0 {
		return 0
	}
	for r.by.last(r.least) == 0 {
		r.least++
	}
	return Unit(r.by.last(r.least))
}
