// Package plane holds the rules of the compute models as pure state machines:
// an event comes in with its time, actions come out. A plane never sleeps,
// starts a process, draws a random number or reads a clock, and its decisions
// don't depend on the order of a map, so that two executors can drive the same
// machine: live on this host in real time, and sim in virtual time.
//
// The rules of event sources are of the same kind, with interfaces of their own:
// AsyncRules, Queue, Poller and Schedule.
//
// An executor hands every Event to Handle in the order of time and carries out
// the actions in the order in which they come. It owns what a plane can't know:
// how long a start or an invocation takes, and whether it fails.
package plane

import (
	"time"

	"coldstorm/results"
)

// Unit names a unit of capacity within one plane: an execution environment,
// task, pod or process. Planes number their units from 1; 0 is no unit.
type Unit int32

// Node names an instance on which units are placed, from 1; 0 is no node.
type Node int32

// Trigger names an event sent to the function, as the executor numbers it.
type Trigger int64

// NoTrigger is the absence of a trigger: a unit that starts with it was started
// by a scaler, not for one invocation.
const NoTrigger Trigger = -1

// Kind says what an Event reports.
type Kind uint8

// The kinds of event.
const (
	Arrive      Kind = iota + 1 // Trigger reached the model's front door
	Ready                       // Unit has started and can serve
	Done                        // Unit finished Trigger, well or with a function error, and lives on
	Gone                        // Unit died: crash, out of memory, timeout, a failed start; the executor fails what it held
	Abandon                     // the caller of Trigger gave up while it was queued
	NodeUp                      // Node has started and takes units
	NodeGone                    // Node died, and with it its units: the executor sends no Gone for each
	Tick                        // the time asked for by a WakeAt has come
	CheckPassed                 // Unit passed a health check
	CheckFailed                 // Unit failed a health check, and lives on
)

// Event is something that happened. At is the time since the plane's start and
// never decreases from one event to the next.
type Event struct {
	Kind    Kind
	At      time.Duration
	Trigger Trigger
	Unit    Unit
	Node    Node
}

// Verb says what an Action asks for.
type Verb uint8

// The verbs of actions.
const (
	StartUnit Verb = iota + 1 // start Unit on Node (0: AWS's own fleet); Trigger is the one that waits for it, or NoTrigger
	StopUnit                  // stop Unit, which is idle
	Freeze                    // Unit is idle and stays so until its next Dispatch
	Dispatch                  // Unit serves Trigger now
	Refuse                    // Trigger is refused with Reason
	StartNode                 // start Node
	StopNode                  // stop Node, which is empty
	WakeAt                    // send a Tick at At; replaces a wake-up asked for earlier
	Await                     // Trigger waits for Unit, which starts for another one already: it dies with it, or is dispatched once it is ready
	Drain                     // Unit gets no more triggers, and is stopped once it has finished those that it holds, or after a time of the rules
	KillUnit                  // stop Unit, which serves: the executor fails what it holds
)

// Action is what the executor is to do.
type Action struct {
	Verb    Verb
	Unit    Unit
	Node    Node
	Trigger Trigger
	At      time.Duration // WakeAt
	Start   results.Start // Dispatch: what kind of start the invocation saw
	Cause   results.Cause // StartUnit and Dispatch: of a cold start
	Reason  Reason        // Refuse

	Since    time.Duration // StartUnit of a Fleet: when a unit was first missing in whose place this one starts
	Prepared bool          // StartUnit: it waited in a warm pool
}

// Reason says why a trigger was refused, in AWS's own words where it has them.
type Reason string

// Reasons of the Lambda service model (TooManyRequestsException), and of a load
// balancer before container models.
const (
	ReasonConcurrency         Reason = "ConcurrentInvocationLimitExceeded"
	ReasonReservedConcurrency Reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
	ReasonRate                Reason = "FunctionInvocationRateLimitExceeded"
	ReasonReservedRate        Reason = "ReservedFunctionInvocationRateLimitExceeded"
	ReasonQueueFull           Reason = "QueueFull"        // the load balancer's or the process's queue
	ReasonNoTargets           Reason = "NoHealthyTargets" // the load balancer has no unit to send to
	ReasonUnitLost            Reason = "BadGateway"       // queued in a unit that died
	ReasonGatewayTimeout      Reason = "GatewayTimeout"   // waited longer than the load balancer's idle timeout
)

// Plane is the rules of one compute model for one function.
type Plane interface {
	// Handle takes an event and appends the actions that follow to out.
	Handle(e Event, out []Action) []Action
	// Census says how many units there are, by state.
	Census() Census
}

// Census counts units by state, and triggers that wait for one.
type Census struct {
	Starting, Idle, Busy int
	Queued               int
	Nodes                int // started or starting
}
