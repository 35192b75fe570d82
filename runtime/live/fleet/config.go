package fleet

import (
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
)

// Config says what is deployed, and how. Of the embedded live.Config a fleet uses the
// function's own part: its name, handler, variables, memory, init's limit, how many
// launches there are at once, and where its log goes.
type Config struct {
	live.Config

	Service Service
	Rules   Rules
	// Speed is how much faster than the machine's the rules' clock passes; 0 is 1, real
	// time.
	Speed int

	Serve Serve
	Port  int    // $PORT of an HTTP server; 0 is 8080
	Path  string // that health checks of an HTTP server ask for; empty is /

	Unit     Size // limits of a unit, as this machine is to set them
	Node     Size // and of a node
	UnitNode bool // a unit has a node of its own, which comes and goes with it: an instance

	Health Health

	// RequestTimeout bounds a request at its unit; 0 is 60 s (AWS: the idle timeout of
	// an Application Load Balancer).
	RequestTimeout time.Duration
	// Pull and Boot are slept before a unit and a node start, on the rules' clock; 0, the
	// default, sleeps nothing.
	Pull, Boot time.Duration
}

// Serve says how a unit takes requests.
type Serve string

// The ways to serve; the zero value finds out.
const (
	ServeAny     Serve = ""
	ServeRuntime Serve = "runtime-api"
	ServeHTTP    Serve = "http"
)

// Size is a share of this machine. Zero fields are no limit.
type Size struct {
	CPUs        float64 `json:"cpus,omitempty"`
	MemoryBytes int64   `json:"memory_bytes,omitempty"`
}

// Health is how a load balancer checks a unit, and the service its nodes (AWS: health
// checks of an Application Load Balancer's target groups). A unit is healthy from its
// first good check on, as AWS's initial one.
type Health struct {
	Every     time.Duration `json:"every_ns,omitempty"`   // on the rules' clock; 0 is 30 s
	Timeout   time.Duration `json:"timeout_ns,omitempty"` // of one check; 0 is 5 s
	Unhealthy int           `json:"unhealthy,omitempty"`  // failures in a row; 0 is 2
}

const (
	nodeRetry      = 10 * time.Second // on the rules' clock, until a node that failed to start is given up
	defaultPort    = 8080
	defaultTimeout = 60 * time.Second
	stopNodeTime   = 10 * time.Second // that a node waits for the ends of its units
)

func (c Config) withDefaults() Config {
	c.Config = c.Config.WithDefaults()
	c.Speed = max(c.Speed, 1)
	if c.Port == 0 {
		c.Port = defaultPort
	}
	if c.Path == "" {
		c.Path = "/"
	}
	if c.Health.Every == 0 {
		c.Health.Every = 30 * time.Second
	}
	if c.Health.Timeout == 0 {
		c.Health.Timeout = 5 * time.Second
	}
	if c.Health.Unhealthy == 0 {
		c.Health.Unhealthy = 2
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = defaultTimeout
	}
	c.Rules.Slots = max(c.Rules.Slots, 1)
	if c.Rules.Slots > 1 && c.MaxConcurrency == 0 {
		c.MaxConcurrency = c.Rules.Slots
	}
	return c
}

// real is how long a time of the rules' clock takes here.
func (c Config) real(d time.Duration) time.Duration { return d / time.Duration(c.Speed) }

// Counts says what became of the requests so far. Offered is the sum of all others.
type Counts struct {
	Offered   int
	Served    int
	Throttled int // no room in a unit's queue
	Failed    int
	TimedOut  int
	InFlight  int
	Lost      int // of Failed: their unit or its node died under them
}

// Census is a moment of a fleet's timeline.
type Census struct {
	At     results.Stamp
	Units  plane.Census
	Counts Counts
	CPU    time.Duration // processor time of all units that have ended

	Started, Crashed int // units so far: ready, and ended unasked

	Age time.Duration // of the fleet: its scalers look at times that count from its start
}

// Loss is a unit or node that was killed, and what the rules made of it. A moment that
// has not come is 0.
type Loss struct {
	Node    plane.Node    `json:"node,omitempty"` // 0: a single unit
	Units   int           `json:"units"`          // that died
	Ready   int           `json:"ready"`          // units before
	Killed  results.Stamp `json:"killed"`
	Noticed results.Stamp `json:"noticed"`  // the plane was told
	Back    results.Stamp `json:"restored"` // as many units were ready as before
	Lost    int           `json:"lost"`     // requests from killed to restored that failed for it
	Served  int           `json:"served"`   // requests that were served meanwhile
}
