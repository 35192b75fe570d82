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
		hosts:   a.hosts(u),
		begun:   make(chan struct{}),
		closed:  storm.Closed(a.Schedule),
		clients: clients(a.Schedule),
		samples: make([]*results.Sample, a.Schedule.Len()),
	}
	if a.HTTP2 {
		if f.templates, err = a.templates(reqs); err != nil {
			return Report{}, fmt.Errorf("attack: %w", err)
		}
	}
	if f.bypass = beyond(a.Schedule); f.bypass {
		f.Lead = min(f.Lead, directLead)
	}
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
	ctx    context.Context
	hosts  *hosts
	sender *sender
	closed bool // the schedule is
	bypass bool // vegeta is left out

	templates map[*byte]template // of HTTP/2

	toArm   atomic.Int64  // triggers to be ready before the storm begins
	begun   chan struct{} // closed when it has begun
	once    sync.Once
	start   results.Stamp      // valid once begun is closed
	before  usage              // likewise
	clients chan results.Stamp // of a closed schedule

	samples []*results.Sample // ended and not yet observed, by position
	bad     atomic.Int64      // evidence that could not be read
}

func (f *fire) run(observe func(results.Sample)) Report {
	tally := newTally(len(f.samples))
	n := min(max(storm.Peak(f.Schedule, time.Second), storm.Clients(f.Schedule)), f.Connections)
	if n > 0 {
		f.hosts.fill(f.ctx, n)
	}
	defer f.hosts.close()

	spareProcessor()
	defer returnProcessor()
	f.sender = newSender()
	stopped := context.AfterFunc(f.ctx, f.stop)
	defer stopped()
	defer f.sender.stop()

	f.arm(n)
	attack := f.attack
	if f.bypass {
		attack = f.direct
	}
	seen := attack(func(s results.Sample) {
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

// attack lets vegeta drive the storm and returns which triggers were observed.
func (f *fire) attack(observe func(results.Sample)) []bool {
	seen := make([]bool, len(f.samples))
	if len(seen) == 0 {
		return seen
	}
	// Those due within a few leads; vegeta adds what more the endpoint's
	// latency asks for. Far too many take turns and are never in a cache.
	workers, most := storm.Peak(f.Schedule, 2*f.Lead)+8, f.Connections+waitingWorkers
	if f.closed {
		workers, most = storm.Clients(f.Schedule), storm.Clients(f.Schedule)
	}
	attacker := vegeta.NewAttacker(
		vegeta.Workers(uint64(workers)),
		vegeta.MaxWorkers(uint64(most)),
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
		s := f.samples[res.Seq]
		f.samples[res.Seq] = nil
		if s == nil { // vegeta could not make the request
			blank := f.blank(res.Seq)
			s = &blank
			s.Outcome, s.Reason, s.Done = results.OutcomeFailed, res.Error, results.Now()
		}
		seen[res.Seq] = true
		observe(*s)
	}
	return seen
}

// waitingWorkers is how many triggers may wait for a connection, so that each
// can be counted, before vegeta stops handing them out.
const waitingWorkers = 4096

// blank is the sample of a trigger of which nothing is known yet.
func (f *fire) blank(seq uint64) results.Sample {
	_, name := f.pick(seq)
	s := results.Sample{Series: f.Series, Seq: seq, Payload: name, Evidence: results.Evidence{Start: results.StartUnknown}}
	select {
	case <-f.begun:
		if !f.closed {
			s.Intended = f.start.Add(f.offset(seq))
		}
	default:
	}
	return s
}

// offset is when a trigger is intended, from the storm's start.
func (f *fire) offset(seq uint64) time.Duration {
	at, _ := f.Schedule.At(int(seq))
	return at
}

// stop ends the storm: nothing is sent once the sender has stopped, and reads
// under way end.
func (f *fire) stop() {
	f.sender.stop()
	f.hosts.interrupt()
}

var errStopped = errors.New("stopped")
