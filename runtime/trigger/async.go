package trigger

import (
	"errors"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// Asynchronous takes the end of an event in that a caller sent by invocation type
// Event: its request id, when it arrived, when its first attempt began, and how
// many reached the function.
func (s *Sources) Asynchronous(id, function string, arrived time.Time, taken results.Stamp, attempts int, r live.Result) {
	c := Completion{Trigger: id, Source: "asynchronous " + function, Function: function, Attempts: attempts, Publish: results.StampOf(arrived), Poll: taken}
	c.complete(r)
	s.ledger.add(c)
}

// Deliver sends the record of an asynchronous event, or the event itself with its
// attributes, to the queue that an ARN names.
func (s *Sources) Deliver(arn string, body []byte, attributes map[string]string) error {
	name, ok := queueOf(arn)
	if !ok {
		return errors.New("it is neither a function nor a queue, and nothing else is built")
	}
	q, err := s.queueNamed(name)
	if err != nil {
		return err
	}
	if q.fifo() {
		return errors.New("a FIFO queue can't be a destination")
	}
	attrs := map[string]attributeValue{}
	for key, value := range attributes {
		kind := "String"
		if key == "ErrorCode" {
			kind = "Number"
		}
		attrs[key] = attributeValue{DataType: kind, StringValue: &value}
	}
	q.send(string(body), attrs, -1, order{})
	return nil
}
