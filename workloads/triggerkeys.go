package workloads

import (
	"fmt"
	"strings"
	"time"
)

// Bounds of event sources (AWS API reference: CreateEventSourceMapping,
// FunctionEventInvokeConfig; Amazon SQS API reference: SetQueueAttributes). A retry's
// delay is none of AWS's settings: Lambda's is a minute.
const (
	maxBatch                     = 10_000
	maxUnwindowed                = 10 // messages of a batch that is not gathered
	maxWindow                    = 300 * time.Second
	minQueueRate, maxQueueRate   = 2, 1000 // invocations at once
	maxVisibility                = 12 * time.Hour
	maxRetries                   = 2
	minEventAge, maxEventAge     = time.Minute, 6 * time.Hour
	minRetryDelay, maxRetryDelay = time.Millisecond, time.Hour
)

var triggerKeys = []key[Trigger]{
	{"async", readEvents(TriggerAsync)},
	{"queue", readQueue},
	{"bucket", readEvents(TriggerBucket)},
	{"schedule", readEvents(TriggerSchedule)},
}

var queueKeys = []key[Trigger]{
	{"batch", func(t *Trigger, v value) (err error) { t.Batch, err = v.count("batch", 1, maxBatch); return }},
	{"window", func(t *Trigger, v value) (err error) { t.Window, err = v.seconds("window", 0, maxWindow); return }},
	{"concurrency", func(t *Trigger, v value) (err error) {
		t.Concurrency, err = v.count("concurrency", minQueueRate, maxQueueRate)
		return
	}},
	{"visibility", func(t *Trigger, v value) (err error) {
		t.Visibility, err = v.seconds("visibility", time.Second, maxVisibility)
		return
	}},
	{"partial", func(t *Trigger, v value) (err error) { t.Partial, err = v.truth("partial"); return }},
}

var eventKeys = []key[Trigger]{
	{"retries", func(t *Trigger, v value) (err error) { t.Retries, err = v.count("retries", 0, maxRetries); return }},
	{"retry_delay", func(t *Trigger, v value) (err error) {
		t.RetryDelay, err = v.duration("retry_delay", minRetryDelay, maxRetryDelay)
		return
	}},
	{"jitter", func(t *Trigger, v value) (err error) { t.Jitter, err = v.within("jitter", 0, 1); return }},
	{"max_age", func(t *Trigger, v value) (err error) {
		t.MaxAge, err = v.seconds("max_age", minEventAge, maxEventAge)
		return
	}},
}

// readTrigger takes the word of a kind, or a mapping of one to its settings.
func readTrigger(st *Storm, v value) error {
	if w, err := v.text("trigger"); err == nil {
		if !has(words(TriggerKinds), w) {
			return v.problem(fmt.Sprintf("unknown trigger %q", w), suggest(w, "triggers", words(TriggerKinds)))
		}
		st.Trigger = defaultTrigger(TriggerKind(w))
		return nil
	}
	o, err := read(v, "trigger", triggerKeys, &st.Trigger)
	if err != nil {
		return err
	}
	return o.one(words(TriggerKinds)...)
}

func defaultTrigger(k TriggerKind) Trigger {
	if k == TriggerQueue {
		return Trigger{Kind: k, Batch: maxUnwindowed}
	}
	return Trigger{Kind: k, Retries: maxRetries, RetryDelay: time.Minute, Jitter: 1, MaxAge: maxEventAge}
}

func readQueue(t *Trigger, v value) error {
	*t = defaultTrigger(TriggerQueue)
	o, err := read(v, "queue", queueKeys, t)
	if err == nil && t.Batch > maxUnwindowed && t.Window == 0 {
		return o.problem("batch", fmt.Sprintf("a batch of %d needs a window", t.Batch), fmt.Sprintf("add window: 1s; without one Lambda takes at most %d messages at once", maxUnwindowed))
	}
	return err
}

func readEvents(k TriggerKind) func(*Trigger, value) error {
	return func(t *Trigger, v value) error {
		*t = defaultTrigger(k)
		_, err := read(v, string(k), eventKeys, t)
		return err
	}
}

// checkTrigger refuses storms whose triggers can't come by an event source.
func (s *Scenario) checkTrigger(o object, st Storm) error {
	t := st.Trigger
	switch {
	case t.Direct():
		return nil
	case st.Has(ShapeSequence, ShapeLoop):
		return o.problem("trigger", fmt.Sprintf("%s waits for answers, and the answer to an event is not its end", st.Shape.a()), "use a shape with times of its own, such as gap or constant")
	case st.Has(ShapeZipf, ShapeCold) || st.apart():
		return o.problem("trigger", fmt.Sprintf("%s goes to several functions, and an event source has one", st.Shape.a()), "leave trigger out, or give the storm another shape")
	case t.Kind == TriggerSchedule && len(st.Payloads) > 0:
		return o.problem("payloads", "events of a schedule carry no payload", "remove payloads")
	case t.Visibility > 0 && t.Visibility < s.Function.Timeout:
		return o.problem("trigger", fmt.Sprintf("visibility of %s is shorter than the function's timeout of %s", short(t.Visibility), short(s.Function.Timeout)), "Lambda refuses such a queue, and advises six times the timeout")
	}
	return nil
}

// apart reports whether a trace among the parts has functions of its own.
func (st Storm) apart() bool {
	found := st.Apart
	for _, p := range st.Parts {
		found = found || p.apart()
	}
	return found
}

// seconds reads a duration in whole seconds.
func (v value) seconds(what string, low, high time.Duration) (time.Duration, error) {
	d, err := v.duration(what, low, high)
	if err == nil && d%time.Second != 0 {
		err = v.problem(fmt.Sprintf("%s cannot be %s", what, d), "AWS takes whole seconds, such as 5s")
	}
	return d, err
}

// written is the trigger as a file has it.
func (t Trigger) written() string {
	var keys []string
	add := func(format string, args ...any) { keys = append(keys, fmt.Sprintf(format, args...)) }
	if t.Kind != TriggerQueue {
		add("retries: %d, retry_delay: %s, jitter: %g, max_age: %s", t.Retries, t.RetryDelay, t.Jitter, t.MaxAge)
	} else {
		add("batch: %d, window: %s", t.Batch, t.Window)
		if t.Concurrency > 0 {
			add("concurrency: %d", t.Concurrency)
		}
		if t.Visibility > 0 {
			add("visibility: %s", t.Visibility)
		}
		add("partial: %t", t.Partial)
	}
	return fmt.Sprintf("{%s: {%s}}", t.Kind, strings.Join(keys, ", "))
}
