// Package trigger is what sends events to functions but an invocation by a
// caller: message queues (queue.go, sqs.go, mapping.go), objects created in a
// folder (bucket.go, object.go) and schedules (schedule.go). The rules, of
// visibility, order, batches, pollers and calendars, are runtime/plane's; here they meet
// real time, HTTP and the file system. Functions are behind an interface, so that
// invoke.Service, which also keeps the asynchronous events' retries, is not
// known here.
//
// # Where events are published
//
//	POST /                             the API of Amazon SQS, both protocols: JSON, and the query of older clients
//	PUT  /{bucket}/{key}               an object, as S3's clients send it in path style; GET, HEAD and DELETE too
//	POST /coldstorm/publish/{source}   the same by the name of a queue, a bucket or a schedule: the body is
//	                                   the message or the object; a schedule is due now
//
// Each answer carries TriggerHeader, by which an event is found in
//
//	GET  /coldstorm/completions        lines of JSON (Completion), as events are done with;
//	                                   a message has one for each time that it was handled
//	GET  /coldstorm/latency            n, p50 and p99 of each part of the way, per source and kind of start
//
// which is the control stream of events that aren't answered on their request.
//
// # The parts of the way
//
// publish, poll, invoke, handler, done: accepted by the source; taken from it;
// handed to the function; given to its runtime; answered. Cold and warm are kept
// apart.
//
// # An object's contents
//
// A sandbox has no network but loopback, so a function can't fetch the object
// that its event names. What S3 does not do is done instead: a record also has
// s3.object.content, the object in base64, if it is at most MaxContent bytes, and
// what the function answers can be written to a folder (Bucket.Output). Turned
// down: the folder mounted into the sandbox, which would let every environment
// see objects before their events, and want the launcher to know of triggers.
//
// # Left out
//
// A batch of a FIFO queue whose messages are over 6 MB
// together becomes two, which its group then has at once.
// Messages and objects are not encrypted, and nothing is authenticated. Queues are
// in memory.
package trigger
