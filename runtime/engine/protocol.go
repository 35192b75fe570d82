package engine

import (
	"time"

	"coldstorm/results"
	"coldstorm/runtime/launch"
	"coldstorm/runtime/live/fleet"
	"coldstorm/runtime/trigger"
)

// setup is the first line that the client sends.
type setup struct {
	Pool         int      `json:"pool,omitempty"`
	Rootless     bool     `json:"rootless,omitempty"`
	Runtime      string   `json:"runtime,omitempty"`
	LauncherArgs []string `json:"launcher_args,omitempty"`
	Log          bool     `json:"log,omitempty"` // descriptor 3 takes functions' logs
	Account      *Account `json:"account,omitempty"`
}

// hello answers it.
type hello struct {
	Error string       `json:"error,omitempty"`
	URL   string       `json:"url,omitempty"`
	Host  *launch.Host `json:"host,omitempty"`
}

// command is each further line of the client's.
type command struct {
	ID       int64           `json:"id"` // of the reply
	Verb     verb            `json:"verb"`
	Function *Function       `json:"function,omitempty"`
	Source   *trigger.Source `json:"source,omitempty"`
	Events   *Events         `json:"events,omitempty"`   // to attach
	Every    time.Duration   `json:"every_ns,omitempty"` // census; 0 ends it
	Kill     *killing        `json:"kill,omitempty"`
}

// killing names a node or unit; 0 is any.
type killing struct {
	Number int  `json:"number,omitempty"`
	OfUnit bool `json:"of_unit,omitempty"`
}

type verb string

const (
	verbDeploy  verb = "deploy"
	verbBeside  verb = "beside"
	verbAdd     verb = "add"
	verbSource  verb = "source"
	verbAttach  verb = "attach"
	verbDetach  verb = "detach"
	verbDiscard verb = "discard"
	verbKill    verb = "kill"
	verbCensus  verb = "census"
	verbStates  verb = "states"
	verbClose   verb = "close"
)

// message is each further line of the engine's: a reply or a census.
type message struct {
	Reply  int64   `json:"reply,omitempty"` // the command's ID
	Error  string  `json:"error,omitempty"`
	Census *Census `json:"census,omitempty"`

	Snapshot *Snapshot `json:"snapshot,omitempty"` // that a deployment took

	States []results.StateTime `json:"states,omitempty"` // that were asked for; the reply follows
}

// Census is a moment of the engine's timeline. Triggers are counted since the
// last Deploy, processor time since the engine started.
type Census struct {
	At       results.Stamp `json:"at"`
	Starting int           `json:"starting"`
	Idle     int           `json:"idle"`
	Busy     int           `json:"busy"`
	Queued   int           `json:"queued"` // triggers that wait for an environment

	Offered   int `json:"offered"`
	Served    int `json:"served"`
	Throttled int `json:"throttled"`
	Failed    int `json:"failed"`
	TimedOut  int `json:"timed_out"`
	InFlight  int `json:"in_flight"`

	Age time.Duration `json:"age_ns,omitempty"` // of what is deployed: its scalers look at times that count from then

	// Of containers alone.
	Nodes     int          `json:"nodes,omitempty"`
	Lost      int          `json:"lost,omitempty"`    // of Failed: their unit or node died
	Started   int          `json:"started,omitempty"` // units so far
	Crashed   int          `json:"crashed,omitempty"`
	Unlimited bool         `json:"unlimited,omitempty"` // nodes have no limits on this host
	Losses    []fleet.Loss `json:"losses,omitempty"`
	Serve     fleet.Serve  `json:"serve,omitempty"` // how units take requests, once that is known

	EngineCPU    time.Duration `json:"engine_cpu_ns"`    // of the engine's own process
	LauncherCPU  time.Duration `json:"launcher_cpu_ns"`  // of the launcher's; 0 if not known
	FunctionsCPU time.Duration `json:"functions_cpu_ns"` // of all environments; without cgroups, as known when they last answered or ended
}
