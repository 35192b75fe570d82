package trigger

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
)

// bodies are those of an event's records, and receives how often each came.
func bodies(t testing.TB, event string) (all []string) {
	t.Helper()
	var x struct{ Records []sqsRecord }
	if err := json.Unmarshal([]byte(event), &x); err != nil {
		t.Fatal(err)
	}
	for _, r := range x.Records {
		all = append(all, r.Body+"x"+r.Attributes["ApproximateReceiveCount"])
	}
	return all
}

// desk is a queue with a function behind it, in a bubble of virtual time: log has
// a line for each batch, with the second at which it came.
type desk struct {
	*Sources
	t     testing.TB
	f     *functions
	queue *queue
	began time.Time
	log   []string
}

// open makes a desk. behave gets the messages of a batch, as bodies writes them.
func open(t *testing.T, x Queue, behave func(batch []string) live.Result) *desk {
	t.Helper()
	d := &desk{t: t, began: time.Now()}
	d.f = &functions{behave: func(_ string, event []byte) live.Result {
		batch := bodies(t, string(event))
		d.log = append(d.log, fmt.Sprintf("%v: %s", time.Since(d.began), strings.Join(batch, " ")))
		if behave == nil {
			return live.Result{}
		}
		return behave(batch)
	}}
	d.Sources = sources(t, d.f)
	x.Name, x.Function = "q", "f"
	add(t, d.Sources, Source{Queue: &x})
	q, err := d.queueNamed("q")
	if err != nil {
		t.Fatal(err)
	}
	d.queue = q
	return d
}

// pass lets time go by, and everything happen that is due.
func (d *desk) pass(span time.Duration) {
	time.Sleep(span)
	synctest.Wait()
}

func (d *desk) send(all ...string) {
	for _, body := range all {
		d.queue.send(body, nil, -1, order{})
	}
}

func (d *desk) left() plane.QueueCounts { c, _, _ := d.queue.counts(); return c }

func TestABatchWaitsForItsWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, Queue{Rules: plane.PollerRules{BatchSize: 3, Window: 5 * time.Second}}, nil)
		d.send("a")
		d.pass(2 * time.Second)
		d.send("b")
		d.pass(10 * time.Second)
		d.send("c", "d", "e", "f")
		d.pass(time.Minute)
		same(t, "batches", strings.Join(d.log, ", "), "5s: ax1 bx1, 12s: cx1 dx1 ex1, 17s: fx1")
		same(t, "left", d.left(), plane.QueueCounts{})
		end(d.Sources)
	})
}

func TestAFailedBatchComesAgainAfterTheVisibilityTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := 0
		d := open(t, Queue{}, func([]string) (r live.Result) {
			if failed++; failed <= 2 {
				r.Outcome = results.OutcomeFailed
			}
			return r
		})
		d.send("a")
		d.pass(time.Hour)
		same(t, "batches", strings.Join(d.log, ", "), "0s: ax1, 18s: ax2, 36s: ax3") // six times three seconds
		same(t, "left", d.left(), plane.QueueCounts{})
		end(d.Sources)
	})
}

func TestOnlyTheMessagesThatFailedComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d *desk
		d = open(t, Queue{Partial: true, Rules: plane.PollerRules{Window: time.Second}}, func(batch []string) (r live.Result) {
			if len(batch) == 3 {
				event, _ := d.f.last(t)
				var x struct{ Records []sqsRecord }
				json.Unmarshal([]byte(event), &x)
				r.Payload = fmt.Appendf(nil, `{"batchItemFailures":[{"itemIdentifier":%q}]}`, x.Records[1].MessageID)
			}
			return r
		})
		d.send("a", "b", "c")
		d.pass(time.Hour)
		same(t, "batches", strings.Join(d.log, ", "), "1s: ax1 bx1 cx1, 20s: bx2") // hidden at 0s for 19s, gathered for 1s
		same(t, "left", d.left(), plane.QueueCounts{})
		end(d.Sources)
	})
}

func TestAMessageThatAlwaysFailsEndsInTheDeadLetterQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, Queue{DeadLetter: "dead", MaxReceives: 2, Visibility: 10 * time.Second}, func([]string) live.Result {
			return live.Result{Outcome: results.OutcomeFailed}
		})
		id := d.queue.send("a", nil, -1, order{}).id
		d.pass(time.Hour)
		same(t, "batches", strings.Join(d.log, ", "), "0s: ax1, 10s: ax2")
		dead, err := d.queueNamed("dead")
		if err != nil {
			t.Fatal(err)
		}
		got, _ := dead.receive(10, -1)
		if len(got) != 1 || got[0].body != "a" || got[0].id != id {
			t.Errorf("dead: %v", got)
		}
		end(d.Sources)
	})
}

func TestAThrottledBatchIsTriedAgainAndThenLeftToTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		throttled := 0
		d := open(t, Queue{Visibility: 10 * time.Second}, func([]string) (r live.Result) {
			if throttled++; throttled <= 4 {
				r.Outcome = results.OutcomeThrottled
			}
			return r
		})
		d.send("a")
		d.pass(time.Hour)
		// After 1, 2 and 4 seconds; another 8 would be after the timeout.
		same(t, "batches", strings.Join(d.log, ", "), "0s: ax1, 1s: ax1, 3s: ax1, 7s: ax1, 10s: ax2")
		end(d.Sources)
	})
}

