package invoke

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/image"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
)

// A Deployer turns code into functions that can be invoked.
type Deployer interface {
	// Open makes code ready to be mounted. Its errors are told to callers.
	Open(ctx context.Context, c Code) (image.Image, error)
	// Deploy returns a function of which nothing starts before its first trigger.
	Deploy(img image.Image, c live.Config) Deployed
	// Snapshot runs the function's init, and returns the image to deploy with
	// live.Config.SnapStart for environments that are restored from there. Its
	// errors are told to callers.
	Snapshot(ctx context.Context, img image.Image, c live.Config) (image.Image, error)
}

// Deployed is a function that a Deployer made.
type Deployed interface {
	Function
	// Close stops its environments and returns when nothing is left of them.
	Close() error
}

var (
	_ Deployed    = (*live.Function)(nil)
	_ Provisioner = (*live.Function)(nil)
)

// Code is what a caller gave of a function.
type Code struct {
	Zip     []byte // contents of a zip; or
	Image   string // reference to an image: a path on this machine or in a registry
	Runtime string // as asked for, such as provided.al2023; empty for an image
	Handler string
}

// Config says how a Service behaves. Zero values are AWS's defaults.
type Config struct {
	Deployer Deployer
	URL      string // of the endpoint, for function URLs; no slash at its end
	Account  plane.AccountRules
	Async    plane.AsyncRules // of functions that have no configuration of their own; zero: plane.DefaultAsync
	Queue    NewQueue         // of asynchronous events; nil: in memory
	Sources  Sources          // told of event source mappings; nil: they are stored alone

	Destinations Destinations             // of asynchronous events, beside functions; nil: none
	Ended        func(Event, live.Result) // told of asynchronous events that are done with, but for those that have an Ended of their own; nil: nobody

	// Environment holds what is the same for every function: KeepAlive, NoFreeze,
	// ScaleOutBurst, ScaleOutRate, Log. What a caller sets is left out.
	Environment live.Config
	// Say is told what a person who looks on should know; nil: nobody.
	Say func(format string, args ...any)
}

// Service is one account's functions in a region: the Invoke API, the control
// API and function URLs. Its methods may be called from any goroutine.
type Service struct {
	config Config
	began  results.Stamp
	random func() float64  // 0 to 1, of weighted aliases
	ctx    context.Context // of what goes on after a response
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	intake

	gate    sync.Mutex
	account *plane.Account

	mu        sync.RWMutex
	functions map[string]*function
	urls      map[string]*functionURL // by id
	mappings  map[string]*mapping     // by UUID
	closed    bool
}

// New returns a service without functions.
func New(c Config) *Service {
	if c.Async == (plane.AsyncRules{}) {
		c.Async = plane.DefaultAsync()
	}
	if c.Queue == nil {
		c.Queue = NewMemoryQueue
	}
	if c.Say == nil {
		c.Say = func(string, ...any) {}
	}
	s := &Service{
		config: c, began: results.Now(), random: rand.Float64, account: plane.NewAccount(c.Account),
		functions: map[string]*function{}, urls: map[string]*functionURL{}, mappings: map[string]*mapping{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.queue = c.Queue(s.attempt)
	return s
}

// Close stops every function and waits until nothing of them is left. Events
// that wait to be invoked are lost, which it says.
func (s *Service) Close() error {
	s.cancel()
	if lost := s.queue.Close(); lost > 0 {
		s.config.Say("%d asynchronous events were still waiting, and are lost", lost)
	}
	s.mu.Lock()
	s.closed = true
	var all []*deployment
	for _, f := range s.functions {
		all = append(all, f.deployments()...)
	}
	s.mu.Unlock()
	errs := make(chan error, len(all))
	for _, d := range all {
		go func() { errs <- d.function.Close() }()
	}
	var err error
	for range all {
		err = errors.Join(err, <-errs)
	}
	s.tasks.Wait()
	return err
}

// deployment is a version's environments, and who uses them.
type deployment struct {
	function Deployed

	mu      sync.Mutex
	users   int
	retired bool // closed once nobody uses it
}

func (d *deployment) enter() {
	d.mu.Lock()
	d.users++
	d.mu.Unlock()
}

func (d *deployment) leave() {
	d.mu.Lock()
	d.users--
	last := d.retired && d.users == 0
	d.mu.Unlock()
	if last {
		d.function.Close()
	}
}

// retire closes the deployment once what it serves is done.
func (s *Service) retire(d *deployment) {
	if d == nil {
		return
	}
	d.mu.Lock()
	d.retired = true
	unused := d.users == 0
	d.mu.Unlock()
	if unused {
		s.tasks.Go(func() { d.function.Close() })
	}
}

// ride is one admitted invocation.
type ride struct {
	service    *Service
	name       string
	version    []string // executed, as a header's value
	arn        string   // empty: the function's own
	deployment *deployment
}

// find resolves a target to the version that serves it this time.
func (s *Service) find(t target) (*ride, *serviceError) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	f := s.functions[t.name]
	if f == nil {
		return nil, t.notFound()
	}
	v := f.route(t.qualifier, s.random)
	if v == nil {
		return nil, t.notFound()
	}
	if v.deployment == nil {
		return nil, v.unready()
	}
	r := &ride{service: s, name: t.name, version: v.header, deployment: v.deployment}
	if t.qualifier != "" {
		r.arn = t.arn()
	}
	r.deployment.enter()
	return r, nil
}

// admit asks for a place in the account's concurrency.
func (r *ride) admit() plane.Reason {
	s := r.service
	s.gate.Lock()
	defer s.gate.Unlock()
	return s.account.Admit(r.name, results.Now().Sub(s.began))
}

// leave gives the place back: before the caller has the answer, whose next
// request may follow at once.
func (r *ride) leave() {
	r.service.gate.Lock()
	r.service.account.Leave(r.name)
	r.service.gate.Unlock()
}

// serve carries the invocation out. answer is called once.
func (r *ride) serve(req live.Request, answer func(live.Result)) {
	defer r.deployment.leave()
	if req.Received == 0 {
		req.Received = results.Now()
	}
	if reason := r.admit(); reason != "" {
		answer(refusal(req, reason))
		return
	}
	req.ARN = r.arn
	r.deployment.function.Serve(req, func(res live.Result) {
		r.leave()
		answer(res)
	})
}

// refusal is the result of a trigger that the account did not take in.
func refusal(req live.Request, why plane.Reason) live.Result {
	e := results.Evidence{Start: results.StartUnknown, Received: req.Received, Responded: results.Now()}
	e.Phases.Queue = e.Responded.Sub(e.Received)
	id := req.ID
	if id == "" {
		id = newID()
	}
	return live.Result{RequestID: id, Outcome: results.OutcomeThrottled, Reason: string(why), Evidence: e}
}

// now is the time as the API writes it.
func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000-0700") }
