package trigger

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"coldstorm/runtime/plane"
)

// endpoint serves sources, whose functions are fakes.
func endpoint(t testing.TB, f *functions) (*Sources, *httptest.Server) {
	t.Helper()
	s := sources(t, f)
	server := httptest.NewServer(s.Handler(http.NotFoundHandler()))
	t.Cleanup(func() {
		s.Stop() // which ends its streams
		server.Close()
	})
	s.config.URL = server.URL
	return s, server
}

// client is AWS's own.
func client(t testing.TB) (*Sources, *sqs.Client) {
	s, server := endpoint(t, &functions{})
	return s, sqs.New(sqs.Options{
		BaseEndpoint: aws.String(server.URL), Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestAMessagesLifeThroughTheAPI(t *testing.T) {
	_, c := client(t)
	ctx := t.Context()
	made := must[*sqs.CreateQueueOutput](t)(c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: map[string]string{"VisibilityTimeout": "60"}}))
	at := must[*sqs.GetQueueUrlOutput](t)(c.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("q")}))
	same(t, "URL", *at.QueueUrl, *made.QueueUrl)

	sent := must[*sqs.SendMessageOutput](t)(c.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: made.QueueUrl, MessageBody: aws.String("<&é>"),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"s": {DataType: aws.String("String"), StringValue: aws.String("v")}, "b": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 1}},
		},
	}))
	got := must[*sqs.ReceiveMessageOutput](t)(c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: made.QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 20, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount},
	}))
	if len(got.Messages) != 1 {
		t.Fatalf("%d messages", len(got.Messages))
	}
	m := got.Messages[0]
	same(t, "id", *m.MessageId, *sent.MessageId)
	same(t, "body", *m.Body, "<&é>")
	same(t, "attributes", m.Attributes, map[string]string{"ApproximateReceiveCount": "1"})
	same(t, "message attributes", *m.MessageAttributes["s"].StringValue+string(m.MessageAttributes["b"].BinaryValue), "v\x00\x01")
	same(t, "digest of attributes", *m.MD5OfMessageAttributes, *sent.MD5OfMessageAttributes)

	counts := func() map[string]string {
		return must[*sqs.GetQueueAttributesOutput](t)(c.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
			QueueUrl: made.QueueUrl, AttributeNames: []types.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "VisibilityTimeout"},
		})).Attributes
	}
	same(t, "attributes", counts(), map[string]string{"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "1", "VisibilityTimeout": "60"})
	must[*sqs.ChangeMessageVisibilityOutput](t)(c.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: made.QueueUrl, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0}))
	again := must[*sqs.ReceiveMessageOutput](t)(c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: made.QueueUrl}))
	must[*sqs.DeleteMessageOutput](t)(c.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: made.QueueUrl, ReceiptHandle: again.Messages[0].ReceiptHandle}))
	same(t, "attributes", counts(), map[string]string{"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0", "VisibilityTimeout": "60"})
}

func TestBatchesOfTheAPI(t *testing.T) {
	_, c := client(t)
	ctx := t.Context()
	q := must[*sqs.CreateQueueOutput](t)(c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: map[string]string{"MaximumMessageSize": "1024"}})).QueueUrl
	sent := must[*sqs.SendMessageBatchOutput](t)(c.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: q, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("a"), MessageBody: aws.String("1")},
		{Id: aws.String("b"), MessageBody: aws.String(strings.Repeat("x", 1025))},
		{Id: aws.String("c"), MessageBody: aws.String("3")},
	}}))
	if len(sent.Successful) != 2 || len(sent.Failed) != 1 || *sent.Failed[0].Id != "b" || !sent.Failed[0].SenderFault {
		t.Errorf("sent %+v", sent)
	}
	got := must[*sqs.ReceiveMessageOutput](t)(c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q, MaxNumberOfMessages: 10}))
	var entries []types.DeleteMessageBatchRequestEntry
	for _, m := range got.Messages {
		entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: m.Body, ReceiptHandle: m.ReceiptHandle})
	}
	deleted := must[*sqs.DeleteMessageBatchOutput](t)(c.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: q, Entries: entries}))
	same(t, "deleted", len(deleted.Successful), 2)
	_, err := c.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: q, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("a"), MessageBody: aws.String("1")}, {Id: aws.String("a"), MessageBody: aws.String("1")},
	}})
	if x := (*types.BatchEntryIdsNotDistinct)(nil); !errors.As(err, &x) {
		t.Errorf("a batch with an id twice: %v", err)
	}
}

