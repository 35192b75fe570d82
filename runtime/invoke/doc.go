// Package invoke is what callers of a function see: the API of AWS Lambda, so
// that the aws CLI, the SDKs and curl can be pointed at it (--endpoint-url,
// AWS_ENDPOINT_URL_LAMBDA). Requests are neither authenticated nor checked for
// their signature.
//
// A Handler serves invocations of what is deployed already. A Service is a whole
// account: functions are created, changed and deleted through the control API,
// have versions, aliases and URLs, and share the account's concurrency
// (plane.Account). The operations that are built are listed in route.go; any
// other is answered with UnknownOperationException, 404.
//
// # Invocations
//
//	POST /2015-03-31/functions/{name}/invocations
//	POST /2021-11-15/functions/{name}/response-streaming-invocations
//	POST /2014-11-13/functions/{name}/invoke-async/
//
// The name may be a plain one, an ARN or a part of one, with a version, an alias,
// $LATEST or nothing. An error of the function keeps status 200 and carries
// X-Amz-Function-Error; one of the service has its own status and
// x-amzn-ErrorType (AWS API reference: Invoke): so has a restore from a snapshot
// that takes too long (SnapStartTimeoutException, 408), and an invocation of a
// version whose snapshot is yet to come (SnapStartNotReadyException, 409). Each response to an invocation
// also carries its evidence (results.EvidenceHeader), throttles and failures too
// as far as it is known, and, unless it was served, OutcomeHeader and
// results.ReasonHeader. Unlike AWS, a payload isn't checked to be JSON.
//
// Asynchronous events wait in a Queue, in memory unless Config says otherwise,
// and are retried by plane.AsyncRules. Their records go to functions, and to what
// Config.Destinations takes. Deferred does the same, less the records, for functions that
// are there without an account.
//
// # Function URLs
//
// A URL is served on the same listener, under /lambda-url/{id}/ and for the host
// {id}.lambda-url.anything. Functions get events of payload format 2.0.
//
// # Changes
//
// A version's environments are a deployment, which a change replaces: what is
// under way ends in the old one, which is closed then. So no invocation fails for
// an update, and none that comes after it sees the old code. Had environments
// been changed in place, their plane would have needed to know of generations.
//
// # Left out
//
// Layers, code in S3, durable functions and capacity providers are
// refused or stored without effect, as route.go and create.go say. Event source
// mappings are stored; what polls is the caller's (Sources). Policies are stored
// and not enforced.
package invoke
