package invoke

import (
	"bytes"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// FuzzEvent has AWS's own decoder, which checks both CRCs, read what is written.
func FuzzEvent(f *testing.F) {
	f.Add("PayloadChunk", "application/octet-stream", []byte("hello"))
	f.Add("InvokeComplete", "application/json", []byte(`{}`))
	f.Add("", "", []byte{})
	f.Fuzz(func(t *testing.T, event, contentType string, payload []byte) {
		if len(event) > 1000 || len(contentType) > 1000 || len(payload) > maxMessagePayload {
			return
		}
		b := appendEvent([]byte("before"), event, contentType, payload)
		m, err := eventstream.NewDecoder().Decode(bytes.NewReader(b[len("before"):]), nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{":message-type": "event", ":event-type": event, ":content-type": contentType} {
			if h := m.Headers.Get(name); h == nil || h.String() != want {
				t.Errorf("%s is %v, want %q", name, h, want)
			}
		}
		if !bytes.Equal(m.Payload, payload) {
			t.Errorf("payload %q, want %q", m.Payload, payload)
		}
	})
}
