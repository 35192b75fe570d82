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
// algorithm "least outstanding requests"). Units stand in a list for each
// number, so that every operation takes constant time.
type leastOutstanding struct {
	lists [][]Unit
	place []place // by unit
	least int     // no list below holds a unit
	n     int
}

type place struct {
	load, at int32 // lists[load][at]; at is -1 for a unit that is not routed to
}

var _ router = (*leastOutstanding)(nil)

func (r *leastOutstanding) add(u Unit) {
	for len(r.place) <= int(u) {
		r.place = append(r.place, place{at: -1})
	}
	r.n++
	r.put(u, 0)
}

func (r *leastOutstanding) remove(u Unit) {
	if int(u) < len(r.place) && r.place[u].at >= 0 {
		r.n--
		r.take(u)
	}
}

func (r *leastOutstanding) load(u Unit, n int) {
	if int(u) < len(r.place) && r.place[u].at >= 0 {
		r.take(u)
		r.put(u, n)
	}
}

func (r *leastOutstanding) pick() Unit {
	if r.n == 0 {
		return 0
	}
	for len(r.lists[r.least]) == 0 {
		r.least++
	}
	list := r.lists[r.least]
	return list[len(list)-1]
}

func (r *leastOutstanding) put(u Unit, load int) {
	for len(r.lists) <= load {
		r.lists = append(r.lists, nil)
	}
	r.place[u] = place{load: int32(load), at: int32(len(r.lists[load]))}
	r.lists[load] = append(r.lists[load], u)
	r.least = min(r.least, load)
}

func (r *leastOutstanding) take(u Unit) {
	p := r.place[u]
	list := r.lists[p.load]
	last := list[len(list)-1]
	list[p.at] = last
	r.place[last].at = p.at
	r.lists[p.load] = list[:len(list)-1]
	r.place[u].at = -1
}
