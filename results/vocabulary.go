package results

import "time"

// Start says whether an invocation had to wait for a unit to start.
// It is proved by the evidence that came with the response, never inferred
// from a latency.
type Start string

// The kinds of start. The zero value is not valid in a Sample: what gave no
// evidence is StartUnknown.
const (
	StartCold        Start = "cold"
	StartWarm        Start = "warm"
	StartProvisioned Start = "provisioned"
	StartRestored    Start = "restored"
	StartUnknown     Start = "unknown"
)

// Cause says why a cold start happened. Empty for a warm start.
type Cause string

const (
	CauseScaleOut    Cause = "scale-out"   // every living environment was busy
	CauseExpired     Cause = "expired"     // the environments there had been were reclaimed
	CauseDeployed    Cause = "deployed"    // the first since the function was deployed
	CauseCrashed     Cause = "crashed"     // suppressed init: the environment's runtime had died
	CauseRestored    Cause = "restored"    // restored from a snapshot
	CauseProvisioned Cause = "provisioned" // kept ready in advance
)

// Outcome says what became of a trigger. Every trigger has exactly one.
type Outcome string

const (
	OutcomeServed    Outcome = "served"
	OutcomeThrottled Outcome = "throttled" // refused for concurrency (429)
	OutcomeFailed    Outcome = "failed"    // function, environment or transport error
	OutcomeTimedOut  Outcome = "timed-out" // over the function's or the client's timeout
	OutcomeUnsent    Outcome = "unsent"    // scheduled, but the run was stopped before
)

// Outcomes lists every Outcome in the order in which reports show them.
var Outcomes = []Outcome{OutcomeServed, OutcomeThrottled, OutcomeFailed, OutcomeTimedOut, OutcomeUnsent}

// Phase names one part of an invocation's time, in the order of PhaseNames.
type Phase string

const (
	PhaseQueue        Phase = "queue"         // no capacity yet
	PhaseSandbox      Phase = "sandbox"       // namespaces, cgroup
	PhaseRootfs       Phase = "rootfs"        // layers mounted, security, exec
	PhaseRuntimeInit  Phase = "runtime_init"  // exec to the runtime's first instruction
	PhaseFunctionInit Phase = "function_init" // to its first ask for work
	PhaseInit         Phase = "init"          // both, where the runtime does not stamp itself
	PhaseRestore      Phase = "restore"       // of a restored start, instead of init: exec to the first ask for work
	PhaseInvoke       Phase = "invoke"        // event delivered to response received
	PhaseTransport    Phase = "transport"     // what the client measured beyond all these
)

// PhaseNames lists every Phase in the order in which they happen.
var PhaseNames = []Phase{
	PhaseQueue, PhaseSandbox, PhaseRootfs, PhaseRuntimeInit, PhaseFunctionInit, PhaseInit, PhaseRestore, PhaseInvoke, PhaseTransport,
}

// Phases holds the time spent in each phase of one invocation. A phase that
// did not happen is zero.
type Phases struct {
	Queue, Sandbox, Rootfs, RuntimeInit, FunctionInit, Init, Restore, Invoke, Transport time.Duration
}

// Get returns the time spent in p, or 0 for an unknown phase.
func (ph Phases) Get(p Phase) time.Duration {
	if d := ph.at(p); d != nil {
		return *d
	}
	return 0
}

// Set stores the time spent in p. An unknown phase is ignored.
func (ph *Phases) Set(p Phase, d time.Duration) {
	if at := ph.at(p); at != nil {
		*at = d
	}
}

// Sum adds up all phases, transport included.
func (ph Phases) Sum() time.Duration {
	return ph.Queue + ph.Sandbox + ph.Rootfs + ph.RuntimeInit + ph.FunctionInit + ph.Init + ph.Restore + ph.Invoke + ph.Transport
}

// InitDuration is what an AWS REPORT line calls Init Duration.
func (ph Phases) InitDuration() time.Duration { return ph.RuntimeInit + ph.FunctionInit + ph.Init }

// RestoreDuration is what an AWS REPORT line calls Restore Duration.
func (ph Phases) RestoreDuration() time.Duration { return ph.Restore }

