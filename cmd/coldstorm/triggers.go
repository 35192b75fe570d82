package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"coldstorm/runtime/trigger"
	"coldstorm/workloads"
)

// triggers are the event sources that serve is given.
type triggers struct {
	queues    queueFlag
	buckets   bucketFlag
	schedules scheduleFlag
}

// all are the sources in the order of their kinds.
func (t triggers) all() (all []trigger.Source) {
	for i := range t.queues {
		all = append(all, trigger.Source{Queue: &t.queues[i]})
	}
	for i := range t.buckets {
		all = append(all, trigger.Source{Bucket: &t.buckets[i]})
	}
	for i := range t.schedules {
		all = append(all, trigger.Source{Schedule: &t.schedules[i]})
	}
	return all
}

// functionOf is the function that a source triggers.
func functionOf(x trigger.Source) string {
	switch {
	case x.Queue != nil:
		return x.Queue.Function
	case x.Bucket != nil:
		return x.Bucket.Function
	}
	return x.Schedule.Function
}

// describe says where a source's events are published.
func describe(x trigger.Source, url string) string {
	switch {
	case x.Queue != nil:
		group := ""
		if strings.HasSuffix(x.Queue.Name, ".fifo") {
			group = " --message-group-id ..."
		}
		return fmt.Sprintf("queue %s triggers %s: aws sqs send-message --queue-url %s/%s%s --message-body ...", x.Queue.Name, x.Queue.Function, url, "123456789012/"+x.Queue.Name, group)
	case x.Bucket != nil:
		return fmt.Sprintf("files in %s trigger %s: bucket %s, %s/%[3]s/KEY", x.Bucket.Folder, x.Bucket.Function, x.Bucket.Name, url)
	}
	return fmt.Sprintf("%s triggers %s: rule %s, at once with POST %s/coldstorm/publish/%[3]s", x.Schedule.Expression, x.Schedule.Function, x.Schedule.Name, url)
}

// bundle adds the bundled functions that sources name and no --function is.
func (o *serveOptions) bundle() error {
	have := map[string]bool{}
	for _, f := range o.functions {
		name := f.name
		if name == "" {
			name = functionName(f.path)
		}
		have[name] = true
	}
	for _, x := range o.triggers.all() {
		name := functionOf(x)
		if _, ok := workloads.Bundled(name); have[name] || !ok {
			continue
		}
		path, err := unpack(name, o.work)
		if err != nil {
			return err
		}
		o.functions = append(o.functions, startFunction{path, name})
		have[name] = true
	}
	return nil
}

type (
	queueFlag    []trigger.Queue
	bucketFlag   []trigger.Bucket
	scheduleFlag []trigger.Schedule
)

func (f *queueFlag) String() string    { return "" }
func (f *queueFlag) Type() string      { return "source" }
func (f *bucketFlag) String() string   { return "" }
func (f *bucketFlag) Type() string     { return "source" }
func (f *scheduleFlag) String() string { return "" }
func (f *scheduleFlag) Type() string   { return "source" }

func (f *queueFlag) Set(s string) error {
	var q trigger.Queue
	var err error
	q.Name, q.Function, err = source(s, map[string]func(string) error{
		"batch":           number(&q.Rules.BatchSize),
		"window":          wholeSeconds(&q.Rules.Window),
		"max-concurrency": number(&q.Rules.Concurrency),
		"visibility":      wholeSeconds(&q.Visibility),
		"dead-letter":     text(&q.DeadLetter),
		"max-receives":    number(&q.MaxReceives),
		"partial":         yes(&q.Partial),
	})
	if err == nil {
		err = q.Rules.Check()
	}
	*f = append(*f, q)
	return err
}

func (f *bucketFlag) Set(s string) error {
	var b trigger.Bucket
	var err error
	b.Folder, b.Function, err = source(s, map[string]func(string) error{
		"name":   text(&b.Name),
		"prefix": text(&b.Prefix),
		"suffix": text(&b.Suffix),
		"output": text(&b.Output),
		"field":  text(&b.Field),
	})
	if err != nil {
		return err
	}
	// The engine has another working directory, perhaps.
	if b.Folder, err = filepath.Abs(b.Folder); err != nil {
		return err
	}
	if b.Output != "" {
		if b.Output, err = filepath.Abs(b.Output); err != nil {
			return err
		}
	}
	if b.Name == "" {
		b.Name = strings.Trim(notInNames.ReplaceAllString(strings.ToLower(filepath.Base(b.Folder)), "-"), "-_")
	}
	*f = append(*f, b)
	return nil
}

func (f *scheduleFlag) Set(s string) error {
	end := strings.LastIndex(s, ")=") + 1
	if end == 0 {
		return errors.New("it is not of the form rate(...)=FUNCTION or cron(...)=FUNCTION")
	}
	x := trigger.Schedule{Expression: s[:end]}
	var err error
	_, x.Function, err = source("schedule"+s[end:], map[string]func(string) error{"name": text(&x.Name)})
	if err == nil {
		err = trigger.CheckExpression(x.Expression)
	}
	if x.Name == "" {
		x.Name = "schedule-" + strconv.Itoa(len(*f)+1)
	}
	*f = append(*f, x)
	return err
}

