package trigger

import (
	"crypto/md5"
	"encoding/hex"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/api"
	"coldstorm/runtime/plane"
)

// Event is what the source's function is given for one event with this body, alone in its
// batch: what it can be tried with before any event comes.
func (x Source) Event(body []byte) []byte {
	id, now := api.NewID(), time.Now()
	switch {
	case x.Queue != nil:
		m := received{
			Delivery: plane.Delivery{Receives: 1}, polled: results.Now(),
			content: &content{id: id, body: string(body), published: results.Now(), sent: now},
		}
		m.receipt = receipt(id, m.Delivery)
		return sqsEvent([]received{m}, arn("sqs", x.Queue.Name))
	case x.Bucket != nil:
		sum := md5.Sum(body)
		return x.Bucket.event(object{key: x.Bucket.Prefix + id + x.Bucket.Suffix, size: int64(len(body)), etag: hex.EncodeToString(sum[:]), content: body}, id, 1)
	}
	return x.Schedule.event(id, now)
}
