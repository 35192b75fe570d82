package trigger

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"coldstorm/runtime/api"
	"coldstorm/runtime/live"
)

// sqsCall is a request of Amazon SQS's API, with the keys of all operations.
type sqsCall struct {
	QueueName                   string
	QueueUrl                    string
	QueueNamePrefix             string
	Attributes                  attributes
	AttributeNames              []string
	MessageAttributeNames       []string
	MessageSystemAttributeNames []string
	MessageBody                 string
	MessageAttributes           map[string]attributeValue
	MessageGroupId              string
	MessageDeduplicationId      string
	DelaySeconds                *int
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
	ReceiptHandle               string
	Entries                     []sqsEntry

	ctx     context.Context
	sources *Sources
	sent    []string // ids, for TriggerHeader
}

// sqsEntry is one of a batch.
type sqsEntry struct {
	Id                string
	MessageBody       string
	MessageAttributes map[string]attributeValue
	DelaySeconds      *int
	ReceiptHandle     string
	VisibilityTimeout *int

	MessageGroupId, MessageDeduplicationId string
}

// sqsAnswer is a response, with the keys of all operations.
type sqsAnswer struct {
	QueueUrl               string            `json:",omitempty"`
	QueueUrls              []string          `json:",omitempty"`
	Attributes             map[string]string `json:",omitempty"`
	MessageId              string            `json:",omitempty"`
	MD5OfMessageBody       string            `json:",omitempty"`
	MD5OfMessageAttributes string            `json:",omitempty"`
	SequenceNumber         string            `json:",omitempty"`
	Messages               []sqsMessage      `json:",omitempty"`
	Successful             []sqsSuccess      `json:",omitempty"`
	Failed                 []sqsFailure      `json:",omitempty"`
}

type sqsMessage struct {
	MessageId              string
	ReceiptHandle          string
	MD5OfBody              string
	Body                   string
	Attributes             map[string]string         `json:",omitempty"`
	MD5OfMessageAttributes string                    `json:",omitempty"`
	MessageAttributes      map[string]attributeValue `json:",omitempty"`
}

type sqsSuccess struct {
	Id                     string
	MessageId              string `json:",omitempty"`
	MD5OfMessageBody       string `json:",omitempty"`
	MD5OfMessageAttributes string `json:",omitempty"`
	SequenceNumber         string `json:",omitempty"`
}

type sqsFailure struct {
	Id          string
	SenderFault bool
	Code        string
	Message     string
}

// sqsError is an error of the API.
type sqsError struct{ name, message string }

func (e *sqsError) Error() string { return e.name + ": " + e.message }

func badValue(format string, args ...any) error {
	return &sqsError{"InvalidParameterValue", fmt.Sprintf(format, args...)}
}

// errNoQueue is of a queue that is not there. The JSON protocol has another name
// for it, see sqsNames.
var errNoQueue = &sqsError{"AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."}

// sqsOperations are those that are built.
var sqsOperations = map[string]func(*sqsCall) (sqsAnswer, error){
	"CreateQueue":                  (*sqsCall).createQueue,
	"GetQueueUrl":                  (*sqsCall).getQueueURL,
	"GetQueueAttributes":           (*sqsCall).getAttributes,
	"SetQueueAttributes":           (*sqsCall).setAttributes,
	"ListQueues":                   (*sqsCall).listQueues,
	"DeleteQueue":                  (*sqsCall).deleteQueue,
	"PurgeQueue":                   (*sqsCall).purgeQueue,
	"SendMessage":                  (*sqsCall).sendMessage,
	"SendMessageBatch":             (*sqsCall).sendBatch,
	"ReceiveMessage":               (*sqsCall).receiveMessage,
	"DeleteMessage":                (*sqsCall).deleteMessage,
	"DeleteMessageBatch":           (*sqsCall).deleteBatch,
	"ChangeMessageVisibility":      (*sqsCall).changeVisibility,
	"ChangeMessageVisibilityBatch": (*sqsCall).changeBatch,
}

// queue is the one that the call's URL names.
func (c *sqsCall) queue() (*queue, error) {
	if c.QueueUrl == "" {
		return nil, &sqsError{"MissingParameter", "The request must contain the parameter QueueUrl."}
	}
	return c.sources.queueNamed(path.Base(c.QueueUrl))
}

func (s *Sources) queueNamed(name string) (*queue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.queues[name]; q != nil {
		return q, nil
	}
	return nil, errNoQueue
}

func (c *sqsCall) createQueue() (sqsAnswer, error) {
	q, err := c.sources.createQueue(c.QueueName, c.Attributes)
	if err != nil {
		return sqsAnswer{}, err
	}
	return sqsAnswer{QueueUrl: q.url}, nil
}

