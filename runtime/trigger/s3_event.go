package trigger

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"coldstorm/runtime/live"
)

// The event of an object (facts/aws.md section 3.5; github.com/aws/
// aws-lambda-go, events.S3Event), and one key more: content.
type s3Record struct {
	EventVersion string            `json:"eventVersion"`
	EventSource  string            `json:"eventSource"`
	Region       string            `json:"awsRegion"`
	EventTime    string            `json:"eventTime"`
	EventName    string            `json:"eventName"`
	User         principal         `json:"userIdentity"`
	Parameters   map[string]string `json:"requestParameters"`
	Response     map[string]string `json:"responseElements"`
	S3           s3Entity          `json:"s3"`
}

type principal struct {
	ID string `json:"principalId"`
}

type s3Entity struct {
	SchemaVersion   string   `json:"s3SchemaVersion"`
	ConfigurationID string   `json:"configurationId"`
	Bucket          s3Bucket `json:"bucket"`
	Object          s3Object `json:"object"`
}

type s3Bucket struct {
	Name  string    `json:"name"`
	Owner principal `json:"ownerIdentity"`
	ARN   string    `json:"arn"`
}

type s3Object struct {
	Key       string `json:"key"` // as in a form: a space is +
	Size      int64  `json:"size"`
	ETag      string `json:"eTag"`
	Sequencer string `json:"sequencer"`
	Content   []byte `json:"content,omitempty"` // not S3's: see the package's doc
}

func (b Bucket) event(o object, id string, n uint64) []byte {
	return marshal(map[string]any{"Records": []s3Record{{
		EventVersion: "2.1", EventSource: "aws:s3", Region: live.Region, EventName: "ObjectCreated:Put",
		EventTime:  time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		User:       principal{live.Account},
		Parameters: map[string]string{"sourceIPAddress": "127.0.0.1"},
		Response:   map[string]string{"x-amz-request-id": strings.ToUpper(strings.ReplaceAll(id, "-", ""))[:16], "x-amz-id-2": id},
		S3: s3Entity{
			SchemaVersion: "1.0", ConfigurationID: b.Function,
			Bucket: s3Bucket{b.Name, principal{live.Account}, "arn:aws:s3:::" + b.Name},
			Object: s3Object{Key: escapeKey(o.key), Size: o.size, ETag: o.etag, Sequencer: fmt.Sprintf("%018X", n), Content: o.content},
		},
	}}})
}

// escapeKey is a key as S3's events have it: that of a form, but for its slashes.
func escapeKey(key string) string {
	return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
}