func TestErrorsOfTheAPIAreTyped(t *testing.T) {
	_, c := client(t)
	ctx := t.Context()
	_, err := c.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("none")})
	if x := (*types.QueueDoesNotExist)(nil); !errors.As(err, &x) {
		t.Errorf("a queue that isn't there: %v", err)
	}
	_, err = c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: map[string]string{"VisibilityTimeout": "43201"}})
	if x := (*types.InvalidAttributeValue)(nil); !errors.As(err, &x) {
		t.Errorf("an attribute out of bounds: %v", err)
	}
	q := must[*sqs.CreateQueueOutput](t)(c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q")}))
	_, err = c.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: q.QueueUrl, ReceiptHandle: aws.String("x")})
	if x := (*types.ReceiptHandleIsInvalid)(nil); !errors.As(err, &x) {
		t.Errorf("a handle that is none: %v", err)
	}
	if _, err = c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: map[string]string{"DelaySeconds": "0"}}); err != nil {
		t.Errorf("a queue with the same attributes: %v", err)
	}
	_, err = c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: map[string]string{"DelaySeconds": "1"}})
	if x := (*types.QueueNameExists)(nil); !errors.As(err, &x) {
		t.Errorf("a queue with other attributes: %v", err)
	}
}

func TestQueuesAreListedChangedPurgedAndDeleted(t *testing.T) {
	_, c := client(t)
	ctx := t.Context()
	var urls []*string
	for _, name := range []string{"a1", "a2", "b"} {
		urls = append(urls, must[*sqs.CreateQueueOutput](t)(c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(name)})).QueueUrl)
	}
	list := must[*sqs.ListQueuesOutput](t)(c.ListQueues(ctx, &sqs.ListQueuesInput{QueueNamePrefix: aws.String("a")}))
	same(t, "queues", list.QueueUrls, []string{*urls[0], *urls[1]})
	must[*sqs.SetQueueAttributesOutput](t)(c.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: urls[0], Attributes: map[string]string{"DelaySeconds": "900"}}))
	must[*sqs.SendMessageOutput](t)(c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: urls[0], MessageBody: aws.String("x")}))
	delayed := func() string {
		return must[*sqs.GetQueueAttributesOutput](t)(c.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: urls[0], AttributeNames: []types.QueueAttributeName{"All"}})).Attributes["ApproximateNumberOfMessagesDelayed"]
	}
	same(t, "delayed", delayed(), "1")
	must[*sqs.PurgeQueueOutput](t)(c.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: urls[0]}))
	same(t, "delayed", delayed(), "0")
	must[*sqs.DeleteQueueOutput](t)(c.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: urls[0]}))
	if _, err := c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: urls[0], MessageBody: aws.String("x")}); err == nil {
		t.Error("a deleted queue takes messages")
	}
}

func TestAReceiveWaitsForAMessage(t *testing.T) {
	s, c := client(t)
	q := must[*queue](t)(s.createQueue("q", nil))
	got := make(chan *sqs.ReceiveMessageOutput)
	go func() {
		out, err := c.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &q.url, WaitTimeSeconds: 20})
		if err != nil {
			t.Error(err)
		}
		got <- out
	}()
	q.send("late", nil, -1, order{})
	if out := <-got; out == nil || len(out.Messages) != 1 {
		t.Errorf("received %+v", out)
	}
}

