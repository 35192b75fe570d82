package trigger

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"sync"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/api"
	"coldstorm/runtime/plane"
)

// queueForm is what a standard queue may be called (Amazon SQS API reference:
// CreateQueue).
var queueForm = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,80}$`)

// queue is a message queue in real time, with what its messages say.
type queue struct {
	name    string
	url     string
	began   time.Time
	created time.Time

	mu       sync.Mutex
	rules    *plane.Queue
	contents map[plane.Message]*content
	dedup    deduplicator // of a FIFO queue
	attrs    attributes
	changed  chan struct{} // closed, and another one made, whenever a message may have become visible
	deleted  bool
}

// content is a message as it was sent. It is not changed.
type content struct {
	id         string
	body       string
	attributes map[string]attributeValue
	published  results.Stamp
	sent       time.Time
	order      order
}

// attributeValue is a message attribute.
type attributeValue struct {
	DataType    string
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"`
}

// received is a message that is in flight.
type received struct {
	plane.Delivery
	*content
	receipt string
	polled  results.Stamp
}

func newQueue(name, url string, a attributes) *queue {
	now := time.Now()
	return &queue{
		name: name, url: url, began: now, created: now, attrs: a, rules: plane.NewQueue(a.rules()),
		contents: map[plane.Message]*content{}, changed: make(chan struct{}),
	}
}

func (q *queue) arn() string { return arn("sqs", q.name) }

// now is the time of the rules.
func (q *queue) now() time.Duration { return time.Since(q.began) }

// send adds a message. A negative delay is the queue's own. To a FIFO queue it may have
// been sent before: then that is returned.
func (q *queue) send(body string, attrs map[string]attributeValue, delay time.Duration, o order) *content {
	c := &content{id: api.NewID(), body: body, attributes: attrs, published: results.Now(), sent: time.Now(), order: o}
	if q.fifo() {
		return q.sendInOrder(c)
	}
	q.put(c, delay)
	return c
}

// put adds a message as it is.
func (q *queue) put(c *content, delay time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.fifo() {
		q.contents[q.rules.SendIn(q.now(), c.order.group)] = c
	} else {
		q.contents[q.rules.Send(q.now(), delay)] = c
	}
	q.signal()
}

// signal wakes who waits for messages. The caller holds the lock.
func (q *queue) signal() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// receive takes up to n messages, for the queue's own visibility timeout if that
// given is negative. Dead ones are returned apart: they have left the queue.
func (q *queue) receive(n int, timeout time.Duration) (got []received, dead []*content) {
	q.mu.Lock()
	defer q.mu.Unlock()
	polled := results.Now()
	all, over, dropped := q.rules.Receive(q.now(), n, timeout)
	for _, d := range all {
		c := q.contents[d.Message]
		got = append(got, received{Delivery: d, content: c, polled: polled, receipt: receipt(c.id, d)})
	}
	for _, m := range over {
		dead = append(dead, q.contents[m])
		delete(q.contents, m)
	}
	for _, m := range dropped {
		delete(q.contents, m)
	}
	return got, dead
}

// receipt is a handle: opaque to callers.
func receipt(id string, d plane.Delivery) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s %d %d", id, d.Message, d.Receives))
}

// parseReceipt reads a handle.
func parseReceipt(s string) (id string, m plane.Message, receives int, ok bool) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", 0, 0, false
	}
	n, err := fmt.Sscanf(string(b), "%s %d %d", &id, &m, &receives)
	return id, m, receives, err == nil && n == 3
}

// remove deletes a message by its receipt; one that is gone is none of its
// caller's worries. False says that the handle is none.
func (q *queue) remove(handle string) bool {
	id, m, receives, ok := parseReceipt(handle)
	if !ok {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if c := q.contents[m]; c != nil && c.id == id && q.rules.Delete(m, receives) {
		delete(q.contents, m)
	}
	return true
}

// hide changes a message's visibility timeout.
func (q *queue) hide(handle string, timeout time.Duration) (valid, done bool) {
	id, m, receives, ok := parseReceipt(handle)
	if !ok {
		return false, false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if c := q.contents[m]; c == nil || c.id != id {
		return true, false
	}
	done = q.rules.Hide(q.now(), m, receives, timeout)
	q.signal()
	return true, done
}

// counts counts messages, and says when the next hidden one will be visible.
func (q *queue) counts() (c plane.QueueCounts, next time.Duration, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := q.now()
	c = q.rules.Counts(at)
	next, more = q.rules.Next(at)
	return c, next - at, more
}

// wake is a channel that is closed when a message may have become visible.
func (q *queue) wake() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.changed
}

func (q *queue) purge() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rules.Purge()
	clear(q.contents)
}

func md5Hex(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}
