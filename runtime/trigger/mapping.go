package trigger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
)

// Queue is a message queue and the function that handles its messages.
type Queue struct {
	Name     string            `json:"name"`
	Function string            `json:"function"`
	Rules    plane.PollerRules `json:"rules"`
	// Visibility is the queue's visibility timeout; 0: plane.AdvisedVisibility.
	Visibility time.Duration `json:"visibility_ns,omitempty"`
	// DeadLetter is the queue for messages that were received MaxReceives times (0:
	// 5, the least that AWS advises). Empty: there is none.
	DeadLetter  string `json:"dead_letter,omitempty"`
	MaxReceives int    `json:"max_receives,omitempty"`
	// Partial says that the function reports the messages of a batch that failed
	// (ReportBatchItemFailures).
	Partial bool `json:"partial,omitempty"`
}

// minReceives is what AWS advises as maxReceiveCount at least.
const minReceives = 5

// addQueue makes a queue and its dead-letter queue, and begins to poll it.
func (s *Sources) addQueue(x Queue) error {
	timeout, err := s.functions.Timeout(x.Function)
	if err != nil {
		return fmt.Errorf("queue %s: function %s: %w", x.Name, x.Function, err)
	}
	if err := x.Rules.Check(); err != nil {
		return fmt.Errorf("queue %s: %w", x.Name, err)
	}
	if x.Visibility == 0 {
		x.Visibility = plane.AdvisedVisibility(timeout, x.Rules.Window)
	}
	if err := plane.CheckVisibility(x.Visibility, timeout); err != nil {
		return fmt.Errorf("queue %s: %w", x.Name, err)
	}
	a := kind(x.Name)
	a["VisibilityTimeout"] = fmt.Sprint(int(x.Visibility / time.Second))
	if x.DeadLetter != "" {
		if _, err := s.createQueue(x.DeadLetter, kind(x.DeadLetter)); err != nil {
			return fmt.Errorf("queue %s: dead-letter queue: %w", x.Name, err)
		}
		if x.MaxReceives == 0 {
			x.MaxReceives = minReceives
		}
		a["RedrivePolicy"] = fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, arn("sqs", x.DeadLetter), x.MaxReceives)
	}
	q, err := s.createQueue(x.Name, a)
	if err != nil {
		return fmt.Errorf("queue %s: %w", x.Name, err)
	}
	if err := q.checkPoller(x.Rules); err != nil {
		return fmt.Errorf("queue %s: %w", x.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := "queue " + x.Name + "=" + x.Function
	if s.mappings[id] != nil {
		return fmt.Errorf("queue %s: %w", x.Name, ErrTaken)
	}
	s.mappings[id] = s.poll(q, x.Function, x.Rules, x.Partial, nil)
	return nil
}

// settings are those of an event source mapping that matter here (AWS API
// reference: EventSourceMappingConfiguration).
type settings struct {
	EventSourceArn                 string
	FunctionArn                    string
	State                          string
	BatchSize                      int
	MaximumBatchingWindowInSeconds int
	FunctionResponseTypes          []string
	ScalingConfig                  struct{ MaximumConcurrency int }
	FilterCriteria                 *filterCriteria
	ProvisionedPollerConfig        *struct{ MinimumPollers, MaximumPollers int }
}

// Map begins, changes or ends what an event source mapping polls, by its UUID.
// Sources other than queues are taken without effect. Its errors are told to who
// asked for the mapping. It calls no function and none of Functions.
func (s *Sources) Map(id string, shown map[string]any, timeout time.Duration) error {
	b, err := json.Marshal(shown)
	if err != nil {
		return err
	}
	var x settings
	if err := json.Unmarshal(b, &x); err != nil {
		return fmt.Errorf("event source mapping: %w", err)
	}
	name, ok := queueOf(x.EventSourceArn)
	if !ok {
		s.config.Say("event source %s is of no queue: nothing polls it", x.EventSourceArn)
		return nil
	}
	rules, err := x.rules()
	if err != nil {
		return err
	}
	only, err := x.FilterCriteria.read()
	if err != nil {
		return err
	}
	q, err := s.queueNamed(name)
	if err != nil {
		return fmt.Errorf("Error occurred while ReceiveMessage. SQS Error Code: %w", err) // as Lambda writes it
	}
	if err := plane.CheckVisibility(q.attributes().seconds("VisibilityTimeout"), timeout); err != nil {
		return err
	}
	if err := q.checkPoller(rules); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.mappings[id]; old != nil {
		old.stop()
		delete(s.mappings, id)
	}
	if x.State == "Disabled" {
		return nil
	}
	partial := false
	for _, t := range x.FunctionResponseTypes {
		partial = partial || t == "ReportBatchItemFailures"
	}
	s.mappings[id] = s.poll(q, x.FunctionArn, rules, partial, only)
	return nil
}

func (x settings) rules() (plane.PollerRules, error) {
	r := plane.PollerRules{
		BatchSize: x.BatchSize, Window: time.Duration(x.MaximumBatchingWindowInSeconds) * time.Second, Concurrency: x.ScalingConfig.MaximumConcurrency,
	}
	if p := x.ProvisionedPollerConfig; p != nil && (p.MinimumPollers != 0 || p.MaximumPollers != 0) {
		var err error
		if r, err = r.Provisioned(p.MinimumPollers, p.MaximumPollers); err != nil {
			return r, err
		}
	}
	return r, r.Check()
}

// Unmap ends what a mapping polls.
func (s *Sources) Unmap(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.mappings[id]; m != nil {
		m.stop()
		delete(s.mappings, id)
	}
}

// mapping polls one queue for one function.
type mapping struct {
	sources  *Sources
	queue    *queue
	function string
	partial  bool
	only     filters
	ctx      context.Context
	stop     context.CancelFunc
	ended    chan struct{} // buffered: an invocation has

	mu     sync.Mutex
	poller *plane.Poller
	held   map[plane.Message]received // in a batch
}

// poll begins a mapping. The caller holds the lock.
func (s *Sources) poll(q *queue, function string, r plane.PollerRules, partial bool, only filters) *mapping {
	m := &mapping{
		sources: s, queue: q, function: function, partial: partial, only: only, ended: make(chan struct{}, 1),
		poller: plane.NewPoller(r), held: map[plane.Message]received{},
	}
	m.ctx, m.stop = context.WithCancel(s.ctx)
	s.begin(m.run)
	return m
}

// run does what the poller says until the mapping or its queue is ended. What is
// in a batch then returns to the queue by its visibility timeout.
func (m *mapping) run() {
	for m.ctx.Err() == nil {
		wake := m.queue.wake() // before it is looked for: no message slips by
		batches, next, deleted := m.step()
		for _, b := range batches {
			m.sources.tasks.Go(func() { m.invoke(b) })
		}
		if deleted {
			return
		}
		alarm := time.NewTimer(next)
		select {
		case <-wake:
		case <-m.ended:
		case <-alarm.C:
		case <-m.ctx.Done():
		}
		alarm.Stop()
	}
}

// longest is how long a mapping sleeps when there is nothing to wait for: so that
// its pollers go away.
const longest = time.Minute

// step receives what there is room for, and returns the batches to invoke and how
// long there is nothing to do.
func (m *mapping) step() (batches [][]received, next time.Duration, deleted bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts, _, _ := m.queue.counts()
	at := m.queue.now()
	m.poller.Observe(at, counts.Visible)
	for got := range m.receipts() {
		for _, b := range m.poller.Take(at, m.parcels(got)) {
			batches = append(batches, m.open(b))
		}
	}
	counts, hidden, more := m.queue.counts()
	m.poller.Observe(at, counts.Visible)
	next = longest
	if more && m.poller.Room() > 0 {
		next = min(next, hidden)
	}
	if due, ok := m.poller.Next(); ok {
		next = min(next, due-m.queue.now())
	}
	m.queue.mu.Lock()
	defer m.queue.mu.Unlock()
	return batches, max(next, 0), m.queue.deleted
}

// receipts yields what there is room for: all that there is, once, or of a FIFO queue
// what makes a batch each, so that a group's messages are in one batch at a time.
func (m *mapping) receipts() func(yield func([]received) bool) {
	return func(yield func([]received) bool) {
		for first := true; ; first = false {
			room := m.poller.Room()
			if m.queue.fifo() {
				room = min(room, m.poller.Rules().BatchSize)
			}
			if !first && (room == 0 || !m.queue.fifo()) {
				return
			}
			got, dead := m.queue.receive(room, -1)
			m.sources.bury(m.queue, dead)
			if !yield(got) || len(got) == 0 {
				return
			}
		}
	}
}

// parcels are received messages as the poller counts them, less what the filters keep
// from the function.
func (m *mapping) parcels(got []received) []plane.Parcel {
	var parcels []plane.Parcel
	for _, x := range got {
		if !m.only.pass(x.record(m.queue.arn())) {
			m.skip(x)
			continue
		}
		m.held[x.Message] = x
		parcels = append(parcels, plane.Parcel{Delivery: x.Delivery, Bytes: size(x.body, x.content.attributes)})
	}
	return parcels
}

// checkPoller says what a FIFO queue's poller can't be (AWS Lambda developer guide: "Using
// Lambda with Amazon SQS").
func (q *queue) checkPoller(r plane.PollerRules) error {
	switch {
	case !q.fifo():
	case r.BatchSize > maxEntries:
		return fmt.Errorf("Batch size %d of a FIFO queue is not within 1..%d.", r.BatchSize, maxEntries)
	case r.Window > 0:
		return errors.New("A batching window can't be set for a FIFO queue.")
	}
	return nil
}

// skip deletes a message that the filters keep from the function.
func (m *mapping) skip(x received) {
	m.queue.remove(x.receipt)
	m.sources.ledger.add(Completion{
		Trigger: x.id, Source: "queue " + m.queue.name, Function: m.function, Outcome: results.OutcomeFailed, Reason: ReasonFiltered,
		Publish: x.published, Poll: x.polled, Done: results.Now(),
	})
}

// open takes a batch's messages. The caller holds the lock.
func (m *mapping) open(b plane.Batch) (all []received) {
	for _, p := range b {
		all = append(all, m.held[p.Message])
		delete(m.held, p.Message)
	}
	return all
}

// invoke hands a batch to the function, again while there is no room for it, and
// deletes what was handled.
func (m *mapping) invoke(batch []received) {
	well := m.attempt(batch)
	m.mu.Lock()
	m.poller.Done(well)
	m.mu.Unlock()
	select {
	case m.ended <- struct{}{}:
	default:
	}
}

func (m *mapping) attempt(batch []received) (well bool) {
	event := sqsEvent(batch, m.queue.arn())
	timeout := m.queue.attributes().seconds("VisibilityTimeout")
	for throttled := 1; ; throttled++ {
		var res live.Result
		err := m.sources.functions.Invoke(m.function, live.Request{Payload: event, ContentType: "application/json"}, func(r live.Result) { res = r })
		if err != nil {
			m.sources.config.Say("queue %s: function %s: %v", m.queue.name, m.function, err)
			return false
		}
		if res.Outcome != results.OutcomeThrottled {
			return m.finish(batch, res)
		}
		received := batch[0].polled.Sub(results.Now()) // negative: ago
		wait, again := m.poller.AfterThrottle(throttled, 0, received, timeout)
		if !again {
			return false
		}
		alarm := time.NewTimer(wait)
		select {
		case <-alarm.C:
		case <-m.ctx.Done():
			alarm.Stop()
			return false
		}
	}
}

// finish deletes the messages that the function has handled. The others become
// visible again when their timeout ends.
func (m *mapping) finish(batch []received, res live.Result) (well bool) {
	failed := map[string]bool{}
	all := res.Outcome != results.OutcomeServed
	if m.partial && !all {
		failed, all = batchFailures(batch, res.Payload)
	}
	for _, x := range batch {
		c := Completion{
			Trigger: x.id, Source: "queue " + m.queue.name, Function: m.function, Attempts: x.Receives, Publish: x.published, Poll: x.polled,
		}
		c.complete(res)
		if all || failed[x.id] {
			if c.Outcome == results.OutcomeServed {
				c.Outcome, c.Reason = results.OutcomeFailed, ReasonReported
			}
		} else {
			m.queue.remove(x.receipt)
		}
		m.sources.ledger.add(c)
	}
	return !all
}
