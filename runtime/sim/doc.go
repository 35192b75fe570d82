// Package sim carries out the planes of the compute models in virtual time: it
// projects a function that was measured here onto AWS.
//
// A plane (package plane) decides; sim gives its decisions their durations.
// They come from two places only: what live measured of this function (a
// Profile: init, service and processor time; ProfileOf makes one of samples), and published distributions of
// AWS's own delays (published.go, each with its source). All latencies are
// response times from the intended arrival of a trigger to its answer, with
// Network between client and endpoint. Nothing depends on the host's clock: the
// same Config gives the same Outcome to the last digit.
//
// Run simulates a storm, Steady a Poisson stream for a month's usage, Curve
// many rates, Host the same storm on this machine's cores, to be held against
// what live measured. Offered says which models AWS offers for a function,
// Notes what a model leaves out.
//
// What was chosen: an event loop over one 4-ary heap of completions, with
// arrivals and the plane's wake-up kept outside of it, since they are ordered
// already. Turned down: container/heap (an allocation and two indirect calls
// an event) and a calendar queue (no faster at the few thousand events that
// are pending at a time).
package sim
