package trigger

import (
	"encoding/base64"
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"coldstorm/runtime/api"
)

// The query protocol of older clients: a form with flattened lists, answered in
// XML (Amazon SQS API reference, 2012-11-05).

// readQuery takes a form's fields into the call, and returns its action. What it
// doesn't know it leaves out.
func (c *sqsCall) readQuery(body []byte) (action string, err error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", &sqsError{"MalformedQueryString", err.Error()}
	}
	f := fields{values: form}
	c.QueueName, c.QueueUrl, c.QueueNamePrefix = form.Get("QueueName"), form.Get("QueueUrl"), form.Get("QueueNamePrefix")
	c.MessageBody, c.ReceiptHandle = form.Get("MessageBody"), form.Get("ReceiptHandle")
	c.MessageGroupId, c.MessageDeduplicationId = form.Get("MessageGroupId"), form.Get("MessageDeduplicationId")
	c.DelaySeconds, c.MaxNumberOfMessages = f.number("DelaySeconds"), f.number("MaxNumberOfMessages")
	c.VisibilityTimeout, c.WaitTimeSeconds = f.number("VisibilityTimeout"), f.number("WaitTimeSeconds")
	c.AttributeNames, c.MessageAttributeNames = f.list("AttributeName."), f.list("MessageAttributeName.")
	c.MessageSystemAttributeNames = f.list("MessageSystemAttributeName.")
	for i := range f.indices("Attribute.") {
		if c.Attributes == nil {
			c.Attributes = attributes{}
		}
		c.Attributes[form.Get(i+".Name")] = form.Get(i + ".Value")
	}
	c.MessageAttributes = f.messageAttributes("MessageAttribute.")
	action = form.Get("Action")
	for i := range f.indices(action + "RequestEntry.") {
		c.Entries = append(c.Entries, sqsEntry{
			Id: form.Get(i + ".Id"), MessageBody: form.Get(i + ".MessageBody"), ReceiptHandle: form.Get(i + ".ReceiptHandle"),
			DelaySeconds: f.number(i + ".DelaySeconds"), VisibilityTimeout: f.number(i + ".VisibilityTimeout"),
			MessageAttributes: f.messageAttributes(i + ".MessageAttribute."),
			MessageGroupId:    form.Get(i + ".MessageGroupId"), MessageDeduplicationId: form.Get(i + ".MessageDeduplicationId"),
		})
	}
	return action, f.err
}

// fields reads a form; err is the first field's that could not be read.
type fields struct {
	values url.Values
	err    error
}

func (f *fields) number(key string) *int {
	if !f.values.Has(key) {
		return nil
	}
	n, err := strconv.Atoi(f.values.Get(key))
	if err != nil && f.err == nil {
		f.err = badValue("Value %s for parameter %s is invalid. Must be an integer.", f.values.Get(key), key)
	}
	return &n
}

// maxIndex bounds the lists of a form.
const maxIndex = 100

// indices yields prefix1, prefix2 and so on, as far as fields begin with them.
func (f *fields) indices(prefix string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for n := 1; n <= maxIndex; n++ {
			i := prefix + strconv.Itoa(n)
			there := false
			for key := range f.values {
				if key == i || strings.HasPrefix(key, i+".") {
					there = true
					break
				}
			}
			if !there || !yield(i) {
				return
			}
		}
	}
}

func (f *fields) list(prefix string) (all []string) {
	for i := range f.indices(prefix) {
		all = append(all, f.values.Get(i))
	}
	return all
}

func (f *fields) messageAttributes(prefix string) map[string]attributeValue {
	var all map[string]attributeValue
	for i := range f.indices(prefix) {
		if all == nil {
			all = map[string]attributeValue{}
		}
		v := attributeValue{DataType: f.values.Get(i + ".Value.DataType")}
		if key := i + ".Value.StringValue"; f.values.Has(key) {
			s := f.values.Get(key)
			v.StringValue = &s
		}
		if key := i + ".Value.BinaryValue"; f.values.Has(key) {
			b, err := base64.StdEncoding.DecodeString(f.values.Get(key))
			if err != nil && f.err == nil {
				f.err = badValue("parameter %s is not base64", key)
			}
			v.BinaryValue = b
		}
		all[f.values.Get(i+".Name")] = v
	}
	return all
}

