package results

import (
	"slices"
	"time"
)

// Moment names a moment of a sandbox's start, in the order in which they happen.
type Moment int

// What a launcher doesn't do, or can't tell, has no moment, and neither has what was
// ready before the ask: a cold start alone has those from clone to security.
const (
	MomentAsk      Moment = iota // a launcher is asked
	MomentReceived               // its thread that sees to it took the ask
	MomentCloned                 // the child's first system call: its namespaces exist
	MomentRootfs                 // its root filesystem is whole, and the only one that it sees
	MomentCgroups                // it is in its cgroups
	MomentJoined                 // it is in its network
	MomentSecured                // its rights are gone
	MomentBegun                  // a child that was pooled heard what it is to be
	MomentExec                   // the next call is execve
	MomentRan                    // an OCI runtime's command that starts it has ended, in the place of all from rootfs on
	MomentFirst                  // the first instruction of the program's own, where it tells that
	MomentReady                  // its first ask for work

	moments // how many there are
)

var momentNames = [moments]string{
	"ask", "received", "cloned", "rootfs", "cgroups", "joined", "secured", "begun", "exec", "ran", "first", "ready",
}

// String is its name, such as cloned.
func (m Moment) String() string {
	if m < 0 || m >= moments {
		return "unknown"
	}
	return momentNames[m]
}

// Moments are the stamps of one start, by Moment. The zero Stamp is that of a moment
// which did not happen or can't be told.
type Moments [moments]Stamp

// Part names what passes between two moments of a start, or beside them.
type Part string

// The parts of a cold start, in the order of PartNames. Queue, invoke and transport are
// the phases of these names. The sandbox phase is hand-over to security but for
// rootfs, or to runtime or setup; the init phase is all from there to the first ask for
// work.
const (
	PartQueue        Part = "queue"
	PartHandOver     Part = "hand_over"     // from the ask to the launcher's thread
	PartClone        Part = "clone"         // to the child's first system call: its namespaces are made
	PartRootfs       Part = "rootfs"        // its mounts
	PartCgroups      Part = "cgroups"       // made beside, and joined
	PartNetwork      Part = "network"       // made beside, and joined
	PartWake         Part = "wake"          // until a child that was ready runs
	PartSecurity     Part = "security"      // its rights go
	PartLastOrder    Part = "last_order"    // it waits for what is made beside it, and for the order to execute
	PartSetup        Part = "setup"         // of a plain process
	PartRuntime      Part = "runtime"       // an OCI runtime's command
	PartRuntimeInit  Part = "runtime_init"  // from execve to the program's first instruction
	PartFunctionInit Part = "function_init" // from there to its first ask for work
	PartInit         Part = "init"          // both, where the program doesn't tell
	PartInvoke       Part = "invoke"
	PartTransport    Part = "transport" // what is left of the client's total
)

// PartNames lists every Part in the order in which they happen.
var PartNames = []Part{
	PartQueue, PartHandOver, PartClone, PartRootfs, PartCgroups, PartNetwork, PartWake, PartSecurity, PartLastOrder,
	PartSetup, PartRuntime, PartRuntimeInit, PartFunctionInit, PartInit, PartInvoke, PartTransport,
}

// SandboxParts are those of a sandbox's start, from the ask to execve.
var SandboxParts = PartNames[slices.Index(PartNames, PartHandOver) : slices.Index(PartNames, PartRuntime)+1]

// Span is the time that one part took.
type Span struct {
	Part Part
	Took time.Duration
}

// Spans lays out a start: a span between each moment that happened and the next that
// did, in order. They add up to what passed from the first to the last. Fewer than two
// moments have none.
func (m Moments) Spans() []Span {
	var all []Span
	last := Moment(-1)
	for at, stamp := range m {
		if stamp == 0 {
			continue
		}
		if last >= 0 {
			all = append(all, Span{between(last, Moment(at)), stamp.Sub(m[last])})
		}
		last = Moment(at)
	}
	return all
}

// between names what passes from one moment to the next that happened.
func between(from, to Moment) Part {
	switch to {
	case MomentReceived:
		return PartHandOver
	case MomentCloned:
		return PartClone
	case MomentRootfs:
		return PartRootfs
	case MomentCgroups:
		return PartCgroups
	case MomentJoined:
		return PartNetwork
	case MomentSecured:
		return PartSecurity
	case MomentBegun:
		return PartWake
	case MomentRan:
		return PartRuntime
	case MomentFirst:
		return PartRuntimeInit
	case MomentReady:
		if from == MomentFirst {
			return PartFunctionInit
		}
		return PartInit
	}
	switch from { // to execve
	case MomentReceived: // all but that was done
		return PartWake
	case MomentCloned:
		return PartSetup
	case MomentSecured:
		return PartLastOrder
	}
	return PartSecurity
}

// Parts lays out a cold sample from its send to the last byte. They add up to Total:
// the last, transport, is what the others leave of it. A sample without moments, such as
// one of an older run, has none.
func (s Sample) Parts() []Span {
	spans := s.Moments.Spans()
	if len(spans) == 0 {
		return nil
	}
	all := append([]Span{{PartQueue, s.Phases.Queue}}, spans...)
	all = append(all, Span{PartInvoke, s.Phases.Invoke})
	left := s.Total()
	for _, p := range all {
		left -= p.Took
	}
	return append(all, Span{PartTransport, left})
}

// Breakdown says where the time of the cold starts of a storm went, of those whose
// sandboxes were started in one mode.
type Breakdown struct {
	Mode  string     `json:"mode"`  // cold, pooled or parked
	Parts []PartTime `json:"parts"` // in order; transport, the last, is what the others leave of the total
	Total Quantiles  `json:"total"` // by the client
}

// Time returns the quantiles of a part; none if no start has it.
func (b Breakdown) Time(p Part) Quantiles {
	for _, t := range b.Parts {
		if t.Part == p {
			return t.Time
		}
	}
	return Quantiles{}
}

// PartTime is one part of a breakdown. Its quantiles are over the starts that have it.
type PartTime struct {
	Part Part      `json:"part"`
	Time Quantiles `json:"time"`
}
