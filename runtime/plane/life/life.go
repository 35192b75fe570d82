// Package life says how long units and nodes were in each state: a task, a pod or an
// instance from the moment at which the rules miss it to its end, in the words of the
// service that shows it.
//
// An executor of plane.Fleet enters Stages, which are the same for every service. Words
// names them; neighbours of one name are one state. An executor that does not know a
// stage leaves it out, and there is no row of it: no time is made up.
package life

import "time"

// Stage is how far a unit or node has come.
type Stage uint8

// The stages, in their order.
const (
	Missing  Stage = iota // the rules want it, and it waits for room or for a launch
	Placed                // it has its place; its network and image are brought there
	Creating              // its sandbox is being made
	Starting              // its process runs, and is not ready
	Serving               // the load balancer sends to it; of a node: it takes units
	Draining              // it gets nothing more, and finishes what it holds
	Stopping              // its process is told to end
	Removing              // its process has ended; what it held is taken away
	Ended
	stages
)

// Record is the lives of units, or of nodes. The zero value has none.
type Record struct {
	lives []entered
	at    map[int32]int // in lives, by the unit's number
}

// entered is a life: stages and when they began, ascending both.
type entered []struct {
	stage Stage
	at    time.Duration
}

// Enter notes that a unit's stage s began at a time, which may lie ahead. A stage that it
// is in already or has left changes nothing: it can be told by everyone who knows of it.
func (r *Record) Enter(unit int32, s Stage, at time.Duration) {
	i, known := r.at[unit]
	if !known {
		if r.at == nil {
			r.at = map[int32]int{}
		}
		i = len(r.lives)
		r.at[unit] = i
		r.lives = append(r.lives, nil)
	}
	l := r.lives[i]
	if n := len(l); n > 0 {
		if s <= l[n-1].stage {
			return
		}
		at = max(at, l[n-1].at)
	}
	r.lives[i] = append(l, struct {
		stage Stage
		at    time.Duration
	}{s, at})
}
