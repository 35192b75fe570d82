// Package invoke is what callers of a function see: the Invoke API of AWS
// Lambda, so that the aws CLI, the SDKs and curl can be pointed at it
// (--endpoint-url). Requests are neither authenticated nor checked for their
// signature.
//
//	POST /2015-03-31/functions/{name}/invocations
//
// The name may be a plain one, an ARN or a part of one, with the qualifier
// $LATEST or none. Invocation types RequestResponse and DryRun are built; Event
// (asynchronous) is not, and is answered with 501.
//
// An error of the function keeps status 200 and carries X-Amz-Function-Error;
// one of the service has its own status and x-amzn-ErrorType (AWS API
// reference: Invoke). Each response to an invocation also carries its evidence
// (results.EvidenceHeader), throttles and failures too as far as it is known,
// and, unless it was served, OutcomeHeader and results.ReasonHeader.
//
// Unlike AWS, a payload isn't checked to be JSON.
package invoke