func (ph *Phases) at(p Phase) *time.Duration {
	switch p {
	case PhaseQueue:
		return &ph.Queue
	case PhaseSandbox:
		return &ph.Sandbox
	case PhaseRootfs:
		return &ph.Rootfs
	case PhaseRuntimeInit:
		return &ph.RuntimeInit
	case PhaseFunctionInit:
		return &ph.FunctionInit
	case PhaseInit:
		return &ph.Init
	case PhaseRestore:
		return &ph.Restore
	case PhaseInvoke:
		return &ph.Invoke
	case PhaseTransport:
		return &ph.Transport
	}
	return nil
}

// Sample is one trigger: when it was to be sent, when it was, what came of it.
type Sample struct {
	Series  string // the storm's name
	Seq     uint64 // position in the storm's schedule, from 0
	Payload string // name of the payload sent; empty if the storm has one unnamed payload

	Intended Stamp // when the schedule wanted it sent
	Sent     Stamp // when it was handed to the wire; 0 if never
	Done     Stamp // last byte of the response, or the moment of failure; 0 if never

	Outcome Outcome
	Reason  string // error type or throttle reason; empty when served
	Status  int    // HTTP status; 0 without a response
	Bytes   int64  // response body

	Way Way // of an event; zero of a request

	Evidence // zero, with Start == StartUnknown, where the endpoint gives none
}

// Latency is the response time from the intended send to the last byte: what
// coordinated omission can't hide from.
func (s Sample) Latency() time.Duration { return s.Done.Sub(s.Intended) }

// Lag is the schedule lag: actual minus intended send.
func (s Sample) Lag() time.Duration { return s.Sent.Sub(s.Intended) }

// Total is what the client measured from its actual send to the last byte.
// Phases, with transport, add up to it.
func (s Sample) Total() time.Duration { return s.Done.Sub(s.Sent) }

// USD is an amount of United States dollars. It is rounded only when shown.
type USD float64

// Usage is what a storm, or a month at a rate, used of what AWS bills: the one
// thing that passes from a simulation or a live run to report/cost. Zero means
// that the model does not use it. Seconds and GB-seconds already carry the
// billing rules that depend on single units (rounding up, minimum charge).
type Usage struct {
	Model        string        `json:"model"`
	Architecture string        `json:"architecture"` // x86_64 or arm64
	Window       time.Duration `json:"window_ns"`    // the span that the storm and its capacity covered

	Requests int64 `json:"requests,omitempty"`

	LambdaGBSeconds              float64 `json:"lambda_gb_seconds,omitempty"`               // billed duration x memory, init included
	LambdaInitGBSeconds          float64 `json:"lambda_init_gb_seconds,omitempty"`          // the part of LambdaGBSeconds that is init
	ProvisionedGBSeconds         float64 `json:"provisioned_gb_seconds,omitempty"`          // capacity kept ready
	ProvisionedDurationGBSeconds float64 `json:"provisioned_duration_gb_seconds,omitempty"` // billed duration on that capacity
	SnapshotCacheGBSeconds       float64 `json:"snapshot_cache_gb_seconds,omitempty"`
	RestoredGB                   float64 `json:"restored_gb,omitempty"`

	FargateVCPUSeconds float64 `json:"fargate_vcpu_seconds,omitempty"`
	FargateGBSeconds   float64 `json:"fargate_gb_seconds,omitempty"`

	Instances []InstanceUse `json:"instances,omitempty"`

	ClusterSeconds      float64 `json:"cluster_seconds,omitempty"` // EKS control plane
	LoadBalancerSeconds float64 `json:"load_balancer_seconds,omitempty"`
	LCUSeconds          float64 `json:"lcu_seconds,omitempty"`
	StorageGBSeconds    float64 `json:"storage_gb_seconds,omitempty"` // EBS volumes of instances
	IPv4Seconds         float64 `json:"ipv4_seconds,omitempty"`
	EgressGB            float64 `json:"egress_gb,omitempty"`
}

// InstanceUse is the time that instances of one type were billed for.
type InstanceUse struct {
	Type    string  `json:"type"` // such as c7i.large
	Seconds float64 `json:"seconds"`
	Count   int     `json:"count"` // instances that were started
}
