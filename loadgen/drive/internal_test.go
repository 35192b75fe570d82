package drive

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/loadgen/storm"
	"coldstorm/results"
)

const µs = time.Microsecond

func TestSpinTakesNoMoreThanATwentiethOfTheTimeBetweenTriggers(t *testing.T) {
	if oneProcessor {
		t.Skip("one processor: there is no spinning at all")
	}
	s := spin{late: mostSpin}
	for gap, most := range map[time.Duration]time.Duration{
		time.Hour: mostSpin, 400 * µs: 20 * µs, 100 * µs: 5 * µs, 20: 1,
		0: mostSpin, // at the same time as the one before: it is due at once anyway
	} {
		if got := s.window(gap); got > most {
			t.Errorf("%v before a trigger %v after the last, want at most %v", got, gap, most)
		}
	}
}

func TestSpinFollowsHowLateSleepsEnd(t *testing.T) {
	var s spin
	for range 1000 {
		s.overslept(30 * µs)
	}
	if w := s.window(0); !oneProcessor && (w < 30*µs || w > 40*µs) {
		t.Errorf("sleeps end 30 µs late, window %v", w)
	}
	for range 1000 {
		s.overslept(time.Second)
	}
	if w := s.window(0); w > mostSpin {
		t.Errorf("sleeps end a second late, window %v", w)
	}
	for range 1000 {
		s.overslept(0)
	}
	if w := s.window(0); w > leastSpin {
		t.Errorf("sleeps end in time, window %v", w)
	}
}

func TestLimitsHoldLagAgainstTheLatencyItIsPartOf(t *testing.T) {
	for rule, c := range map[string]struct {
		lag, latency time.Duration // at p50 and p99 alike
		waits        int
		cpu, host    float64
		want         string // "" for none
	}{
		"lag below the host's noise is no limit, however short the latency": {lag: 90 * µs, latency: 200 * µs},
		"a millisecond is nothing to a cold start":                          {lag: 1000 * µs, latency: 300_000 * µs},
		"a millisecond is much of a warm start":                             {lag: 1000 * µs, latency: 2000 * µs, want: "50 % of the latency"},
		"a wait for a connection is the generator's":                        {latency: 2000 * µs, waits: 3, want: "3 triggers waited"},
		"a generator that fills its core":                                   {latency: 2000 * µs, cpu: 0.9, want: "90 % of a core"},
		"a host that is full":                                               {latency: 2000 * µs, host: 0.97, want: "97 % busy"},
	} {
		latencies := slices.Repeat([]time.Duration{c.latency}, 100)
		r := Report{
			Sent: 100, Waits: c.waits,
			Lag:       results.Quantiles{N: 100, P50: c.lag, P99: c.lag},
			Generator: results.Generator{CPUShare: c.cpu, HostCPUShare: c.host},
		}
		got := strings.Join(r.limits(latencies), "; ")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", rule, got, c.want)
		}
	}
}

func TestAReportIsHeldAgainstWhatTriggersEndWith(t *testing.T) {
	r := Report{Sent: 2, Start: 1e9, Lag: results.Quantiles{N: 2, P50: 1000 * µs}}
	r = r.Against([]time.Duration{2000 * µs, 2000 * µs}, r.Start.Add(10*time.Millisecond))
	if g := r.Generator; !g.Limited || g.Achieved != 200 || r.Took != 10*time.Millisecond {
		t.Errorf("by answers: took %v, %+v", r.Took, g)
	}
	r = r.Against([]time.Duration{300 * time.Millisecond, time.Second}, r.Start.Add(time.Second))
	if g := r.Generator; g.Limited || g.Why != "" || g.Achieved != 2 || r.Took != time.Second {
		t.Errorf("by the ends of events: took %v, %+v", r.Took, g)
	}
	if r = r.Against(nil, 0); r.Generator.Limited || r.Generator.Achieved != 0 || r.Took != 0 {
		t.Errorf("where nothing ended: took %v, %+v", r.Took, r.Generator)
	}
}

