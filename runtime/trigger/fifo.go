package trigger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// What a FIFO queue knows beyond a standard one (Amazon SQS developer guide: "FIFO
// queues").
const (
	fifoSuffix = ".fifo"
	// deduplication is for how long a message with the same deduplication id is taken
	// without being handed out again.
	deduplication = 5 * time.Minute
)

// idForm is what groups and deduplication ids may be called (Amazon SQS API reference:
// SendMessage).
var idForm = regexp.MustCompile("^[a-zA-Z0-9!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]{1,128}$")

// order is what a message says of its place in a FIFO queue.
type order struct {
	group, dedup string
	sequence     string // 20 digits, growing
}

// deduplicator remembers deduplication ids for five minutes.
type deduplicator struct {
	known map[string]*content
	ages  []dedupAge // oldest first
	last  uint64     // sequence number
}

type dedupAge struct {
	id string
	at time.Time
}

// first is the message that an id was sent with within five minutes, or nil.
func (d *deduplicator) first(id string, now time.Time) *content {
	for len(d.ages) > 0 && now.Sub(d.ages[0].at) >= deduplication {
		delete(d.known, d.ages[0].id)
		d.ages = d.ages[1:]
	}
	return d.known[id]
}

func (d *deduplicator) add(id string, c *content, now time.Time) {
	if d.known == nil {
		d.known = map[string]*content{}
	}
	d.known[id] = c
	d.ages = append(d.ages, dedupAge{id, now})
}

// sendInOrder adds a message to a FIFO queue, or returns the one that it repeats.
func (q *queue) sendInOrder(c *content) *content {
	q.mu.Lock()
	defer q.mu.Unlock()
	id := c.order.dedup
	if q.attrs["DeduplicationScope"] == "messageGroup" {
		id = c.order.group + "\x00" + id
	}
	if first := q.dedup.first(id, c.sent); first != nil {
		return first
	}
	q.dedup.last++
	c.order.sequence = fmt.Sprintf("%020d", q.dedup.last)
	q.dedup.add(id, c, c.sent)
	q.contents[q.rules.SendIn(q.now(), c.order.group)] = c
	q.signal()
	return c
}

// order checks what a request says of a message's place, and completes it.
func (q *queue) order(body, group, dedup string, delay *int) (o order, err error) {
	switch {
	case group != "" && !idForm.MatchString(group):
		return o, badValue("Value %s for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.", group)
	case dedup != "" && !idForm.MatchString(dedup):
		return o, badValue("Value %s for parameter MessageDeduplicationId is invalid. Reason: MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length.", dedup)
	case !q.fifo() && dedup != "":
		return o, badValue("Value %s for parameter MessageDeduplicationId is invalid. Reason: The request includes a parameter that is not valid for this queue type.", dedup)
	case !q.fifo():
		return order{group: group}, nil // of a fair queue: a name alone
	case group == "":
		return o, &sqsError{"MissingParameter", "The request must contain the parameter MessageGroupId."}
	case delay != nil && *delay != 0:
		return o, badValue("Value %d for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.", *delay)
	}
	if dedup == "" {
		if q.attributes()["ContentBasedDeduplication"] != "true" {
			return o, badValue("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
		}
		sum := sha256.Sum256([]byte(body))
		dedup = hex.EncodeToString(sum[:])
	}
	return order{group: group, dedup: dedup}, nil
}

func (q *queue) fifo() bool { return strings.HasSuffix(q.name, fifoSuffix) }

// kind are the attributes of a queue that is made by its name alone.
func kind(name string) attributes {
	if strings.HasSuffix(name, fifoSuffix) {
		return attributes{"FifoQueue": "true", "ContentBasedDeduplication": "true"}
	}
	return attributes{}
}

// checkName holds a queue's name against its kind.
func checkName(name string, a attributes) error {
	base, fifo := strings.CutSuffix(name, fifoSuffix)
	switch wanted := a["FifoQueue"] == "true"; {
	case wanted && (!fifo || !queueForm.MatchString(base) || len(name) > 80):
		return badValue("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.")
	case !wanted && !queueForm.MatchString(name):
		return badValue("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	for _, only := range fifoAttributes {
		if a[only] != "" && !fifo {
			return &sqsError{"InvalidAttributeName", "You can specify the " + only + " only when FifoQueue is set to true."}
		}
	}
	return nil
}

// fifoAttributes are of FIFO queues alone.
var fifoAttributes = []string{"ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}

// words are attributes with a few values.
var words = map[string][]string{
	"FifoQueue": {"true"}, "ContentBasedDeduplication": {"true", "false"},
	"DeduplicationScope": {"queue", "messageGroup"}, "FifoThroughputLimit": {"perQueue", "perMessageGroupId"},
}
