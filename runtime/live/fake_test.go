package live

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"coldstorm/results"
)

// fake launches sandboxes that are goroutines with an HTTP client.
type fake struct {
	t      *testing.T
	behave func(*guest) Exit // the function's process
	refuse error             // of every launch

	launched, alive atomic.Int32
	mu              sync.Mutex
	boxes           []*guest
}

// guest is a fake sandbox, and what its function sees.
type guest struct {
	t        *testing.T
	spec     Spec
	listener net.Listener
	base     string
	client   *http.Client
	ctx      context.Context
	kill     context.CancelFunc
	out      *os.File
	birth    Birth
	done     chan struct{}
	exit     Exit
	ended    func()

	crowded atomic.Bool // while it lives
	looked  atomic.Bool // was seen to be
	errors  *os.File    // its stderr

	frozen atomic.Bool
	froze  chan struct{} // a value for each Freeze
}

func (f *fake) Launch(_ context.Context, s Spec) (Sandbox, error) {
	f.mu.Lock()
	refuse := f.refuse
	f.mu.Unlock()
	if refuse != nil {
		return nil, refuse
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	er, ew, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	g := &guest{
		errors: ew,
		t:      f.t, spec: s, listener: l, base: "http://" + l.Addr().String(), out: w, done: make(chan struct{}), froze: make(chan struct{}, 1000),
		client: &http.Client{Transport: &http.Transport{}},
		ended:  func() { f.alive.Add(-1) },
	}
	g.ctx, g.kill = context.WithCancel(context.Background())
	g.birth = Birth{Listener: l, Output: []*os.File{r, er}, Mode: "cold", Ready: results.Now()}
	g.birth.Exec = results.Now()
	f.launched.Add(1)
	f.alive.Add(1)
	f.mu.Lock()
	f.boxes = append(f.boxes, g)
	f.mu.Unlock()
	go g.run(f.behave)
	return g, nil
}

func (g *guest) run(behave func(*guest) Exit) {
	x := behave(g)
	if g.ctx.Err() != nil {
		x = Exit{Code: -1, Signal: syscall.SIGKILL}
	}
	g.kill()
	g.client.CloseIdleConnections()
	g.out.Close()
	g.errors.Close()
	x.Usage = Usage{CPU: 7 * time.Millisecond, PeakMemory: 9 << 20}
	g.exit = x
	g.ended()
	close(g.done)
}

func (g *guest) Birth() Birth         { return g.birth }
func (g *guest) Thaw() error          { g.frozen.Store(false); return nil }
func (g *guest) SetCPU(float64) error { return nil }
func (g *guest) Usage() (Usage, error) {
	return Usage{CPU: 5 * time.Millisecond, PeakMemory: 8 << 20}, nil
}
func (g *guest) Stop() error           { g.kill(); <-g.done; return nil }
func (g *guest) Done() <-chan struct{} { return g.done }
func (g *guest) Exit() Exit            { <-g.done; return g.exit }
func (g *guest) Close() error {
	return errors.Join(g.birth.Output[0].Close(), g.birth.Output[1].Close())
}
func (g *guest) print(line string)       { io.WriteString(g.out, line) }
func (g *guest) post(path, b string) int { return g.send("POST", path, b) }

func (g *guest) send(method, path, body string, headers ...string) int {
	req, _ := http.NewRequestWithContext(g.ctx, method, g.base+"/2018-06-01/runtime/"+path, bytes.NewReader([]byte(body)))
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := g.client.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// next asks for work. It returns false when the sandbox was killed.
func (g *guest) next() (id, event string, ok bool) {
	req, _ := http.NewRequestWithContext(g.ctx, "GET", g.base+"/2018-06-01/runtime/invocation/next", nil)
	res, err := g.client.Do(req)
	if err != nil {
		return "", "", false
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if g.frozen.Load() {
		g.t.Error("an event was delivered to a frozen environment")
	}
	return res.Header.Get("Lambda-Runtime-Aws-Request-Id"), string(b), err == nil && res.StatusCode == 200
}

// echo serves until it is killed.
func echo(g *guest) Exit {
	for {
		id, event, ok := g.next()
		if !ok {
			return Exit{}
		}
		g.post("invocation/"+id+"/response", event)
	}
}

// serve makes a function of a handler.
func serve(handle func(g *guest, id, event string) *Exit) func(*guest) Exit {
	return func(g *guest) Exit {
		for {
			id, event, ok := g.next()
			if !ok {
				return Exit{}
			}
			if x := handle(g, id, event); x != nil {
				return *x
			}
		}
	}
}

// hang blocks until the sandbox is killed.
func hang(g *guest) Exit {
	<-g.ctx.Done()
	return Exit{}
}

// deploy makes a function of fakes that leaves nothing behind.
func deploy(t *testing.T, behave func(*guest) Exit, c Config) (*Function, *fake) {
	t.Helper()
	l := &fake{t: t, behave: behave}
	if c.KeepAlive == 0 {
		c.KeepAlive = -1
	}
	f := New(l, c)
	t.Cleanup(func() {
		f.Close()
		if n := l.alive.Load(); n != 0 {
			t.Errorf("%d sandboxes outlived their function", n)
		}
		if c := f.Counts(); c.InFlight != 0 || c.Offered != c.Served+c.Throttled+c.Failed+c.TimedOut {
			t.Errorf("triggers are not accounted for: %+v", c)
		}
	})
	return f, l
}

func (g *guest) Freeze() error {
	g.frozen.Store(true)
	select {
	case g.froze <- struct{}{}:
	default: // nobody counts
	}
	return nil
}

func (g *guest) Crowded() bool {
	full := g.crowded.Load() && g.ctx.Err() == nil
	if full {
		g.looked.Store(true)
	}
	return full
}
