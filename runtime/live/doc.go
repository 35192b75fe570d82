// Package live is the executor in real time: it drives a compute model's plane
// with what happens on this machine and carries its actions out with real
// sandboxes.
//
// A Function is one deployed function under the rules of plane.Lambda. Events
// go through the plane one at a time, under a lock that no action holds:
// starting, freezing, thawing, invoking and stopping happen outside of it.
//
// # Evidence
//
// Phases are contiguous, so that they add up to Responded - Received exactly:
//
//	queue    received .. launch asked (warm: .. event delivered), and of a cold
//	         start also ready .. event delivered, the engine's own hand-over
//	sandbox  launch asked .. namespaces and cgroup there
//	rootfs   .. exec
//	init     exec .. first ask for work
//	invoke   event delivered .. response fully received
//
// A thaw is part of a warm invocation's queue. Responded is the moment when the
// response was fully received; what the engine does afterwards (usage, log) is
// in the client's transport. A failed launch has no stamps: its time is in
// sandbox. Billed is init and invoke, rounded up to a millisecond.
//
// # An environment that is about to be idle
//
// An environment is idle when its runtime asks for work again, some 50 us after
// it answered, and the caller has been given that answer: what becomes of the
// environment then (a freeze, or a stop that frees all its memory) would compete
// with the answer for processors. A caller that is slow to take it is waited for
// 10 ms at most. On AWS no caller is back that soon; here a caller on the same
// machine can be. So a trigger that finds every environment taken waits up to
// Config.SettleGrace for one that has answered already, at most one trigger for each,
// before the plane decides on it. Without that, triggers sent one after another
// would scale out at random, or, with nothing kept alive, name a random cause.
//
// # An init that fails
//
// One that is over its limit runs once more, in a new sandbox, as a part of the
// first invocation and under its timeout; its evidence is one init from the first
// execution on. One that fails by itself gives the invocation its error at once,
// unless Config.RerunFailedInit. After a crash or a timeout the next invocation's
// init is suppressed: under the function's timeout, within the REPORT line's
// Duration, and without an Init Duration there.
//
// # Restores
//
// With Config.SnapStart an environment is restored from a snapshot of its function's
// init, which Publish has run: its start and cause are restored, and a restore phase, from
// execution to the first ask for work, stands in the place of init. The hooks after a
// restore are part of it and are what is billed of it; a restore that fails, or takes
// longer than Config.InitLimit, is not repeated. Where the snapshot comes from, and
// whether a function can be restored, is its launcher's business.
//
// # Several invocations in an environment
//
// With Config.MaxConcurrency an environment serves several at once, as on Lambda Managed
// Instances, whose rules then hold: a timeout ends its invocation alone, and its handler
// keeps its place until it asks for work again; an environment that dies fails all that is
// in it, and is followed by a new one without its remains. Triggers that find no room but
// in an environment that starts wait for that: each is a cold start, whose phases are what
// it waited for, but the init is billed, and in the REPORT line, of the one that it was
// for. It is frozen as nothing is in it, unless Config.NoFreeze, as there. CPU of an
// invocation is what its environment took meanwhile, others' too. A line of the function
// is in the tail of the invocation whose id it has, as JSON logs do, and one without in
// those of all that are in the environment: AWS says nothing of that.
//
// # Left out
//
// An environment that crashed or timed out is reset by a new sandbox with its name,
// its log stream, its /tmp and its suppressed init, where AWS keeps the sandbox; one that
// was restored is followed by another that is. The time in which extensions work on after
// an answer isn't in the REPORT line's Duration. Credentials of a restored environment
// are variables, where AWS has an endpoint.
package live