// createQueue makes a queue, or returns the one of that name and those
// attributes.
func (s *Sources) createQueue(name string, a attributes) (*queue, error) {
	if err := checkName(name, a); err != nil {
		return nil, err
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.queues[name]; q != nil {
		q.mu.Lock()
		defer q.mu.Unlock()
		for key := range a {
			if !a.agrees(q.attrs, key) {
				return nil, &sqsError{"QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute " + key}
			}
		}
		return q, nil
	}
	if s.named(name) {
		return nil, badValue("%s: %v", name, ErrTaken)
	}
	q := newQueue(name, s.config.URL+"/"+live.Account+"/"+name, maps.Clone(a))
	s.queues[name] = q
	return q, nil
}

func (c *sqsCall) getQueueURL() (sqsAnswer, error) {
	q, err := c.sources.queueNamed(c.QueueName)
	if err != nil {
		return sqsAnswer{}, err
	}
	return sqsAnswer{QueueUrl: q.url}, nil
}

func (c *sqsCall) getAttributes() (sqsAnswer, error) {
	q, err := c.queue()
	if err != nil {
		return sqsAnswer{}, err
	}
	return sqsAnswer{Attributes: q.show(c.AttributeNames)}, nil
}

func (c *sqsCall) setAttributes() (sqsAnswer, error) {
	q, err := c.queue()
	if err == nil {
		err = c.Attributes.check()
	}
	if err == nil {
		q.set(c.Attributes)
	}
	return sqsAnswer{}, err
}

func (c *sqsCall) listQueues() (out sqsAnswer, err error) {
	c.sources.mu.Lock()
	defer c.sources.mu.Unlock()
	for name, q := range c.sources.queues {
		if strings.HasPrefix(name, c.QueueNamePrefix) {
			out.QueueUrls = append(out.QueueUrls, q.url)
		}
	}
	slices.Sort(out.QueueUrls)
	return out, nil
}

func (c *sqsCall) deleteQueue() (sqsAnswer, error) {
	q, err := c.queue()
	if err != nil {
		return sqsAnswer{}, err
	}
	c.sources.mu.Lock()
	delete(c.sources.queues, q.name)
	c.sources.mu.Unlock()
	q.mu.Lock()
	q.deleted = true
	q.signal()
	q.mu.Unlock()
	return sqsAnswer{}, nil
}

func (c *sqsCall) purgeQueue() (sqsAnswer, error) {
	q, err := c.queue()
	if err == nil {
		q.purge()
	}
	return sqsAnswer{}, err
}

func (c *sqsCall) sendMessage() (sqsAnswer, error) {
	q, err := c.queue()
	if err != nil {
		return sqsAnswer{}, err
	}
	m, err := c.send(q, sqsEntry{
		MessageBody: c.MessageBody, MessageAttributes: c.MessageAttributes, DelaySeconds: c.DelaySeconds,
		MessageGroupId: c.MessageGroupId, MessageDeduplicationId: c.MessageDeduplicationId,
	})
	if err != nil {
		return sqsAnswer{}, err
	}
	return sqsAnswer{
		MessageId: m.id, MD5OfMessageBody: md5Hex([]byte(c.MessageBody)), MD5OfMessageAttributes: attributesMD5(c.MessageAttributes),
		SequenceNumber: m.order.sequence,
	}, nil
}

// send adds a message that was checked. Digests in answers are of what was sent, which a
// FIFO queue may have taken before with another content.
func (c *sqsCall) send(q *queue, e sqsEntry) (*content, error) {
	body, attrs, delay := e.MessageBody, e.MessageAttributes, e.DelaySeconds
	limit := q.attributes().number("MaximumMessageSize")
	switch {
	case body == "":
		return nil, &sqsError{"MissingParameter", "The request must contain the parameter MessageBody."}
	case size(body, attrs) > limit:
		return nil, badValue("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", limit)
	case delay != nil && (*delay < 0 || *delay > 900):
		return nil, badValue("Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", *delay)
	case len(attrs) > 10:
		return nil, badValue("Number of message attributes [%d] exceeds the allowed maximum [10].", len(attrs))
	}
	for name, v := range attrs {
		if kind, _, _ := strings.Cut(v.DataType, "."); kind != "String" && kind != "Number" && kind != "Binary" {
			return nil, badValue("The type of message attribute %s is invalid.", name)
		}
	}
	o, err := q.order(body, e.MessageGroupId, e.MessageDeduplicationId, delay)
	if err != nil {
		return nil, err
	}
	m := q.send(body, attrs, seconds(delay), o)
	c.sent = append(c.sent, m.id)
	return m, nil
}

func (q *queue) attributes() attributes {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.attrs
}

// size is what counts towards the limit, in bytes.
func size(body string, attrs map[string]attributeValue) int {
	n := len(body)
	for name, v := range attrs {
		n += len(name) + len(v.DataType) + len(v.BinaryValue)
		if v.StringValue != nil {
			n += len(*v.StringValue)
		}
	}
	return n
}

// seconds is a duration, or a negative one if it is not given.
func seconds(n *int) time.Duration {
	if n == nil {
		return -1
	}
	return time.Duration(*n) * time.Second
}

// maxEntries bounds a batch of the API.
const maxEntries = 10

// batch does something for each entry.
func (c *sqsCall) batch(do func(*queue, sqsEntry) (sqsSuccess, error)) (out sqsAnswer, err error) {
	q, err := c.queue()
	if err != nil {
		return out, err
	}
	switch {
	case len(c.Entries) == 0:
		return out, &sqsError{"AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one entry in the request."}
	case len(c.Entries) > maxEntries:
		return out, &sqsError{"AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent " + strconv.Itoa(len(c.Entries)) + "."}
	}
	seen, total := map[string]bool{}, 0
	for _, e := range c.Entries {
		if seen[e.Id] {
			return out, &sqsError{"AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id " + e.Id + " repeated."}
		}
		seen[e.Id] = true
		total += size(e.MessageBody, e.MessageAttributes)
	}
	if total > bounds["MaximumMessageSize"].high {
		return out, &sqsError{"AWS.SimpleQueueService.BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes."}
	}
	for _, e := range c.Entries {
		done, err := do(q, e)
		if err == nil {
			done.Id = e.Id
			out.Successful = append(out.Successful, done)
			continue
		}
		f := sqsFailure{Id: e.Id, SenderFault: true, Code: "InternalError", Message: err.Error()}
		if x, ok := err.(*sqsError); ok {
			f.Code, f.Message = x.name, x.message
		}
		out.Failed = append(out.Failed, f)
	}
	return out, nil
}

func (c *sqsCall) sendBatch() (sqsAnswer, error) {
	return c.batch(func(q *queue, e sqsEntry) (sqsSuccess, error) {
		m, err := c.send(q, e)
		if err != nil {
			return sqsSuccess{}, err
		}
		return sqsSuccess{
			MessageId: m.id, MD5OfMessageBody: md5Hex([]byte(e.MessageBody)), MD5OfMessageAttributes: attributesMD5(e.MessageAttributes),
			SequenceNumber: m.order.sequence,
		}, nil
	})
}

func (c *sqsCall) deleteMessage() (sqsAnswer, error) {
	q, err := c.queue()
	if err == nil && !q.remove(c.ReceiptHandle) {
		err = badHandle(c.ReceiptHandle)
	}
	return sqsAnswer{}, err
}

func (c *sqsCall) deleteBatch() (sqsAnswer, error) {
	return c.batch(func(q *queue, e sqsEntry) (sqsSuccess, error) {
		if !q.remove(e.ReceiptHandle) {
			return sqsSuccess{}, badHandle(e.ReceiptHandle)
		}
		return sqsSuccess{}, nil
	})
}

func badHandle(handle string) error {
	return &sqsError{"ReceiptHandleIsInvalid", `The input receipt handle "` + handle + `" is not a valid receipt handle.`}
}

func (c *sqsCall) changeVisibility() (sqsAnswer, error) {
	q, err := c.queue()
	if err == nil {
		err = change(q, c.ReceiptHandle, c.VisibilityTimeout)
	}
	return sqsAnswer{}, err
}

func (c *sqsCall) changeBatch() (sqsAnswer, error) {
	return c.batch(func(q *queue, e sqsEntry) (sqsSuccess, error) {
		return sqsSuccess{}, change(q, e.ReceiptHandle, e.VisibilityTimeout)
	})
}

func change(q *queue, handle string, timeout *int) error {
	if timeout == nil || *timeout < 0 || *timeout > 43200 {
		return badValue("VisibilityTimeout is not within 0..43200 seconds.")
	}
	switch valid, done := q.hide(handle, seconds(timeout)); {
	case !valid:
		return badHandle(handle)
	case !done:
		return badValue("Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", handle)
	}
	return nil
}

// receiveMessage waits for messages as long as it is asked to (long polling).
func (c *sqsCall) receiveMessage() (out sqsAnswer, err error) {
	q, err := c.queue()
	if err != nil {
		return out, err
	}
	n, wait := 1, q.attributes().seconds("ReceiveMessageWaitTimeSeconds")
	if c.MaxNumberOfMessages != nil {
		n = *c.MaxNumberOfMessages
	}
	if c.WaitTimeSeconds != nil {
		wait = seconds(c.WaitTimeSeconds)
	}
	switch {
	case n < 1 || n > maxEntries:
		return out, badValue("Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", n)
	case wait < 0 || wait > 20*time.Second:
		return out, badValue("Value %d for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.", *c.WaitTimeSeconds)
	case c.VisibilityTimeout != nil && (*c.VisibilityTimeout < 0 || *c.VisibilityTimeout > 43200):
		return out, badValue("VisibilityTimeout is not within 0..43200 seconds.")
	}
	names := append(c.AttributeNames, c.MessageSystemAttributeNames...)
	for _, m := range c.sources.await(c.ctx, q, n, seconds(c.VisibilityTimeout), time.Now().Add(wait)) {
		out.Messages = append(out.Messages, m.shown(names, c.MessageAttributeNames))
	}
	return out, nil
}

// await receives messages, the first of which may come until a time.
func (s *Sources) await(ctx context.Context, q *queue, n int, timeout time.Duration, until time.Time) []received {
	for {
		wake := q.wake() // before it is looked for: no message slips by
		got, dead := q.receive(n, timeout)
		s.bury(q, dead)
		left := time.Until(until)
		if len(got) > 0 || left <= 0 {
			return got
		}
		if _, next, more := q.counts(); more {
			left = min(left, next)
		}
		alarm := time.NewTimer(left)
		select {
		case <-wake:
		case <-alarm.C:
		case <-ctx.Done():
			alarm.Stop()
			return nil
		case <-s.ctx.Done():
			alarm.Stop()
			return nil
		}
		alarm.Stop()
	}
}

// shown is a message as the API has it, with the attributes that were asked for.
func (m received) shown(system, names []string) sqsMessage {
	out := sqsMessage{MessageId: m.id, ReceiptHandle: m.receipt, MD5OfBody: md5Hex([]byte(m.body)), Body: m.body}
	for name, value := range m.system() {
		if slices.Contains(system, name) || slices.Contains(system, "All") {
			if out.Attributes == nil {
				out.Attributes = map[string]string{}
			}
			out.Attributes[name] = value
		}
	}
	some := map[string]attributeValue{}
	for name, value := range m.attributes {
		for _, want := range names {
			prefix, wild := strings.CutSuffix(want, ".*")
			if want == "All" || want == ".*" || want == name || wild && strings.HasPrefix(name, prefix) {
				some[name] = value
			}
		}
	}
	if len(some) > 0 {
		out.MessageAttributes, out.MD5OfMessageAttributes = some, attributesMD5(some)
	}
	return out
}

// system are the attributes that the queue itself gives.
func (m received) system() map[string]string {
	all := map[string]string{
		"ApproximateReceiveCount":          strconv.Itoa(m.Receives),
		"SentTimestamp":                    strconv.FormatInt(m.sent.UnixMilli(), 10),
		"SenderId":                         live.Account,
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.sent.Add(m.First-m.Sent).UnixMilli(), 10),
	}
	for name, value := range map[string]string{
		"MessageGroupId": m.order.group, "MessageDeduplicationId": m.order.dedup, "SequenceNumber": m.order.sequence,
	} {
		if value != "" {
			all[name] = value
		}
	}
	return all
}