// source reads WHAT=FUNCTION[,KEY=VALUE]..., in which a key without a value is one
// that is said to be so.
func source(s string, settings map[string]func(string) error) (what, function string, err error) {
	what, rest, ok := strings.Cut(s, "=")
	function, more, some := strings.Cut(rest, ",")
	if !ok || what == "" || function == "" {
		return "", "", errors.New("it is not of the form SOURCE=FUNCTION[,KEY=VALUE]")
	}
	for some {
		var one string
		one, more, some = strings.Cut(more, ",")
		key, value, _ := strings.Cut(one, "=")
		set, known := settings[key]
		if !known {
			return "", "", fmt.Errorf("there is no setting %q", key)
		}
		if err := set(value); err != nil {
			return "", "", fmt.Errorf("%s: %w", key, err)
		}
	}
	return what, function, nil
}

func number(to *int) func(string) error {
	return func(s string) (err error) {
		if *to, err = strconv.Atoi(s); err != nil || *to < 1 {
			return fmt.Errorf("%q is no positive number", s)
		}
		return nil
	}
}

func wholeSeconds(to *time.Duration) func(string) error {
	return func(s string) (err error) {
		if *to, err = time.ParseDuration(s); err != nil || *to < 0 || *to%time.Second != 0 {
			return fmt.Errorf("%q is no time in whole seconds, such as 5s", s)
		}
		return nil
	}
}

func text(to *string) func(string) error {
	return func(s string) error {
		if s == "" {
			return errors.New("it is empty")
		}
		*to = s
		return nil
	}
}

func yes(to *bool) func(string) error {
	return func(s string) error {
		if s != "" {
			return fmt.Errorf("it takes no value, such as %q", s)
		}
		*to = true
		return nil
	}
}

const triggersHelp = `Events reach functions of 'coldstorm serve' by four ways, besides an invocation that
is waited for. Each event ends once, with a line at /coldstorm/completions; at the
end serve writes n, p50 and p99 of each part of their way.

Asynchronous: aws lambda invoke --invocation-type Event. Two retries, after one and two
minutes (--retry-delay); throttles are tried again for six hours. All of it, and
destinations (functions and queues), is set by put-function-event-invoke-config.

Queue: --queue NAME=FUNCTION, or create-queue and create-event-source-mapping.
    batch=10            messages of an invocation, up to 10000; more than 10 want a window
    window=0s           how long a batch is gathered, up to 300s
    max-concurrency=N   invocations at once, 2 to 1000; without it up to 1250
    visibility=TIME     of a received message; six times the function's timeout and the window
    dead-letter=QUEUE   for messages that were received max-receives times
    max-receives=5
    partial             the function reports which messages failed (batchItemFailures)
Pollers begin at five and grow by 300 a minute while messages wait.

Bucket: --bucket FOLDER=FUNCTION. Each file that is written and closed in the folder, or
moved there, is an object: by cp, mv, or aws s3 cp FILE s3://NAME/KEY. Names that
begin with a dot are none.
    name=NAME           of the bucket; the folder's
    prefix=P, suffix=S  of the keys that the function is told of
    output=FOLDER       for what the function answers, under the same key
    field=KEY           of the answer, in base64, that is written there; all of it
A sandbox has no network, so the event of an object of up to 4 MB carries it, in base64,
as s3.object.content, which S3's does not.

Schedule: --schedule 'rate(5 minutes)=FUNCTION', or cron(MINUTES HOURS DAY-OF-MONTH MONTH
DAY-OF-WEEK YEAR), in UTC, with ?, L, W and # as EventBridge has them.
    name=NAME           of the rule; schedule-1 and so on

A POST to /coldstorm/publish/NAME publishes to any of the three: the body is the message
or the object, a schedule is due at once. The answer's header Coldstorm-Trigger has the
event's id.

A storm of a scenario comes by such a source too, which 'coldstorm run' makes for it:
    trigger: async                      # or bucket, or schedule
    trigger: {async: {retries: 1, retry_delay: 5s, max_age: 1h}}
    trigger: queue
    trigger: {queue: {batch: 100, window: 5s, concurrency: 10, visibility: 3min, partial: true}}
Each trigger is published when it is due, as the message or the object (schedules carry no
payload), and ends when its handler is done. A message that fails ends as failed the first
time, any other event after its retries. Latency counts from the intended send, retries
included. An event that found no room (concurrency) waits a second, then twice as long each
time, up to five minutes, as on Lambda: a burst beyond it takes long. Messages wait less.
The wait of an event that found no room is drawn from about that (jitter: 0 to 1, 0 for
none; AWS publishes no jitter, so 1, from half to one and a half times as long, is assumed).
Such storms are projected on Lambda by the same rules, with no price and no delay of the
source's own, and on nothing else. They have times of their own: a closed loop would wait
for answers, which are not the end of an event. What only storms by a bucket use as their
payload may be any file, such as a photo: it is the object.
'coldstorm run events' is a bundled one that shows all.
`