func TestNoMoreBatchesAtOnceThanTheMaximumConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		f := &functions{behave: func(string, []byte) live.Result {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return live.Result{}
		}}
		s := sources(t, f)
		add(t, s, Source{Queue: &Queue{Name: "q", Function: "f", Rules: plane.PollerRules{BatchSize: 1, Concurrency: 3}}})
		q, _ := s.queueNamed("q")
		for range 30 {
			q.send("x", nil, -1, order{})
		}
		time.Sleep(9500 * time.Millisecond)
		synctest.Wait()
		same(t, "at once", most.Load(), 3)
		same(t, "begun after 9.5 seconds", len(f.events), 30)
		time.Sleep(time.Minute)
		c, _, _ := q.counts()
		same(t, "left", c, plane.QueueCounts{})
		end(s)
	})
}

func TestPollersAreAddedWhileMessagesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now atomic.Int32
		f := &functions{timeout: time.Minute, behave: func(string, []byte) live.Result {
			now.Add(1)
			time.Sleep(time.Minute)
			now.Add(-1)
			return live.Result{}
		}}
		s := sources(t, f)
		add(t, s, Source{Queue: &Queue{Name: "q", Function: "f", Rules: plane.PollerRules{BatchSize: 1}}})
		q, _ := s.queueNamed("q")
		for range 400 {
			q.send("x", nil, -1, order{})
		}
		for second, want := range []int32{5, 10, 15, 20} { // 300 a minute
			time.Sleep(time.Millisecond)
			synctest.Wait()
			same(t, fmt.Sprint("invocations after ", second, " s"), now.Load(), want)
			time.Sleep(999 * time.Millisecond)
		}
		q.purge()
		time.Sleep(2 * time.Minute)
		end(s)
	})
}

func TestMappingsAreRefusedAsLambdaDoes(t *testing.T) {
	s := sources(t, &functions{})
	if _, err := s.createQueue("q", attributes{"VisibilityTimeout": "10"}); err != nil {
		t.Fatal(err)
	}
	const q = "arn:aws:sqs:us-east-1:123456789012:q"
	for _, tt := range []struct {
		settings map[string]any
		timeout  time.Duration
		want     string
	}{
		{map[string]any{"EventSourceArn": q}, 11 * time.Second, "visibility timeout is less"},
		{map[string]any{"EventSourceArn": q, "BatchSize": 100}, time.Second, "batching window"},
		{map[string]any{"EventSourceArn": q, "ScalingConfig": map[string]any{"MaximumConcurrency": 1}}, time.Second, "2..1000"},
		{map[string]any{"EventSourceArn": q + "2"}, time.Second, "NonExistentQueue"},
		{map[string]any{"EventSourceArn": q, "FilterCriteria": map[string]any{"Filters": []any{map[string]any{"Pattern": "{"}}}}, time.Second, "Invalid filter pattern"},
		{map[string]any{"EventSourceArn": q, "FilterCriteria": map[string]any{"Filters": []any{map[string]any{"Pattern": `{"body": ["x"]}`}}}}, time.Second, ""},
		{map[string]any{"EventSourceArn": q, "ProvisionedPollerConfig": map[string]any{"MinimumPollers": 1}}, time.Second, "minimum pollers"},
		{map[string]any{"EventSourceArn": q, "ProvisionedPollerConfig": map[string]any{"MinimumPollers": 2, "MaximumPollers": 5}, "ScalingConfig": map[string]any{"MaximumConcurrency": 5}}, time.Second, "maximum concurrency"},
		{map[string]any{"EventSourceArn": q, "ProvisionedPollerConfig": map[string]any{"MinimumPollers": 2, "MaximumPollers": 5}}, time.Second, ""},
		{map[string]any{"EventSourceArn": q, "BatchSize": "x"}, time.Second, "event source mapping"},
		{map[string]any{"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/x"}, time.Second, ""},
		{map[string]any{"EventSourceArn": q, "State": "Enabled"}, 10 * time.Second, ""},
	} {
		err := s.Map("m", tt.settings, tt.timeout)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %q", tt.settings, err, tt.want)
		}
	}
}

func TestAMappingIsDisabledAndEnabled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &functions{}
		s := sources(t, f)
		q, err := s.createQueue("q", nil)
		if err != nil {
			t.Fatal(err)
		}
		change := func(state string) {
			if err := s.Map("m", map[string]any{"EventSourceArn": q.arn(), "FunctionArn": "f", "State": state}, time.Second); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		change("Disabled")
		q.send("a", nil, -1, order{})
		time.Sleep(time.Minute)
		same(t, "events of a mapping that is disabled", len(f.events), 0)
		change("Enabled")
		same(t, "events of one that is enabled", len(f.events), 1)
		s.Unmap("m")
		synctest.Wait()
		q.send("b", nil, -1, order{})
		time.Sleep(time.Minute)
		same(t, "events of one that is deleted", len(f.events), 1)
		end(s)
	})
}
