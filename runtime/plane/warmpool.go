package plane

import "time"

// WarmPool keeps instances that were initialised before they are wanted. A launch takes
// one from there, if there is one. The pool holds what was prepared for the group beyond
// its desired capacity, so that it shrinks as the group grows, and fills again when that
// shrinks; what it holds too much of is terminated (AWS: warm pools of an Auto Scaling
// group, MaxGroupPreparedCapacity, with a MinSize of 0 and no reuse on scale-in).
type WarmPool struct {
	// Capacity is the instances in the group and the pool together; 0 is no pool.
	Capacity int
	// Prepare is the time from the launch of an instance until it waits in the pool.
	Prepare time.Duration
}

// warmPool is a Fleet's.
type warmPool struct {
	waiting fifo[time.Duration] // since when each waits; none decreases
	coming  fifo[time.Duration] // when those that are prepared will wait; none decreases
	waited  []time.Duration     // how long those did that have left
}

// WarmPool is how many instances are in the pool or on their way there.
func (f *Fleet) WarmPool() int { return f.pool.waiting.len() + f.pool.coming.len() }

// Waited is how long instances have waited in the pool, of each that was taken or
// terminated, and how many wait there still. The caller must not change the list.
func (f *Fleet) Waited() (left []time.Duration, still int) {
	return f.pool.waited, f.pool.waiting.len()
}

// leave takes the instance out that waits longest.
func (p *warmPool) leave(at time.Duration) { p.waited = append(p.waited, at-p.waiting.pop()) }

// pooled takes an instance from the pool, if one waits there.
func (f *Fleet) pooled(at time.Duration) bool {
	f.prepared(at)
	if f.pool.waiting.len() == 0 {
		return false
	}
	f.pool.leave(at)
	return true
}

// prepared lets those that are ready by now wait in the pool.
func (f *Fleet) prepared(at time.Duration) {
	for f.pool.coming.len() > 0 && *f.pool.coming.front() <= at {
		f.pool.waiting.push(f.pool.coming.pop())
	}
}

// prepare keeps the pool at its size. It was full before the first event.
func (f *Fleet) prepare(at time.Duration) {
	rules := f.rules.WarmPool
	if rules.Capacity == 0 {
		return
	}
	f.prepared(at)
	size := max(0, rules.Capacity-f.want)
	for f.WarmPool() < size {
		f.pool.coming.push(at + rules.Prepare)
	}
	for f.WarmPool() > size && f.pool.waiting.len() > 0 { // those on their way will be more than it then holds
		f.pool.leave(at)
	}
}