// sqsXML writes answers of the query protocol.
type sqsXML struct{ action string }

const sqsNamespace = "http://queue.amazonaws.com/doc/2012-11-05/"

func (p sqsXML) answer(w http.ResponseWriter, out sqsAnswer) {
	var b element
	b.open(p.action+"Response", ` xmlns="`+sqsNamespace+`"`)
	b.open(p.action+"Result", "")
	b.text("QueueUrl", out.QueueUrl)
	for _, u := range out.QueueUrls {
		b.text("QueueUrl", u)
	}
	b.pairs("Attribute", out.Attributes)
	b.text("MessageId", out.MessageId)
	b.text("MD5OfMessageBody", out.MD5OfMessageBody)
	b.text("MD5OfMessageAttributes", out.MD5OfMessageAttributes)
	b.text("SequenceNumber", out.SequenceNumber)
	for _, m := range out.Messages {
		b.message(m)
	}
	for _, s := range out.Successful {
		name := p.action + "ResultEntry"
		b.open(name, "")
		b.text("Id", s.Id)
		b.text("MessageId", s.MessageId)
		b.text("MD5OfMessageBody", s.MD5OfMessageBody)
		b.text("MD5OfMessageAttributes", s.MD5OfMessageAttributes)
		b.text("SequenceNumber", s.SequenceNumber)
		b.close(name)
	}
	for _, f := range out.Failed {
		b.open("BatchResultErrorEntry", "")
		b.text("Id", f.Id)
		b.text("Code", f.Code)
		b.text("Message", f.Message)
		b.text("SenderFault", strconv.FormatBool(f.SenderFault))
		b.close("BatchResultErrorEntry")
	}
	b.close(p.action + "Result")
	b.metadata()
	b.close(p.action + "Response")
	w.Header().Set("Content-Type", "text/xml")
	w.Write([]byte(b.String()))
}

func (p sqsXML) refuse(w http.ResponseWriter, err error) {
	x := asSQSError(err)
	var b element
	b.open("ErrorResponse", ` xmlns="`+sqsNamespace+`"`)
	b.open("Error", "")
	b.text("Type", "Sender")
	b.text("Code", x.name)
	b.text("Message", x.message)
	b.close("Error")
	b.text("RequestId", api.NewID())
	b.close("ErrorResponse")
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(http.StatusBadRequest)
	w.Write([]byte(b.String()))
}

// element writes XML.
type element struct{ strings.Builder }

func (b *element) open(name, rest string) { b.WriteString("<" + name + rest + ">") }
func (b *element) close(name string)      { b.WriteString("</" + name + ">") }

// text writes an element, unless it is empty.
func (b *element) text(name, value string) {
	if value == "" {
		return
	}
	b.open(name, "")
	xml.EscapeText(b, []byte(value))
	b.close(name)
}

func (b *element) pairs(name string, values map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		b.open(name, "")
		b.text("Name", key)
		b.text("Value", values[key])
		b.close(name)
	}
}

func (b *element) message(m sqsMessage) {
	b.open("Message", "")
	b.text("MessageId", m.MessageId)
	b.text("ReceiptHandle", m.ReceiptHandle)
	b.text("MD5OfBody", m.MD5OfBody)
	b.text("Body", m.Body)
	b.pairs("Attribute", m.Attributes)
	b.text("MD5OfMessageAttributes", m.MD5OfMessageAttributes)
	for _, name := range slices.Sorted(maps.Keys(m.MessageAttributes)) {
		v := m.MessageAttributes[name]
		b.open("MessageAttribute", "")
		b.text("Name", name)
		b.open("Value", "")
		b.text("DataType", v.DataType)
		if v.StringValue != nil {
			b.text("StringValue", *v.StringValue)
		} else {
			b.text("BinaryValue", base64.StdEncoding.EncodeToString(v.BinaryValue))
		}
		b.close("Value")
		b.close("MessageAttribute")
	}
	b.close("Message")
}

func (b *element) metadata() {
	b.open("ResponseMetadata", "")
	b.text("RequestId", api.NewID())
	b.close("ResponseMetadata")
}