// However the ring and the sleep meet, the sleep ends.
func TestABellEndsALongSleepAndAShortOne(t *testing.T) {
	var b bell
	makeRoom(0) // for who rings, as in a storm
	defer leaveRoom()
	for i := range 2000 {
		heard := b.rings.Load()
		until := never
		if i%2 == 0 {
			until = results.Now().Add(hidden / 2)
		}
		go b.ring()
		for b.rings.Load() == heard {
			b.wait(heard, until)
		}
	}
}

func TestALongSleepEndsBeforeItsTime(t *testing.T) {
	var b bell
	for _, d := range []time.Duration{3 * time.Millisecond, 20 * time.Millisecond} {
		until := results.Now().Add(d)
		for results.Now() < until.Add(-margin) { // it may end early, not late by more than a host's whim
			b.wait(0, until)
		}
	}
}

func TestTheSenderSendsInTheOrderOfTime(t *testing.T) {
	a, b, c := &trigger{seq: 0, at: 5}, &trigger{seq: 1, at: 5}, &trigger{seq: 2, at: 3}
	s := &sender{start: results.Now().Add(-time.Second), ended: make(chan struct{})} // no thread: the test takes
	for _, t := range []*trigger{b, a, c} {
		s.add(t)
	}
	if !s.takeBack(a) || a.state != taken {
		t.Error("a queued trigger could not be taken back")
	}
	s.add(a)
	for i, want := range []*trigger{c, a, b} {
		got, due, ok := s.next(0)
		if got != want || !ok || due != s.start.Add(want.at) {
			t.Errorf("number %d: %+v", i, got)
		}
	}
	if s.takeBack(b) {
		t.Error("a trigger that was sent could be taken back")
	}
	s.stopped = true
	if s.add(&trigger{}) {
		t.Error("a trigger was queued after the stop")
	}
	if _, _, ok := s.next(0); ok {
		t.Error("the sender goes on after the stop")
	}
}

func TestAQueueIsInTheOrderOfTime(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var q queue
	var want []*trigger
	for seq := range uint64(20_000) {
		switch n := random.IntN(10); {
		case n < 5 || len(want) == 0:
			one := &trigger{seq: seq, at: time.Duration(seq/100*100) + time.Duration(random.IntN(150))}
			q.add(one)
			i, _ := slices.BinarySearchFunc(want, one, byTime)
			want = slices.Insert(want, i, one)
		case n < 9:
			q.pop()
			want = want[1:]
		default:
			i := random.IntN(len(want))
			q.remove(want[i])
			want = slices.Delete(want, i, i+1)
		}
		if !slices.Equal(q.all[q.head:], want) {
			t.Fatalf("after %d steps: %d in the queue, want %d", seq+1, len(q.all)-q.head, len(want))
		}
		if first := q.first(); len(want) > 0 && first != want[0] || len(want) == 0 && first != nil {
			t.Fatalf("after %d steps: another is the first", seq+1)
		}
	}
	for q.first() != nil {
		q.pop()
	}
	if i := slices.IndexFunc(q.all[:cap(q.all)], func(t *trigger) bool { return t != nil }); i >= 0 {
		t.Errorf("trigger %d is kept", i)
	}
}

func TestTheCollectorWaitsForGarbageAndNotForSamples(t *testing.T) {
	for _, c := range []struct {
		live uint64
		n    int
		want int
	}{{7 << 20, 0, 1600}, {7 << 20, 16 << 10, 800}, {200 << 20, 10, 100}, {7 << 20, 1_000_000, 100}} {
		if got := storming(c.live, c.n); got != c.want {
			t.Errorf("%d bytes in use and %d triggers: %d, want %d", c.live, c.n, got, c.want)
		}
	}
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	processors := runtime.GOMAXPROCS(0)
	makeRoom(10)
	makeRoom(10)
	leaveRoom()
	if during := debug.SetGCPercent(100); during <= 100 {
		t.Errorf("GOGC is %d during a storm", during)
	}
	leaveRoom()
	if after := debug.SetGCPercent(100); after != 100 || runtime.GOMAXPROCS(0) != processors {
		t.Errorf("GOGC %d and %d processors after the storms, %d before", after, runtime.GOMAXPROCS(0), processors)
	}
}

