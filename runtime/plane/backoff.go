package plane

import "time"

// Backoff delays the start of a unit in the place of one that died: the first is started
// at once, the next after Least, then after twice as long each time, up to Most. After a
// time Reset without a death it begins anew. The zero value delays nothing.
type Backoff struct {
	Least, Most, Reset time.Duration
	Starting           bool // deaths of units that were never ready alone count
	// Each delays the successors of each unit by its own deaths, and nothing else;
	// otherwise the deaths of all together delay every launch.
	Each bool
}

var (
	// CrashLoop is Kubernetes' CrashLoopBackOff (kubelet: 10 s, doubled up to 300 s,
	// reset after 10 minutes), which each container has for itself.
	CrashLoop = Backoff{Least: 10 * time.Second, Most: 300 * time.Second, Reset: 10 * time.Minute, Each: true}
	// ServiceThrottle is that of ECS for tasks that never reach RUNNING (AWS: "Service
	// throttle logic", at most 15 minutes). How it grows is not published: taken to
	// double from 10 s.
	ServiceThrottle = Backoff{Least: 10 * time.Second, Most: 15 * time.Minute, Reset: 15 * time.Minute, Starting: true}
)

// With is b with those times in the place of its own that are not 0. Most is not less than
// Least.
func (b Backoff) With(least, most, reset time.Duration) Backoff {
	b.Least, b.Most, b.Reset = or(least, b.Least), or(most, b.Most), or(reset, b.Reset)
	b.Most = max(b.Most, b.Least)
	return b
}

// deaths are those in a row of a fleet, or of a unit and those before it in its place.
type deaths struct {
	n           int
	last, delay time.Duration
}

// another counts one more.
func (d deaths) another(b Backoff, at time.Duration) deaths {
	if d.n > 0 && at-d.last > b.Reset+d.delay {
		d.n = 0
	}
	d.delay = 0
	if d.n > 0 {
		d.delay = b.Least
		for range min(d.n-1, 30) {
			d.delay = min(2*d.delay, b.Most)
		}
	}
	return deaths{n: d.n + 1, last: at, delay: d.delay}
}

// died counts a death towards the back-off.
func (f *Fleet) died(e Event) {
	b, u := f.rules.Backoff, f.unit(e.Unit)
	switch {
	case b.Least <= 0 || u == nil || u.state == unitGone || u.draining || b.Starting && u.state != unitStarting:
	case b.Each:
		d := u.deaths.another(b, e.At)
		f.missed.push(missing{since: e.At, until: e.At + d.delay, deaths: d})
	default:
		f.deaths = f.deaths.another(b, e.At)
		f.heldUntil = max(f.heldUntil, e.At+f.deaths.delay)
	}
}

// missing is a unit that there should be.
type missing struct {
	since  time.Duration
	until  time.Duration // it is not started before
	deaths deaths        // of those in whose place it is
}

// miss notes since when units are missing. Of ones that are no longer wanted the youngest
// is forgotten.
func (f *Fleet) miss(at time.Duration) {
	for f.missed.len() < f.want-f.alive {
		f.missed.push(missing{since: at})
	}
	for f.missed.len() > max(0, f.want-f.alive) {
		f.missed.popBack()
	}
}

// next is the first missing unit that may start now, or, after at, when there will be one.
func (f *Fleet) next(at time.Duration) (_ missing, when time.Duration) {
	if f.heldUntil > at {
		return missing{}, f.heldUntil
	}
	for _, m := range f.missed.all() {
		if m.until <= at {
			return m, at
		}
		when = earliest(when, m.until)
	}
	return missing{}, when
}
