package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/api"
	"coldstorm/runtime/live"
)

// A door is where a unit takes requests. It tells its unit when it can, by isReady.
type door interface {
	serve(context.Context, Request) (reply, error)
	probe(context.Context) error // a health check
	end(error)                   // fails what is under way and all that comes
}

// An opener opens the door of a unit that has just been launched.
type opener func(u *unit, box live.Sandbox) door

// reply is what a unit said to a request.
type reply struct {
	status        int
	header        http.Header
	body          []byte
	functionError string        // its type, of one that the function told through the Runtime API
	delivered     results.Stamp // 0: not known
}

var (
	errDead   = errors.New("its process has ended")
	errNoDial = errors.New("the launcher has no way to a server inside")
)

// entrance is the door of a real sandbox: the Runtime API, an HTTP server, or the one
// of them that shows first.
type entrance struct {
	u    *unit
	box  live.Sandbox
	api  *api.Environment
	http *server

	kind atomic.Pointer[Serve] // nil until it is known
	over chan struct{}         // closed when the unit ends
	shut atomic.Bool
}

func openDoor(u *unit, box live.Sandbox) door {
	c := u.f.config
	e := &entrance{u: u, box: box, over: make(chan struct{})}
	many := 0
	if c.Rules.Slots > 0 {
		// One more than the slots: the next event may come before the runtime that has
		// answered the last one asks again. It waits for that then.
		many = 2 * c.Rules.Slots
	}
	e.api = api.New(u.birth.Listener, api.Config{
		FunctionName: c.Name, Version: c.Version, Handler: c.Handler, AccountID: live.Account, MaxConcurrency: many,
		Ready: func(at results.Stamp) { e.found(ServeRuntime, at) },
		InitError: func(x api.InitError) {
			u.f.mu.Lock()
			u.f.fault(fmt.Errorf("init failed: %s", x.Type))
			u.f.mu.Unlock()
		},
	})
	if c.Serve != ServeRuntime {
		e.http = newServer(c, box)
		u.f.work.Go(e.look)
	}
	return e
}

// found settles on a way to serve, unless another was found first.
func (e *entrance) found(kind Serve, at results.Stamp) {
	if want := e.u.f.config.Serve; want != ServeAny && want != kind {
		return
	}
	if e.kind.CompareAndSwap(nil, &kind) {
		e.u.f.mu.Lock()
		e.u.f.serves = kind
		e.u.f.mu.Unlock()
		e.u.isReady(at)
	}
}

// lookEvery is how often a starting unit is asked for a server on $PORT. A look that is
// refused costs about 100 us.
const lookEvery = 5 * time.Millisecond

// look waits for a server on $PORT, and for its first good health check where it is
// stated that there is to be one.
func (e *entrance) look() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		ctx, cancel := context.WithTimeout(e.u.f.ctx, e.u.f.config.Health.Timeout)
		err := e.http.look(ctx)
		cancel()
		switch {
		case err == nil:
			e.found(ServeHTTP, results.Now())
			return
		case errors.Is(err, errNoDial):
			return
		}
		select {
		case <-tick.C:
		case <-e.over:
			return
		case <-e.box.Done():
			return
		}
		if e.kind.Load() != nil {
			return
		}
	}
}

func (e *entrance) serve(ctx context.Context, r Request) (reply, error) {
	if k := e.kind.Load(); k != nil && *k == ServeHTTP {
		return e.http.serve(ctx, r)
	}
	stop := context.AfterFunc(ctx, func() { e.api.AbortOne(r.ID, ctx.Err()) })
	defer stop()
	deadline, _ := ctx.Deadline()
	got, err := e.api.Invoke(api.Invocation{
		ID: r.ID, ARN: e.u.f.config.ARN(), Deadline: deadline, TraceID: r.Header.Get("X-Amzn-Trace-Id"), Payload: r.Body,
	})
	if err != nil {
		return reply{delivered: got.Delivered}, err
	}
	x := reply{status: http.StatusOK, header: http.Header{"Content-Type": {contentType(got.ContentType)}}, body: got.Payload, functionError: got.ErrorType, delivered: got.Delivered}
	if got.ErrorType != "" {
		x.header.Set("X-Amz-Function-Error", "Unhandled")
	}
	return x, nil
}

func contentType(of string) string {
	if of == "" {
		return "application/json"
	}
	return of
}

func (e *entrance) probe(ctx context.Context) error {
	select {
	case <-e.box.Done():
		return errDead
	default:
	}
	if k := e.kind.Load(); k != nil && *k == ServeHTTP {
		return e.http.check(ctx)
	}
	return nil
}

func (e *entrance) end(why error) {
	if !e.shut.CompareAndSwap(false, true) {
		return
	}
	close(e.over)
	if e.http != nil {
		e.http.close()
	}
	e.api.Abort(why)
	select {
	case <-e.box.Done():
		e.api.Drain(why)
	default:
		e.u.f.work.Go(func() {
			<-e.box.Done()
			e.api.Drain(why)
		})
	}
}

// dialer is the way to servers in a sandbox, nil if it has none.
func dialer(box live.Sandbox) func(context.Context, string, string) (net.Conn, error) {
	d, ok := box.(interface {
		DialContext(context.Context, string, string) (net.Conn, error)
	})
	if !ok {
		return nil
	}
	return d.DialContext
}

func (c Config) address() string { return "127.0.0.1:" + strconv.Itoa(c.Port) }
