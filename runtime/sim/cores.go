package sim

import "math"

// cores is this machine's processor: n cores shared evenly by all work that is
// active, none of which can use more than one (processor sharing). Work is
// ordered by the virtual time at which it will be done, which passes as fast as
// a piece of work gets on: at min(1, n/active).
type cores struct {
	n       float64
	jobs    []job // a binary min-heap on end
	virtual float64
	at      int64
}

// job is work after which event happens, wait later.
type job struct {
	end   float64 // virtual time
	wait  int64
	event pending
}

func (c *cores) speed() float64 { return math.Min(1, c.n/float64(max(1, len(c.jobs)))) }

// reach moves the virtual time on to the real time at.
func (c *cores) reach(at int64) {
	c.virtual += float64(at-c.at) * c.speed()
	c.at = at
}

func (c *cores) push(p pending, now, work, wait int64) {
	c.reach(now)
	c.jobs = append(c.jobs, job{end: c.virtual + float64(work), wait: wait, event: p})
	h := c.jobs
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if h[up].end <= h[i].end {
			break
		}
		h[up], h[i] = h[i], h[up]
		i = up
	}
}

// next is the real time at which the next work is done, or never.
func (c *cores) next(now int64) int64 {
	if len(c.jobs) == 0 {
		return never
	}
	left := math.Max(0, c.jobs[0].end-c.virtual)
	return max(now, c.at+int64(math.Ceil(left/c.speed())))
}

// pop removes the work that is done at the time at and returns its event, to
// happen after its wait.
func (c *cores) pop(at int64) pending {
	c.reach(at)
	h := c.jobs
	top, n := h[0], len(h)-1
	h[0] = h[n]
	h = h[:n]
	c.jobs = h
	for i := 0; ; {
		least := 2*i + 1
		if least >= n {
			break
		}
		if r := least + 1; r < n && h[r].end < h[least].end {
			least = r
		}
		if h[i].end <= h[least].end {
			break
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
	top.event.at = at + top.wait
	return top.event
}
