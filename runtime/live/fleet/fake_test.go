package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// host is a launcher whose containers are doors alone: they are ready after start, and
// answer after service.
type host struct {
	start, service time.Duration
	refuse         bool // launches fail
	dead           bool // processes end as soon as they run

	mu       sync.Mutex
	nodes    map[string]bool
	boxes    map[*box]bool
	launches int
	most     int // of launches at once
	now      int
	held     []string // nodes of launches
}

func newHost() *host {
	return &host{start: 50 * time.Millisecond, service: 20 * time.Millisecond, nodes: map[string]bool{}, boxes: map[*box]bool{}}
}

func (h *host) Launch(_ context.Context, s Spec) (live.Sandbox, error) {
	h.mu.Lock()
	h.launches++
	h.held = append(h.held, s.Node)
	if h.now++; h.now > h.most {
		h.most = h.now
	}
	refuse := h.refuse
	h.mu.Unlock()
	time.Sleep(time.Millisecond)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now--
	if refuse {
		return nil, errors.New("no room")
	}
	b := &box{host: h, done: make(chan struct{})}
	h.boxes[b] = true
	if h.dead {
		b.Stop()
	}
	return b, nil
}

func (h *host) StartNode(name string, _ Size) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.nodes[name] {
		return false, fmt.Errorf("node %s is there already", name)
	}
	h.nodes[name] = true
	return true, nil
}

func (h *host) StopNode(name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.nodes[name] {
		return fmt.Errorf("no node %s", name)
	}
	delete(h.nodes, name)
	return nil
}

// count is how many launches there were.
func (h *host) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.launches
}

// left is what of the host's is still there.
func (h *host) left() (boxes, nodes int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for b := range h.boxes {
		select {
		case <-b.done:
		default:
			boxes++
		}
	}
	return boxes, len(h.nodes)
}

// box is a sandbox of which nothing is real.
type box struct {
	host *host
	once sync.Once
	done chan struct{}

	mu  sync.Mutex
	cpu float64
}

func (b *box) Birth() live.Birth          { return live.Birth{Exec: results.Now()} }
func (b *box) Freeze() error              { return nil }
func (b *box) Thaw() error                { return nil }
func (b *box) Usage() (live.Usage, error) { return live.Usage{}, nil }
func (b *box) Crowded() bool              { return false }
func (b *box) Done() <-chan struct{}      { return b.done }
func (b *box) Exit() live.Exit            { <-b.done; return live.Exit{Code: -1, Signal: 9} }
func (b *box) Close() error               { return nil }
func (b *box) Stop() error                { b.once.Do(func() { close(b.done) }); return nil }

func (b *box) SetCPU(n float64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cpu = n
	return nil
}

// hatch is the door of a box.
type hatch struct {
	u    *unit
	box  *box
	over chan struct{}
	once sync.Once

	mu   sync.Mutex
	sick bool // fails its health checks
	now  int
	most int // requests at once
}

func (h *host) open(u *unit, b live.Sandbox) door {
	d := &hatch{u: u, box: b.(*box), over: make(chan struct{})}
	u.f.work.Go(func() {
		select {
		case <-time.After(h.start):
			u.isReady(results.Now())
		case <-d.box.done:
		}
	})
	return d
}

func (d *hatch) serve(ctx context.Context, r Request) (reply, error) {
	d.mu.Lock()
	if d.now++; d.now > d.most {
		d.most = d.now
	}
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		d.now--
		d.mu.Unlock()
	}()
	select {
	case <-d.over:
		return reply{}, errUnitLost
	default:
	}
	select {
	case <-time.After(d.box.host.service):
		return reply{status: 200, body: r.Body}, nil
	case <-d.over:
		return reply{}, errUnitLost
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
}

func (d *hatch) probe(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sick {
		return errors.New("sick")
	}
	return nil
}

func (d *hatch) end(error) { d.once.Do(func() { close(d.over) }) }

// in runs a test of a fleet on h in virtual time, and holds that nothing is left of it.
func in(t *testing.T, h *host, c Config, do func(t *testing.T, f *Fleet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if c.Launches == 0 {
			c.Launches = 4
		}
		f, err := start(h, c, h.open)
		if err != nil {
			t.Fatal(err)
		}
		do(t, f)
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if boxes, nodes := h.left(); boxes+nodes > 0 {
			t.Errorf("%d containers and %d nodes are left", boxes, nodes)
		}
		if n := f.Census().Counts; n.InFlight != 0 || n.Offered != n.Served+n.Failed+n.Throttled+n.TimedOut {
			t.Errorf("requests are not accounted for: %+v", n)
		}
	})
}

// ready waits for n units.
func ready(t *testing.T, f *Fleet, n int) {
	t.Helper()
	if err := f.Wait(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}
