// Package sim carries out the planes of the compute models in virtual time: it
// projects a function that was measured here onto AWS.
//
// A plane (package plane) decides; sim gives its decisions their durations.
// They come from what live measured of this function (a Profile: init, service and
// processor time; ProfileOf makes one of samples) or from what a person states or a
// trace tells (Times), and from published distributions of AWS's own delays
// (published.go, each with its source). All latencies are
// response times from the intended arrival of a trigger to its answer, with
// Network between client and endpoint. Nothing depends on the host's clock: the
// same Config gives the same Outcome to the last digit.
//
// Run simulates a storm, Steady a Poisson stream for a month's usage, Curve
// many rates, Host the same storm on this machine's cores, to be held against
// what live measured. Offered says which models AWS offers for a function,
// Notes what a model leaves out.
//
// A storm that is spread over several functions, or of which a share starts cold, has
// Copies, which share an account's quotas, or this host's cores; Copied says which models
// have them.
//
// Trace simulates the functions of a trace, each on a plane of its own, some at a
// time. Anchor tells the speed of this host's processor beside AWS's from a user's own
// REPORT lines.
//
// What was chosen: an event loop over a 4-ary heap of completions, which hands
// those of the near future to a wheel of slots as soon as there are some sixty, with
// arrivals and the plane's wake-up kept outside of it, since they are ordered
// already; triggers in a ring that forgets those that are done with, and latencies in
// counts of a histogram's buckets, so that memory does not grow with what is
// simulated. Turned down: container/heap (an allocation and two indirect calls an
// event), the 4-ary heap alone (at a thousand events, a third of the time went into its
// branches), and dividing one function's triggers among cores (its plane sees each
// event in the light of all before it; functions are independent).
package sim