func TestParseStat(t *testing.T) {
	const line = "cpu  10 1 5 80 4 2 3 7 99 99\ncpu0 1 1 1 1 1 1 1 1\n"
	if busy, total := parseStat([]byte(line)); busy != 28 || total != 112 {
		t.Errorf("busy %v of %v, want 28 of 112: guests' time is within user's", busy, total)
	}
	for _, bad := range []string{"", "cpu", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3 4 x 6 7 8", "cpu -1 2 3 4 5 6 7 8"} {
		if busy, total := parseStat([]byte(bad)); busy != 0 || total != 0 {
			t.Errorf("%q: busy %v of %v", bad, busy, total)
		}
	}
}

func TestUsageIsAShareOfTheTimeBetween(t *testing.T) {
	now := time.Now()
	from := usage{at: now, self: time.Second, busy: 100, total: 1000}
	got := usage{at: now.Add(2 * time.Second), self: 2 * time.Second, busy: 150, total: 1200}.since(from)
	if got.process != 0.5 || got.host != 0.25 {
		t.Errorf("process %v, host %v, want 0.5 and 0.25", got.process, got.host)
	}
	if same := from.since(from); same.process != 0 || same.host != 0 {
		t.Errorf("no time: process %v, host %v", same.process, same.host)
	}
}

func TestTransportOutcome(t *testing.T) {
	wrap := func(err error) error { return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", err)} }
	for _, c := range []struct {
		err     error
		outcome results.Outcome
		reason  string
	}{
		{wrap(syscall.ECONNRESET), results.OutcomeFailed, "connection reset"},
		{wrap(syscall.EPIPE), results.OutcomeFailed, "connection reset"},
		{wrap(syscall.EMFILE), results.OutcomeFailed, "out of file descriptors"},
		{wrap(syscall.EADDRNOTAVAIL), results.OutcomeFailed, "out of ports"},
		{wrap(syscall.ETIMEDOUT), results.OutcomeFailed, "connection timeout"},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Name: "x", IsNotFound: true}}, results.OutcomeFailed, "unknown host"},
		{fmt.Errorf("read: %w", os.ErrDeadlineExceeded), results.OutcomeTimedOut, "client timeout"},
		{io.ErrUnexpectedEOF, results.OutcomeFailed, "connection closed"},
		{errors.New("something new"), results.OutcomeFailed, "transport error"},
	} {
		if outcome, reason := transportOutcome(c.err); outcome != c.outcome || reason != c.reason {
			t.Errorf("%v: %s %q, want %s %q", c.err, outcome, reason, c.outcome, c.reason)
		}
	}
}

