package sim

import (
	"math/rand/v2"

	"coldstorm/runtime/plane/life"
)

// timing is how long things take in one model.
type timing struct {
	// A unit starts in the sum of before, what comes before init, and init.
	before   []part
	network  int64 // of before, what the network interface takes: a task waits for it in PROVISIONING
	init     dist
	least    dist // of init; its zero value is none
	billInit bool // init is billed with the invocation that waited for it
	restore  bool // a start is a restore from a snapshot

	stop int64 // how long a unit's process takes to end once it was told to

	node dist // a node's start
	// pull is how long the first unit on a new node takes to bring the image there, in the
	// stage pullIn; 0: nodes come with it.
	pull   int64
	pullIn life.Stage

	// A unit that waited in a warm pool starts in prepared, in the place of before; with
	// running, its process is initialised already.
	prepared dist
	running  bool

	slots int // triggers that a unit may serve at once
	// hold is how much longer than its service time a trigger takes its slot;
	// 0 is 1. See fleets' service.
	hold     float64
	timeout  int64 // of the function; 0: none
	gateway  int64 // of a load balancer, from arrival to answer; 0: none
	payloads []payloadTiming
	weights  int

	// On this host service times are split into processor time and waiting, a
	// start launches a sandbox on the same cores, and each trigger has an
	// overhead.
	onHost   bool
	launch   dist
	overhead dist
	beside   Beside
}

// payloadTiming is what invocations with one payload take.
type payloadTiming struct {
	upTo    int // cumulative weight
	service dist
	first   dist // of the first invocation in a unit
	young   dist // in a unit that has served upToAge at most
	upToAge int32
	cpu     float64
}

// start draws the time of a unit's start before init, in all and by the stage.
func (t *timing) start(r *rand.Rand) (sum int64, by [life.Serving]int64) {
	for i := range t.before {
		d := t.before[i].draw(r)
		by[t.before[i].stage] += d
		sum += d
	}
	network := min(t.network, by[life.Placed])
	by[life.Missing], by[life.Placed] = network, by[life.Placed]-network
	return sum, by
}

// serve draws a service time, as processor work and waiting, in a unit that has served so
// many before. first says that the trigger waited for its start.
func (t *timing) serve(r *rand.Rand, first bool, served int32) (work, wait int64) {
	p := &t.payloads[0]
	if len(t.payloads) > 1 {
		w := r.IntN(t.weights)
		for i := range t.payloads {
			if p = &t.payloads[i]; w < p.upTo {
				break
			}
		}
	}
	d := &p.service
	switch {
	case first:
		d = &p.first
	case served <= p.upToAge && p.upToAge > 0:
		d = &p.young
	}
	total := d.draw(r)
	if !t.onHost {
		return 0, total
	}
	work = int64(float64(total) * p.cpu)
	return work, total - work
}

// meanService is the mean service time of warm invocations in nanoseconds.
func (t *timing) meanService() float64 {
	sum, last := 0.0, 0
	for i := range t.payloads {
		p := &t.payloads[i]
		sum += p.service.average() * float64(p.upTo-last)
		last = p.upTo
	}
	return sum / float64(t.weights)
}

// rest is the time that a trigger's slot stays taken after its answer.
func (t *timing) rest(service int64) int64 {
	if t.hold <= 1 {
		return 0
	}
	return int64(float64(service) * (t.hold - 1))
}
