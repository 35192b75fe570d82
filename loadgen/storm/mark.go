package storm

import "time"

// Mark says of one trigger what its time does not: at which function it goes,
// and whether it is to find no environment ready. The zero value is a trigger
// like any other at the one function that there is.
type Mark struct {
	// Function is the position, from 0, among the functions that the storm is
	// spread over, the most popular first.
	Function int
	// Cold asks for a cold start. A schedule can't make one: who fires it sends
	// the trigger to a copy of the function that keeps no environment, or that was
	// idle for longer than its keep-alive.
	Cold bool
}

// number is the mark as a number, to be hashed.
func (m Mark) number() uint64 {
	n := uint64(m.Function) << 1
	if m.Cold {
		n++
	}
	return n
}

// marker is a schedule that marks its triggers.
type marker interface {
	// Functions is the number of functions, 1 or more.
	Functions() int
	// Mark returns the mark of trigger i.
	Mark(i int) Mark
	// Chilling says whether some trigger may be marked cold.
	Chilling() bool
}

// MarkOf returns the mark of trigger i; the zero Mark of schedules that don't
// mark.
func MarkOf(s Schedule, i int) Mark {
	if m, ok := s.(marker); ok {
		return m.Mark(i)
	}
	return Mark{}
}

// Functions returns over how many functions the schedule is spread: 1 unless it
// says otherwise. MarkOf names positions below that.
func Functions(s Schedule) int {
	if m, ok := s.(marker); ok {
		return max(1, m.Functions())
	}
	return 1
}

// Chilling reports whether some triggers of the schedule may be marked cold.
func Chilling(s Schedule) bool {
	m, ok := s.(marker)
	return ok && m.Chilling()
}

// looper is a closed schedule of several clients.
type looper interface {
	Clients() int
	Think(i int) time.Duration
}

// Clients returns how many clients a closed schedule has, each of which sends
// its next trigger when its last is answered and it has thought: 1 unless the
// schedule says otherwise, 0 of an open one. Trigger i is sent by whichever
// client is free next; before all but its first it thinks for Think(s, i).
func Clients(s Schedule) int {
	if !Closed(s) {
		return 0
	}
	if l, ok := s.(looper); ok {
		return max(1, min(l.Clients(), s.Len()))
	}
	return 1
}

// Think returns how long the client that sends trigger i of a closed schedule
// waits before it, counted from the answer to that client's trigger before; 0
// where the schedule says nothing. A client's first trigger is sent at once,
// whatever Think says of it.
func Think(s Schedule, i int) time.Duration {
	if l, ok := s.(looper); ok {
		return l.Think(i)
	}
	return 0
}