func TestAPoolThatCanHaveNoMoreConnectionsSharesThoseItHas(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- ServeNull(l) }()
	f := &fire{endings: endings{come: make(chan struct{}, 1)}}
	if f.receiver, err = newReceiver(f); err != nil {
		t.Fatal(err)
	}
	defer f.receiver.stop()
	type given struct {
		t   *trigger
		c   conn
		err error
	}
	got := make(chan given, 1)
	var short []*trigger
	p := &pool{
		dialer: &dialer{network: "tcp", address: l.Addr().String()}, limit: 10, receiver: f.receiver, ctx: t.Context(),
		give:  func(t *trigger, c conn, err error) { got <- given{t, c, err} },
		short: func(t *trigger) { short = append(short, t) },
	}
	first, second := &trigger{}, &trigger{}
	p.take(first)
	g := <-got
	if g.err != nil || g.t != first {
		t.Fatalf("got %+v", g)
	}
	one := g.c
	if p.shrink(syscall.ECONNREFUSED) {
		t.Error("a refusal is taken for a lack of descriptors")
	}
	if !p.shrink(os.NewSyscallError("socket", syscall.EMFILE)) || p.limit != 1 {
		t.Errorf("limit %d after running out of descriptors with one connection open", p.limit)
	}
	p.take(second)
	p.put(one)
	if g := <-got; g.t != second || g.c != one || p.waits != 1 {
		t.Errorf("got %+v after %d waits, want the one connection after one", g, p.waits)
	}
	if !slices.Equal(short, []*trigger{second}) {
		t.Errorf("%d triggers were said to wait for a connection that can't be made", len(short))
	}
	p.drop(one)
	if p.open != 0 || p.shrink(syscall.EMFILE) {
		t.Error("with no connection open there is none to share")
	}
	p.open, p.dialling = 2, 2
	if p.shrink(syscall.EMFILE) {
		t.Error("connections that are being dialled can't be shared: each would wait for the other for ever")
	}
	p.open, p.limit = 5, 10
	if !p.shrink(syscall.EMFILE) || p.limit != 3 {
		t.Errorf("limit %d with three connections, two more being dialled", p.limit)
	}
	p.waiting = []*trigger{first}
	if p.next() != nil {
		t.Error("who waits is to dial though no more may be open")
	}
	p.open, p.dialling = 2, 0
	if p.next() != first {
		t.Error("nobody dials though one more may be open")
	}
	p.close()
	l.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestAConnectionThatWaitsKeepsNoBody(t *testing.T) {
	f := &fire{
		Attack:   Attack{Check: func([]byte) error { return nil }, Timeout: time.Minute},
		requests: &requests{methods: []string{"POST"}}, endings: endings{come: make(chan struct{}, 1)}, begun: make(chan struct{}),
	}
	var err error
	if f.receiver, err = newReceiver(f); err != nil {
		t.Fatal(err)
	}
	defer f.receiver.stop()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[1])
	p := &pool{dialer: &dialer{}, open: 1, limit: 1}
	c, err := f.receiver.adopt(fds[0], p)
	if err != nil {
		t.Fatal(err)
	}
	asked := &trigger{}
	asked.sent.Store(int64(results.Now()))
	c.mu.Lock()
	c.in.begin("POST")
	c.trigger = asked
	c.mu.Unlock()
	body := strings.Repeat("x", 100<<10)
	go func() {
		for text := []byte(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)); len(text) > 0; {
			n, err := unix.Write(fds[1], text)
			if err != nil {
				t.Error(err)
				return
			}
			text = text[n:]
		}
	}()
	<-f.endings.come
	ended := f.endings.take(nil)
	if len(ended) != 1 || string(ended[0].got.body) != body {
		t.Fatalf("%d triggers ended", len(ended))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(p.idle) != 1 || c.in.got.body != nil || cap(c.in.held) > 16<<10 {
		t.Errorf("closed %v, %d idle, which keeps a body of %d and a head of %d bytes", c.closed, len(p.idle), len(c.in.got.body), cap(c.in.held))
	}
}

func TestAClientWhoseTriggerEndedTooEarlyWaitsForTheStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fire{
			Attack: Attack{Schedule: storm.Loop{N: 2, Callers: 1}}, ctx: t.Context(),
			closed: true, clients: make(chan results.Stamp, 1), begun: make(chan struct{}),
		}
		f.clients <- results.Now()
		turns := make(chan time.Duration, 1)
		go func() {
			at, ok := f.turn(1)
			if !ok {
				t.Error("the storm was stopped")
			}
			turns <- at
		}()
		synctest.Wait()
		f.start = results.Now().Add(time.Millisecond)
		close(f.begun)
		if at := <-turns; at > time.Second {
			t.Errorf("its next trigger is due %v after the start", at)
		}
	})
}

func TestPickIsAFunctionOfSeedAndPosition(t *testing.T) {
	a := Attack{URL: "http://x/", Method: "POST", Seed: 3, Payloads: []Payload{{Name: "a"}, {Name: "b", Weight: 2}, {Name: "c"}}}
	one, err := a.requests()
	if err != nil {
		t.Fatal(err)
	}
	two, err := a.requests()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for seq := range uint64(4000) {
		_, name := one.pick(seq)
		if _, again := two.pick(seq); again != name {
			t.Fatalf("trigger %d carries %s and %s", seq, name, again)
		}
		counts[name]++
	}
	// Five standard deviations of a binomial count.
	if b := counts["b"]; b < 1840 || b > 2160 || counts["a"] < 860 || counts["a"] > 1140 {
		t.Errorf("%v, want shares of 1, 2 and 1", counts)
	}
}
