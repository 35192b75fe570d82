package trigger

import (
	"encoding/json"

	"coldstorm/runtime/live"
)

// The event of a batch of messages (facts/aws.md section 3.5; github.com/aws/
// aws-lambda-go, events.SQSEvent).
type sqsRecord struct {
	MessageID     string                  `json:"messageId"`
	ReceiptHandle string                  `json:"receiptHandle"`
	Body          string                  `json:"body"`
	Attributes    map[string]string       `json:"attributes"`
	Message       map[string]sqsAttribute `json:"messageAttributes"`
	MD5           string                  `json:"md5OfBody"`
	Source        string                  `json:"eventSource"`
	ARN           string                  `json:"eventSourceARN"`
	Region        string                  `json:"awsRegion"`
}

type sqsAttribute struct {
	StringValue      *string  `json:"stringValue,omitempty"`
	BinaryValue      []byte   `json:"binaryValue,omitempty"`
	StringListValues []string `json:"stringListValues"`
	BinaryListValues [][]byte `json:"binaryListValues"`
	DataType         string   `json:"dataType"`
}

func sqsEvent(batch []received, arn string) []byte {
	records := make([]sqsRecord, len(batch))
	for i, m := range batch {
		records[i] = m.record(arn)
	}
	return marshal(map[string]any{"Records": records})
}

// record is a message as the function gets it. The arn is the queue's.
func (m received) record(arn string) sqsRecord {
	attrs := map[string]sqsAttribute{}
	for name, v := range m.attributes {
		attrs[name] = sqsAttribute{v.StringValue, v.BinaryValue, []string{}, [][]byte{}, v.DataType}
	}
	return sqsRecord{
		MessageID: m.id, ReceiptHandle: m.receipt, Body: m.body, Attributes: m.system(), Message: attrs,
		MD5: md5Hex([]byte(m.body)), Source: "aws:sqs", ARN: arn, Region: live.Region,
	}
}

// marshal is for what always marshals.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// batchFailures reads which messages a function says have failed (AWS
// documentation: "Implementing partial batch responses"). An answer without
// failures is a success; one that can't be read, or names what isn't in the
// batch, fails all of it.
func batchFailures(batch []received, answer []byte) (failed map[string]bool, all bool) {
	if len(answer) == 0 {
		return nil, false
	}
	var x *struct {
		Failures []struct {
			ID *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &x); err != nil {
		return nil, true
	}
	if x == nil {
		return nil, false
	}
	in := map[string]bool{}
	for _, m := range batch {
		in[m.id] = true
	}
	failed = map[string]bool{}
	for _, f := range x.Failures {
		if f.ID == nil || !in[*f.ID] {
			return nil, true
		}
		failed[*f.ID] = true
	}
	return failed, false
}
