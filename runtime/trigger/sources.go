package trigger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// Functions is what events are delivered to. A function is named by its name or
// its ARN, with a qualifier perhaps. Errors say that there is none, or no room.
type Functions interface {
	// Invoke has a function handle an event, and calls answer once, before it
	// returns.
	Invoke(function string, r live.Request, answer func(live.Result)) error
	// Enqueue has it handled asynchronously, with the retries that it is configured
	// for, and calls done once: with the last attempt's result, when the first began,
	// and how many reached the function.
	Enqueue(function string, r live.Request, done func(r live.Result, taken results.Stamp, attempts int)) error
	// Timeout is how long an invocation may take.
	Timeout(function string) (time.Duration, error)
}

// Config says how Sources behave.
type Config struct {
	URL string // of the endpoint that Handler is served at; no slash at its end
	// Say is told what a person who looks on should know; nil: nobody.
	Say func(format string, args ...any)
}

// Sources are all event sources of one account. Its methods may be called from any
// goroutine.
type Sources struct {
	config    Config
	functions Functions
	ledger    ledger
	ctx       context.Context // of what polls, watches and waits
	cancel    context.CancelFunc
	tasks     sync.WaitGroup

	mu        sync.Mutex
	queues    map[string]*queue
	mappings  map[string]*mapping // by UUID
	buckets   map[string]*bucket
	schedules map[string]*schedule
}

// ErrTaken says that there is a source of that name.
var ErrTaken = errors.New("there is a source of that name already")

// New returns Sources without a source, for which Connect has to be called before
// anything else.
func New(c Config) *Sources {
	if c.Say == nil {
		c.Say = func(string, ...any) {}
	}
	s := &Sources{
		config: c, queues: map[string]*queue{}, mappings: map[string]*mapping{},
		buckets: map[string]*bucket{}, schedules: map[string]*schedule{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Connect names what events are delivered to.
func (s *Sources) Connect(f Functions) { s.functions = f }

// Stop ends polling, watching and waiting. What is being handled goes on.
func (s *Sources) Stop() {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.buckets {
		b.watch.Close()
	}
}

// Wait returns after Stop, once nothing of the sources is left, which takes as
// long as the functions do.
func (s *Sources) Wait() {
	s.tasks.Wait()
	s.ledger.close()
}

// begin runs a task of a source, unless all has ended. The caller holds the lock.
func (s *Sources) begin(task func()) {
	if s.ctx.Err() == nil {
		s.tasks.Go(task)
	}
}

// named reports whether a source has this name. The caller holds the lock.
func (s *Sources) named(name string) bool {
	return s.queues[name] != nil || s.buckets[name] != nil || s.schedules[name] != nil
}

// Source is one event source and the function that it triggers: one of the three.
type Source struct {
	Queue    *Queue    `json:"queue,omitempty"`
	Bucket   *Bucket   `json:"bucket,omitempty"`
	Schedule *Schedule `json:"schedule,omitempty"`
}

// Add makes a source and begins it.
func (s *Sources) Add(x Source) error {
	switch {
	case x.Queue != nil:
		return s.addQueue(*x.Queue)
	case x.Bucket != nil:
		return s.addBucket(*x.Bucket)
	case x.Schedule != nil:
		return s.addSchedule(*x.Schedule)
	}
	return errors.New("a source is a queue, a bucket or a schedule")
}

// arn is that of one of this account's resources.
func arn(service, resource string) string {
	return "arn:aws:" + service + ":" + live.Region + ":" + live.Account + ":" + resource
}

// there reports whether a function is.
func (s *Sources) there(function string) error {
	if _, err := s.functions.Timeout(function); err != nil {
		return fmt.Errorf("function %s: %w", function, err)
	}
	return nil
}
