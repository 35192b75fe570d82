package trigger

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"coldstorm/runtime/plane"
)

// attributes are a queue's, as its API has them: each a text.
type attributes map[string]string

// bounds are those of numbers, with their defaults (Amazon SQS API reference:
// SetQueueAttributes). Seconds, and bytes of MaximumMessageSize.
var bounds = map[string]struct{ low, high, otherwise int }{
	"VisibilityTimeout":             {0, 43200, 30},
	"DelaySeconds":                  {0, 900, 0},
	"MessageRetentionPeriod":        {60, 1209600, 345600},
	"ReceiveMessageWaitTimeSeconds": {0, 20, 0},
	"MaximumMessageSize":            {1024, 1 << 20, 1 << 20},
}

// without effect, but asked for by tools.
var inert = map[string]bool{
	"Policy": true, "KmsMasterKeyId": true, "KmsDataKeyReusePeriodSeconds": true, "SqsManagedSseEnabled": true, "RedriveAllowPolicy": true,
}

// redrive is the attribute RedrivePolicy.
type redrive struct {
	Target   string      `json:"deadLetterTargetArn"`
	Receives json.Number `json:"maxReceiveCount"`
}

// check reports the first attribute that SQS would refuse.
func (a attributes) check() error {
	for name, value := range a {
		b, number := bounds[name]
		switch {
		case number:
			if n, err := strconv.Atoi(value); err != nil || n < b.low || n > b.high {
				return invalidAttribute(name, fmt.Sprintf("%q is not within %d..%d", value, b.low, b.high))
			}
		case name == "RedrivePolicy":
			if value == "" {
				continue
			}
			p, err := parseRedrive(value)
			if err != nil {
				return invalidAttribute(name, err.Error())
			}
			if _, ok := queueOf(p.Target); !ok {
				return invalidAttribute(name, "deadLetterTargetArn is of no queue")
			}
		case words[name] != nil:
			if !slices.Contains(words[name], value) {
				return invalidAttribute(name, fmt.Sprintf("%q is not %s", value, strings.Join(words[name], " or ")))
			}
		case inert[name]:
		default:
			return &sqsError{"InvalidAttributeName", "Unknown Attribute " + name + "."}
		}
	}
	return nil
}

func invalidAttribute(name, why string) error {
	return &sqsError{"InvalidAttributeValue", "Invalid value for the parameter " + name + ": " + why + "."}
}

// parseRedrive takes the count as a number or a text, as SQS does.
func parseRedrive(s string) (p redrive, err error) {
	if err := json.Unmarshal([]byte(s), &p); err != nil {
		return p, err
	}
	if n, err := p.Receives.Int64(); err != nil || n < 1 || n > 1000 {
		return p, fmt.Errorf("maxReceiveCount %q is not within 1..1000", p.Receives)
	}
	return p, nil
}

// queueOf is the name of the queue of an ARN.
func queueOf(arn string) (string, bool) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "sqs" || !queueForm.MatchString(strings.TrimSuffix(parts[5], fifoSuffix)) {
		return "", false
	}
	return parts[5], true
}

// number is an attribute that was checked, or its default.
func (a attributes) number(name string) int {
	if n, err := strconv.Atoi(a[name]); err == nil {
		return n
	}
	return bounds[name].otherwise
}

// agrees reports whether two queues' attributes have the same value of one.
func (a attributes) agrees(b attributes, name string) bool {
	if _, number := bounds[name]; number {
		return a.number(name) == b.number(name)
	}
	return a[name] == b[name]
}

func (a attributes) seconds(name string) time.Duration {
	return time.Duration(a.number(name)) * time.Second
}

// deadLetter is the queue for messages that were received too often.
func (a attributes) deadLetter() (name string, receives int) {
	p, err := parseRedrive(a["RedrivePolicy"])
	if err != nil {
		return "", 0
	}
	n, _ := p.Receives.Int64()
	name, _ = queueOf(p.Target)
	return name, int(n)
}

func (a attributes) rules() plane.QueueRules {
	r := plane.QueueRules{Visibility: a.seconds("VisibilityTimeout"), Delay: a.seconds("DelaySeconds"), Retention: a.seconds("MessageRetentionPeriod")}
	if r.Visibility == 0 {
		r.Visibility = -1 // plane's own zero is the default
	}
	_, r.MaxReceives = a.deadLetter()
	r.FIFO = a["FifoQueue"] == "true"
	return r
}

// show is what GetQueueAttributes answers: those asked for, or All.
func (q *queue) show(names []string) map[string]string {
	counts, _, _ := q.counts()
	q.mu.Lock()
	defer q.mu.Unlock()
	all := map[string]string{
		"QueueArn":                              q.arn(),
		"ApproximateNumberOfMessages":           strconv.Itoa(counts.Visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(counts.InFlight),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(counts.Delayed),
		"CreatedTimestamp":                      strconv.FormatInt(q.created.Unix(), 10),
		"LastModifiedTimestamp":                 strconv.FormatInt(q.created.Unix(), 10),
	}
	for name := range bounds {
		all[name] = strconv.Itoa(q.attrs.number(name))
	}
	for name, value := range q.attrs {
		if value != "" {
			all[name] = value
		}
	}
	some := map[string]string{}
	for _, name := range names {
		if name == "All" {
			return all
		}
		if v, ok := all[name]; ok {
			some[name] = v
		}
	}
	return some
}

// set changes attributes.
func (q *queue) set(a attributes) {
	q.mu.Lock()
	defer q.mu.Unlock()
	changed := maps.Clone(q.attrs)
	if changed == nil {
		changed = attributes{}
	}
	maps.Copy(changed, a)
	q.attrs = changed
	q.rules.SetRules(changed.rules())
	q.signal()
}