// bury sends dead messages to their queue's dead-letter queue, with the id and
// the age that they have.
func (s *Sources) bury(q *queue, dead []*content) {
	if len(dead) == 0 {
		return
	}
	name, _ := q.attributes().deadLetter()
	to, err := s.queueNamed(name)
	for _, c := range dead {
		if err != nil {
			s.config.Say("message %s of queue %s is lost: its dead-letter queue %s is not there", c.id, q.name, name)
			continue
		}
		to.put(c, 0)
	}
}

// serveSQS answers a request of SQS's API in either protocol.
func (s *Sources) serveSQS(w http.ResponseWriter, r *http.Request) {
	body, err := readAll(w, r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	c := &sqsCall{ctx: r.Context(), sources: s}
	p := protocol(sqsJSON{})
	operation, asJSON := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	if !asJSON {
		operation, err = c.readQuery(body)
		p = sqsXML{operation}
	} else if len(body) > 0 {
		if err = json.Unmarshal(body, c); err != nil {
			err = &sqsError{"InvalidParameterValue", "the request is not JSON: " + err.Error()}
		}
	}
	if c.QueueUrl == "" && strings.Count(strings.Trim(r.URL.Path, "/"), "/") == 1 {
		c.QueueUrl = r.URL.Path // older clients send to the queue's URL
	}
	do, known := sqsOperations[operation]
	if err == nil && !known {
		err = &sqsError{"InvalidAction", "The action " + operation + " is not valid for this endpoint."}
	}
	var out sqsAnswer
	if err == nil {
		out, err = do(c)
	}
	w.Header()["X-Amzn-Requestid"] = []string{api.NewID()}
	if err != nil {
		p.refuse(w, err)
		return
	}
	if len(c.sent) > 0 {
		w.Header()[TriggerHeader] = []string{strings.Join(c.sent, ",")}
	}
	p.answer(w, out)
}
