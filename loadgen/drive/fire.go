package drive

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"golang.org/x/net/http2"

	"coldstorm/loadgen/storm"
	"coldstorm/results"
)

// Fire sends the storm and calls observe with one sample for each trigger of
// the schedule, from one goroutine, as they end; those that were never sent
// come last, as results.OutcomeUnsent. When ctx ends, nothing more is sent and
// what is in flight is given up, at once. The error says that the attack can't
// be made at all: what happens to triggers is in their samples.
func (a Attack) Fire(ctx context.Context, observe func(results.Sample)) (Report, error) {
	a, u, err := a.withDefaults()
	if err != nil {
		return Report{}, fmt.Errorf("attack: %w", err)
	}
	reqs, err := a.requests()
	if err != nil {
		return Report{}, fmt.Errorf("attack: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := &fire{
		Attack: a, ctx: ctx, requests: reqs,
		begun:   make(chan struct{}),
		closed:  storm.Closed(a.Schedule),
		clients: clients(a.Schedule),
		bypass:  beyond(a.Schedule),
		endings: endings{come: make(chan struct{}, 1)},
	}
	if f.bypass {
		f.Lead = min(f.Lead, directLead)
	}
	if a.HTTP2 {
		if f.templates, err = a.templates(reqs); err != nil {
			return Report{}, fmt.Errorf("attack: %w", err)
		}
	}
	if f.receiver, err = newReceiver(f); err != nil {
		return Report{}, fmt.Errorf("attack: %w", err)
	}
	defer f.receiver.stop()
	f.hosts = f.hostsOf(u)
	return f.run(observe), nil
}

func (a Attack) dialer(u *url.URL) *dialer {
	d := &dialer{network: "tcp", address: u.Host, timeout: a.Timeout}
	if u.Port() == "" {
		d.address = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	if a.Socket != "" {
		d.network, d.address = "unix", a.Socket
	}
	if u.Scheme == "https" {
		d.tls = &tls.Config{}
		if a.TLS != nil {
			d.tls = a.TLS.Clone()
		}
		if d.tls.ServerName == "" {
			d.tls.ServerName = u.Hostname()
		}
		d.tls.NextProtos = []string{"http/1.1"}
		if a.HTTP2 {
			d.tls.NextProtos = []string{http2.NextProtoTLS}
		}
	}
	return d
}

// fire is an attack under way.
type fire struct {
	Attack
	*requests
	ctx      context.Context
	hosts    *hosts
	sender   *sender
	receiver *receiver
	closed   bool // the schedule is
	bypass   bool // vegeta is left out

	templates map[*byte]template // of HTTP/2

	toArm   atomic.Int64  // triggers to be ready before the storm begins
	begun   chan struct{} // closed when it has begun
	once    sync.Once
	start   results.Stamp      // valid once begun is closed
	before  usage              // likewise
	clients chan results.Stamp // of a closed schedule

	launched atomic.Int64
	flying   sync.WaitGroup // triggers that were launched and not observed yet
	endings  endings
	bad      int // evidence that could not be read
}

func (f *fire) run(observe func(results.Sample)) Report {
	tally := newTally(f.Schedule.Len())
	n := f.fill()
	defer f.hosts.close()

	makeRoom(f.Schedule.Len())
	defer leaveRoom()
	f.sender = newSender()
	stopped := context.AfterFunc(f.ctx, f.stop)
	defer stopped()
	defer f.sender.stop()

	f.arm(n)
	handed := make(chan struct{})
	go func() {
		defer close(handed)
		if f.bypass {
			f.direct()
		} else {
			f.attack()
		}
	}()
	seen := f.watch(handed, func(s results.Sample) {
		tally.add(s)
		observe(s)
	})
	use := f.used()
	for seq, ok := range seen {
		if !ok {
			s := f.blank(uint64(seq))
			s.Outcome = results.OutcomeUnsent
			tally.add(s)
			observe(s)
		}
	}
	return f.report(tally, use)
}

// fill dials for the triggers that are due soon after one another, and returns for
// how many. Further ones dial as connections are taken, ahead of their need.
func (f *fire) fill() int {
	if f.closed {
		n := min(storm.Clients(f.Schedule), f.Connections)
		f.hosts.fill(f.ctx, n, 0)
		return n
	}
	ahead := storm.Peak(f.Schedule, f.Lead)
	n := min(storm.Peak(f.Schedule, max(2*f.Lead, filled)), f.Connections)
	f.hosts.fill(f.ctx, n, ahead)
	return n
}

// filled is the least time for whose triggers there are connections from the start.
const filled = 100 * time.Millisecond

// attack lets vegeta pace the storm and hand out its triggers.
func (f *fire) attack() {
	workers := 1 // hands over and is done
	if f.closed {
		workers = storm.Clients(f.Schedule) // each waits for its client
	}
	attacker := vegeta.NewAttacker(
		vegeta.Workers(uint64(workers)),
		vegeta.MaxWorkers(uint64(workers)),
		vegeta.Client(&http.Client{
			Transport:     f,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
	)
	// The pacer ends on its own where it waits itself; this is for where vegeta
	// waits for a worker.
	defer context.AfterFunc(f.ctx, func() { attacker.Stop() })()
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: f.Attack.Method, URL: f.URL})
	for res := range attacker.Attack(target, pacer{f}, 0, "") {
		if res.Error != "" { // vegeta could not make the request
			f.flying.Add(1)
			f.endings.add(ending{t: &trigger{seq: res.Seq, ctx: f.ctx}, got: answer{err: errors.New(res.Error), done: results.Now()}})
		}
	}
}

// Beyond what vegeta reaches on a few cores the same schedule, connections, sender
// and receiver go without it. Its one dispatcher hands each trigger to a worker through
// a channel without a buffer, makes a request and a client of it, and takes its result
// back through another: some 10 µs a trigger, and no core left for sends.

// What is beyond vegeta's reach: more a second, or more at once.
const (
	vegetaRate  = 30_000
	vegetaBurst = 5_000
)

// directLead is the lead of a storm without vegeta: what is ready early takes room
// in the processor's caches.
const directLead = 5 * time.Millisecond

// beyond reports whether a storm is beyond vegeta's reach.
func beyond(s storm.Schedule) bool {
	return !storm.Closed(s) && (storm.Peak(s, time.Second) > vegetaRate || storm.Peak(s, time.Millisecond) > vegetaBurst)
}

// direct hands out the triggers without vegeta.
func (f *fire) direct() {
	for seq := range uint64(f.Schedule.Len()) {
		if !f.ready(seq) {
			return
		}
		f.launch(seq)
	}
}

// blank is the sample of a trigger of which nothing is known yet.
func (f *fire) blank(seq uint64) results.Sample {
	_, name := f.pick(seq)
	s := results.Sample{Series: f.Series, Seq: seq, Payload: name, Evidence: results.Evidence{Start: results.StartUnknown}}
	if !f.closed && f.hasBegun() {
		s.Intended = f.start.Add(f.offset(seq))
	}
	return s
}

// offset is when a trigger is intended, from the storm's start.
func (f *fire) offset(seq uint64) time.Duration {
	at, _ := f.Schedule.At(int(seq))
	return at
}

// stop ends the storm: nothing is sent once the sender has stopped, and what is
// under way ends.
func (f *fire) stop() {
	f.sender.stop()
	f.hosts.stop()
	f.receiver.stop()
}

var errStopped = errors.New("stopped")
