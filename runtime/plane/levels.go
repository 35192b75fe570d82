package plane

// levels sorts things that are numbered from 1 into lists by a small number, a
// load, such that putting, taking and finding one takes constant time. The zero
// value is empty.
type levels struct {
	lists [][]int32
	place []place // by number
	n     int
}

// place says that a thing is lists[level][at-1]; at is 0 for one that is in no
// list.
type place struct{ level, at int32 }

// put adds id, which is in no list, to a level.
func (l *levels) put(id int32, level int) {
	for len(l.place) <= int(id) {
		l.place = append(l.place, place{})
	}
	for len(l.lists) <= level {
		l.lists = append(l.lists, nil)
	}
	l.lists[level] = append(l.lists[level], id)
	l.place[id] = place{int32(level), int32(len(l.lists[level]))}
	l.n++
}

// take removes id, and reports whether it was in a list.
func (l *levels) take(id int32) bool {
	if int(id) >= len(l.place) || l.place[id].at == 0 {
		return false
	}
	p := l.place[id]
	list := l.lists[p.level]
	end := list[len(list)-1]
	list[p.at-1] = end
	l.place[end].at = p.at
	l.lists[p.level] = list[:len(list)-1]
	l.place[id].at = 0
	l.n--
	return true
}

// last returns the last thing of a level, or 0.
func (l *levels) last(level int) int32 {
	if level >= len(l.lists) || len(l.lists[level]) == 0 {
		return 0
	}
	list := l.lists[level]
	return list[len(list)-1]
}

// any returns one of the things below a level, chosen by a hash, or 0.
func (l *levels) any(below int, hash uint64) int32 {
	lists := l.lists[:min(below, len(l.lists))]
	n := 0
	for _, list := range lists {
		n += len(list)
	}
	if n == 0 {
		return 0
	}
	i := int(hash % uint64(n))
	for _, list := range lists {
		if i < len(list) {
			return list[i]
		}
		i -= len(list)
	}
	return 0
}
