// Package fleet is the executor in real time of the container and instance models:
// it drives plane.Fleet with what happens on this machine, and carries its actions
// out with real containers on emulated nodes, behind a load balancer.
//
// A Fleet is one function under such rules. Units are sandboxes; a node is a cgroup
// that holds those of its units, with the processors and memory of its instance type,
// scaled to this machine by a factor that the configuration states. Without rights to
// cgroups there are no limits.
//
// # One package, every model
//
// The package that a Lambda environment runs serves here as it is: through the Runtime
// API, whose events a unit's slots put in turn to as many loops of next as the runtime
// has, or as an HTTP server on $PORT. Where it isn't stated which, a unit is ready with
// the first of the two that it shows: an ask for work, or a connection taken on $PORT.
//
// # Two clocks
//
// The rules' clock passes Config.Speed times as fast as the machine's: metric periods,
// cooldowns, launch rates, health check intervals, back-off. What a request or a start
// takes is real, and so are the load balancer's timeouts. AWS's own delays of an image's
// pull and an instance's boot are not slept, unless Config asks for them: live shows what
// this machine does.
//
// # What is noticed, and how
//
// A container that ends is noticed at once, as its node's agent does, and restarted by
// the plane's rules, after a back-off where they have one. A node that dies says nothing: requests that the load balancer sends
// there fail with 502 until as many health checks in a row have failed as the rules say.
// Every request is answered: by its unit, or with 502 (its unit died), 503 (no unit, or
// no room), 504 (too late).
//
// It is a package of its own, and not a part of live, since the two share sandboxes
// and the Runtime API, and none of their rules: an environment freezes, is billed, and
// serves one trigger at a time.
//
// Left out: zones, deployments, connection pools of the load balancer to keep across
// units, TLS.
package fleet
