package plane

// place chooses the node for a unit, or 0 when none has room: in the zone that has the
// fewest units, of those with room.
func (f *Fleet) place() Node {
	best := -1
	var node Node
	for z := range f.room {
		if best >= 0 && f.zones[z] >= f.zones[best] {
			continue
		}
		if n := f.placeIn(&f.room[z]); n != 0 {
			best, node = z, n
		}
	}
	return node
}

func (f *Fleet) placeIn(room *levels) Node {
	if f.rules.Random {
		return Node(room.any(f.rules.PerNode, scatter(uint64(len(f.units)))))
	}
	best, held := Node(0), 0
	for level := range f.rules.PerNode {
		n := Node(room.last(level))
		if n != 0 && (best == 0 || f.rules.Place(level, held)) {
			best, held = n, level
		}
	}
	return best
}

// roomOf is the room of a node's zone. Nodes take zones in turn, as an Auto Scaling
// group balances them.
func (f *Fleet) roomOf(id Node) *levels { return &f.room[f.zone(id)] }

func (f *Fleet) zone(id Node) int { return max(0, int(id)-1) % len(f.room) }

// scatter is a hash (the finaliser of splitmix64).
func scatter(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
