package plane

// router chooses among the units that a load balancer sends to.
type router interface {
	add(Unit)
	remove(Unit)
	load(Unit, int) // how many triggers the unit holds now
	pick() Unit     // 0: there is none
}

// roundRobin takes units in turn (AWS: the default of an Application Load
// Balancer's target group).
type roundRobin struct {
	units []Unit
	next  int
}

var _ router = (*roundRobin)(nil)

func (r *roundRobin) add(u Unit)     { r.units = append(r.units, u) }
func (r *roundRobin) load(Unit, int) {}
func (r *roundRobin) remove(u Unit)  { r.units = removeUnit(r.units, u) }

func (r *roundRobin) pick() Unit {
	if len(r.units) == 0 {
		return 0
	}
	r.next = (r.next + 1) % len(r.units)
	return r.units[r.next]
}

// leastOutstanding takes the unit with the fewest triggers in it (AWS: the
// algorithm "least outstanding requests").
type leastOutstanding struct {
	by    levels
	least int // no unit holds less
}

var _ router = (*leastOutstanding)(nil)

func (r *leastOutstanding) add(u Unit) {
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

func (r *leastOutstanding) pick() Unit {
	if r.by.n == 0 {
		return 0
	}
	for r.by.last(r.least) == 0 {
		r.least++
	}
	return Unit(r.by.last(r.least))
}
