package trigger

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// protocol is how SQS's answers are written.
type protocol interface {
	answer(w http.ResponseWriter, out sqsAnswer)
	refuse(w http.ResponseWriter, err error)
}

// maxSQS bounds a request of SQS's API in bytes: a batch of a megabyte, escaped.
const maxSQS = 8 << 20

func readAll(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxSQS))
}

// sqsJSON is the protocol of clients since the end of 2023: AWS JSON 1.0.
type sqsJSON struct{}

func (sqsJSON) answer(w http.ResponseWriter, out sqsAnswer) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	json.NewEncoder(w).Encode(out)
}

// jsonNames are errors whose names differ in the JSON protocol.
var jsonNames = map[string]string{
	"AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist",
	"QueueAlreadyExists":                      "QueueNameExists",
	"InvalidParameterValue":                   "InvalidParameterValueException",
}

func (sqsJSON) refuse(w http.ResponseWriter, err error) {
	x := asSQSError(err)
	name, ok := jsonNames[x.name]
	if !ok {
		name = strings.TrimPrefix(x.name, "AWS.SimpleQueueService.")
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amzn-Query-Error", x.name+";Sender")
	w.WriteHeader(http.StatusBadRequest)
	json.NewEncoder(w).Encode(map[string]string{"__type": "com.amazonaws.sqs#" + name, "message": x.message})
}

func asSQSError(err error) *sqsError {
	var x *sqsError
	if errors.As(err, &x) {
		return x
	}
	return &sqsError{"InternalError", err.Error()}
}

// attributesMD5 is what clients hold their message attributes against: by name,
// each of name, type and value with its length before it (Amazon SQS developer
// guide: "Calculating the MD5 message digest for message attributes").
func attributesMD5(attrs map[string]attributeValue) string {
	if len(attrs) == 0 {
		return ""
	}
	h := md5.New()
	put := func(b []byte) {
		binary.Write(h, binary.BigEndian, uint32(len(b)))
		h.Write(b)
	}
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		v := attrs[name]
		put([]byte(name))
		put([]byte(v.DataType))
		if v.StringValue != nil {
			h.Write([]byte{1})
			put([]byte(*v.StringValue))
		} else {
			h.Write([]byte{2})
			put(v.BinaryValue)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