// form sends a request of the query protocol.
func form(t *testing.T, at string, values ...string) (status int, body string) {
	t.Helper()
	v := url.Values{}
	for i := 0; i < len(values); i += 2 {
		v.Set(values[i], values[i+1])
	}
	r, err := http.PostForm(at, v)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

func TestOlderClientsSpeakTheQueryProtocol(t *testing.T) {
	_, server := endpoint(t, &functions{})
	status, body := form(t, server.URL, "Action", "CreateQueue", "QueueName", "q", "Attribute.1.Name", "VisibilityTimeout", "Attribute.1.Value", "7")
	if status != 200 || !strings.Contains(body, "<QueueUrl>"+server.URL+"/123456789012/q</QueueUrl>") {
		t.Fatal(status, body)
	}
	at := server.URL + "/123456789012/q" // and none in the form
	status, body = form(t, at, "Action", "SendMessage", "MessageBody", "<&>",
		"MessageAttribute.1.Name", "k", "MessageAttribute.1.Value.DataType", "String", "MessageAttribute.1.Value.StringValue", "v")
	if status != 200 || !strings.Contains(body, "<MD5OfMessageBody>"+md5Hex([]byte("<&>"))) {
		t.Fatal(status, body)
	}
	status, body = form(t, at, "Action", "SendMessageBatch", "SendMessageBatchRequestEntry.1.Id", "a", "SendMessageBatchRequestEntry.1.MessageBody", "2",
		"SendMessageBatchRequestEntry.2.Id", "b", "SendMessageBatchRequestEntry.2.MessageBody", "")
	if status != 200 || !strings.Contains(body, "<SendMessageBatchResultEntry><Id>a</Id>") || !strings.Contains(body, "<BatchResultErrorEntry><Id>b</Id>") {
		t.Fatal(status, body)
	}
	_, body = form(t, at, "Action", "ReceiveMessage", "MaxNumberOfMessages", "10", "AttributeName.1", "All", "MessageAttributeName.1", "All")
	var x struct {
		Messages []struct {
			Body       string
			Attributes []struct{ Name, Value string } `xml:"Attribute"`
			Message    []struct{ Name string }        `xml:"MessageAttribute"`
		} `xml:"ReceiveMessageResult>Message"`
	}
	if err := xml.Unmarshal([]byte(body), &x); err != nil {
		t.Fatal(err)
	}
	if len(x.Messages) != 2 || x.Messages[0].Body != "<&>" || len(x.Messages[0].Attributes) != 4 || len(x.Messages[0].Message) != 1 {
		t.Errorf("messages %+v", x.Messages)
	}
	for _, tt := range [][]string{
		{"Action", "Nothing"},
		{"Action", "ReceiveMessage", "MaxNumberOfMessages", "x"},
		{"Action", "ReceiveMessage", "MaxNumberOfMessages", "11"},
		{"Action", "GetQueueUrl", "QueueName", "none"},
		{},
	} {
		if status, body := form(t, at, tt...); status != 400 || !strings.Contains(body, "<ErrorResponse") {
			t.Errorf("%v: %d %s", tt, status, body)
		}
	}
}

func FuzzReadQuery(f *testing.F) {
	f.Add("Action=SendMessageBatch&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.BinaryValue=eA==")
	f.Add("Action=CreateQueue&Attribute.1.Name=a&Attribute.1.Value=b&DelaySeconds=-1")
	f.Fuzz(func(t *testing.T, body string) {
		c := &sqsCall{}
		c.readQuery([]byte(body))
		if len(c.Entries) > maxIndex || len(c.Attributes) > maxIndex {
			t.Errorf("%d entries", len(c.Entries))
		}
	})
}

func TestAQueuesEventHasSQSsShape(t *testing.T) {
	s := sources(t, &functions{})
	q := must[*queue](t)(s.createQueue("q", nil))
	text := "v"
	q.send(`{"a":1}`, map[string]attributeValue{"k": {DataType: "String", StringValue: &text}}, -1, order{})
	batch, _ := q.receive(10, -1)
	var e events.SQSEvent
	decode(t, string(sqsEvent(batch, q.arn())), &e)
	r := e.Records[0]
	if r.MessageId != batch[0].id || r.ReceiptHandle != batch[0].receipt || r.Body != `{"a":1}` || r.Md5OfBody != md5Hex([]byte(`{"a":1}`)) || r.EventSource != "aws:sqs" ||
		r.EventSourceARN != "arn:aws:sqs:us-east-1:123456789012:q" || r.AWSRegion != "us-east-1" || *r.MessageAttributes["k"].StringValue != "v" || len(r.Attributes) != 4 {
		t.Errorf("record %+v", r)
	}
}

func TestWhichMessagesOfABatchFailed(t *testing.T) {
	batch := []received{{content: &content{id: "a"}}, {content: &content{id: "b"}}}
	for answer, want := range map[string]string{
		"":                           "map[] false",
		"null":                       "map[] false",
		"{}":                         "map[] false",
		`{"batchItemFailures":[]}`:   "map[] false",
		`{"batchItemFailures":null}`: "map[] false",
		`{"batchItemFailures":[{"itemIdentifier":"b"}]}`:     "map[b:true] false",
		`{"batchItemFailures":[{"itemIdentifier":""}]}`:      "map[] true",
		`{"batchItemFailures":[{"itemIdentifier":null}]}`:    "map[] true",
		`{"batchItemFailures":[{"wrong":"a"}]}`:              "map[] true",
		`{"batchItemFailures":[{"itemIdentifier":"other"}]}`: "map[] true",
		`"text"`: "map[] true",
		"{":      "map[] true",
	} {
		failed, all := batchFailures(batch, []byte(answer))
		same(t, answer, fmt.Sprint(failed, all), want)
	}
}

func FuzzBatchFailures(f *testing.F) {
	f.Add([]byte(`{"batchItemFailures":[{"itemIdentifier":"a"}]}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		failed, all := batchFailures([]received{{content: &content{id: "a"}}}, answer)
		if all && failed != nil || len(failed) > 1 {
			t.Errorf("%s: %v %v", answer, failed, all)
		}
	})
}

func TestAttributesAreReadStrictly(t *testing.T) {
	for _, a := range []attributes{
		{"VisibilityTimeout": "-1"},
		{"VisibilityTimeout": "x"},
		{"MessageRetentionPeriod": "59"},
		{"ReceiveMessageWaitTimeSeconds": "21"},
		{"RedrivePolicy": "{"},
		{"RedrivePolicy": `{"deadLetterTargetArn":"x","maxReceiveCount":5}`},
		{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:d","maxReceiveCount":0}`},
		{"FifoQueue": "false"},
		{"DeduplicationScope": "all"},
		{"Unknown": "x"},
	} {
		if a.check() == nil {
			t.Errorf("%v is taken", a)
		}
	}
	for _, count := range []string{"5", `"5"`} { // the API's clients write both
		a := attributes{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:d","maxReceiveCount":` + count + `}`}
		if err := a.check(); err != nil {
			t.Error(err)
		}
		name, n := a.deadLetter()
		same(t, "dead letters", name, "d")
		same(t, "receives", n, 5)
	}
}

func FuzzParseReceipt(f *testing.F) {
	f.Add(receipt("id", plane.Delivery{Message: 3, Receives: 2}))
	f.Add("x")
	f.Fuzz(func(t *testing.T, handle string) {
		id, m, receives, ok := parseReceipt(handle)
		if !ok {
			return
		}
		if id2, m2, receives2, ok := parseReceipt(receipt(id, plane.Delivery{Message: m, Receives: receives})); !ok || id2 != id || m2 != m || receives2 != receives {
			t.Errorf("%q is %s %d %d, and that %s %d %d", handle, id, m, receives, id2, m2, receives2)
		}
	})
}
