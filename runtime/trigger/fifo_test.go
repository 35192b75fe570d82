package trigger

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"coldstorm/results"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
)

func TestFIFOQueueThroughTheAPI(t *testing.T) {
	_, c := client(t)
	ctx := t.Context()
	q := must[*sqs.CreateQueueOutput](t)(c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q.fifo"), Attributes: map[string]string{"FifoQueue": "true"}})).QueueUrl
	send := func(body, group, dedup string) (*sqs.SendMessageOutput, error) {
		in := &sqs.SendMessageInput{QueueUrl: q, MessageBody: &body}
		if group != "" {
			in.MessageGroupId = &group
		}
		if dedup != "" {
			in.MessageDeduplicationId = &dedup
		}
		return c.SendMessage(ctx, in)
	}
	first := must[*sqs.SendMessageOutput](t)(send("1", "g", "a"))
	again := must[*sqs.SendMessageOutput](t)(send("1 again", "g", "a"))
	second := must[*sqs.SendMessageOutput](t)(send("2", "g", "b"))
	same(t, "id of what was sent before", *again.MessageId, *first.MessageId)
	if *first.SequenceNumber >= *second.SequenceNumber || len(*first.SequenceNumber) != 20 {
		t.Errorf("sequence numbers %s and %s", *first.SequenceNumber, *second.SequenceNumber)
	}
	for want, try := range map[string][3]string{
		"MissingParameter":          {"x", "", "d"},
		"ContentBasedDeduplication": {"x", "g", ""},
		"MessageGroupId":            {"x", "a b", "d"},
		"MessageDeduplicationId":    {"x", "g", strings.Repeat("d", 129)},
	} {
		if _, err := send(try[0], try[1], try[2]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", try, err, want)
		}
	}
	if _, err := c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: q, MessageBody: aws.String("x"), MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("z"), DelaySeconds: 1}); err == nil {
		t.Error("a delay of one message was taken")
	}
	got := must[*sqs.ReceiveMessageOutput](t)(c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: q, MaxNumberOfMessages: 1, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"MessageGroupId", "MessageDeduplicationId", "SequenceNumber"},
	}))
	same(t, "attributes", got.Messages[0].Attributes, map[string]string{"MessageGroupId": "g", "MessageDeduplicationId": "a", "SequenceNumber": *first.SequenceNumber})
	if more := must[*sqs.ReceiveMessageOutput](t)(c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q})); len(more.Messages) != 0 {
		t.Errorf("%d messages of a group of which one is in flight", len(more.Messages))
	}
}

func TestNamesAndKindsOfQueuesAgree(t *testing.T) {
	for _, tt := range []struct {
		name string
		a    attributes
		well bool
	}{
		{"q.fifo", attributes{"FifoQueue": "true"}, true},
		{"q.fifo", attributes{"FifoQueue": "true", "ContentBasedDeduplication": "true", "DeduplicationScope": "messageGroup"}, true},
		{"q", attributes{"FifoQueue": "true"}, false},
		{"q.fifo", nil, false},
		{".fifo", attributes{"FifoQueue": "true"}, false},
		{strings.Repeat("q", 76) + ".fifo", attributes{"FifoQueue": "true"}, false},
		{"q", attributes{"ContentBasedDeduplication": "true"}, false},
	} {
		if err := checkName(tt.name, tt.a); (err == nil) != tt.well {
			t.Errorf("%s %v: %v", tt.name, tt.a, err)
		}
	}
}

func TestAMessageIsTakenOnceInFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			scope string
			other int // messages of another group with the same id
		}{{"queue", 0}, {"messageGroup", 1}} {
			s := sources(t, &functions{})
			q, err := s.createQueue("q.fifo", attributes{"FifoQueue": "true", "DeduplicationScope": tt.scope})
			if err != nil {
				t.Fatal(err)
			}
			count := func() int { c, _, _ := q.counts(); return c.Visible }
			q.send("x", nil, -1, order{group: "g", dedup: "d"})
			time.Sleep(deduplication - time.Second)
			q.send("x", nil, -1, order{group: "g", dedup: "d"})
			same(t, tt.scope+": within five minutes", count(), 1)
			q.send("x", nil, -1, order{group: "h", dedup: "d"})
			same(t, tt.scope+": of another group", count(), 1+tt.other)
			time.Sleep(time.Second)
			q.send("x", nil, -1, order{group: "g", dedup: "d"})
			same(t, tt.scope+": after five minutes", count(), 2+tt.other)
			end(s)
		}
	})
}

func TestContentIsADeduplicationID(t *testing.T) {
	s := sources(t, &functions{})
	q, err := s.createQueue("q.fifo", kind("q.fifo"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := q.order("body", "g", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := q.order("body", "g", "", nil)
	c, _ := q.order("other", "g", "", nil)
	if a.dedup != b.dedup || a.dedup == c.dedup || len(a.dedup) != 64 {
		t.Errorf("%v %v %v", a, b, c)
	}
}

// fifoDesk is a desk with a FIFO queue.
func fifoDesk(t *testing.T, r plane.PollerRules, behave func([]string) live.Result) *desk {
	d := &desk{t: t, began: time.Now()}
	d.f = &functions{behave: func(_ string, event []byte) live.Result {
		batch := bodies(t, string(event))
		d.log = append(d.log, fmt.Sprintf("%v: %s", time.Since(d.began), strings.Join(batch, " ")))
		return behave(batch)
	}}
	d.Sources = sources(t, d.f)
	add(t, d.Sources, Source{Queue: &Queue{Name: "q.fifo", Function: "f", Rules: r}})
	q, err := d.queueNamed("q.fifo")
	if err != nil {
		t.Fatal(err)
	}
	d.queue = q
	return d
}

// An invocation takes a second: a group has one at a time, and its messages stay in order.
func TestAGroupHasOneBatchAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := fifoDesk(t, plane.PollerRules{BatchSize: 2}, func([]string) live.Result {
			time.Sleep(time.Second)
			return live.Result{}
		})
		for i := range 5 {
			d.queue.send(fmt.Sprint(i), nil, -1, order{group: "g", dedup: fmt.Sprint(i)})
		}
		d.pass(time.Minute)
		same(t, "batches", strings.Join(d.log, ", "), "0s: 0x1 1x1, 1s: 2x1 3x1, 2s: 4x1")
		end(d.Sources)
	})
}

func TestAFailedBatchBlocksItsGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := false
		d := fifoDesk(t, plane.PollerRules{BatchSize: 1}, func([]string) (r live.Result) {
			if !failed {
				failed, r.Outcome = true, results.OutcomeFailed
			}
			return r
		})
		for i := range 3 {
			d.queue.send(fmt.Sprint(i), nil, -1, order{group: "g", dedup: fmt.Sprint(i)})
		}
		d.pass(time.Hour)
		same(t, "batches", strings.Join(d.log, ", "), "0s: 0x1, 18s: 0x2, 18s: 1x1, 18s: 2x1")
		end(d.Sources)
	})
}

func TestPollersOfFIFOQueuesHaveTheirLimits(t *testing.T) {
	s := sources(t, &functions{})
	q, err := s.createQueue("q.fifo", kind("q.fifo"))
	if err != nil {
		t.Fatal(err)
	}
	for _, settings := range []map[string]any{
		{"BatchSize": 11, "MaximumBatchingWindowInSeconds": 1}, {"MaximumBatchingWindowInSeconds": 1},
	} {
		settings["EventSourceArn"] = q.arn()
		if err := s.Map("m", settings, time.Second); err == nil || !strings.Contains(err.Error(), "FIFO") {
			t.Errorf("%v: %v", settings, err)
		}
	}
}
