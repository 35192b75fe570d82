package plane

import "time"

// FleetRules are the settings of a Fleet.
type FleetRules struct {
	// Slots is the number of triggers that a unit serves at once; 0 is 1.
	Slots int
	// Min and Max bound the number of units; Min units stand before the first
	// event, without a limit on launches. 0 is 1 for Min, and Min for Max.
	Min, Max int
	// Queue is the number of triggers that may wait in a unit; 0 is 4,096, the
	// kernel's default for connections that wait to be accepted
	// (net.core.somaxconn); negative is none.
	Queue int
	// Full is the reason of a refusal where a unit's slots and queue are taken;
	// empty is ReasonQueueFull.
	Full Reason
	// Timeout is how long a trigger may wait; 0 is 60 s (AWS: the idle timeout
	// of an Application Load Balancer).
	Timeout time.Duration
	// RoundRobin sends triggers to units in turn (AWS: a target group's
	// default); otherwise to the one with the fewest outstanding.
	RoundRobin bool
	// SlowStart is how long a new unit's share of triggers grows, with RoundRobin
	// alone; 0 is none (AWS: slow start of a target group, 30 to 900 s, off by
	// default).
	SlowStart time.Duration
	// Health decides which units get triggers.
	Health HealthCheck
	// Backoff delays the starts of units that replace others.
	Backoff Backoff
	// Drain is how units go that are no longer wanted.
	Drain DrainRules
	// Launch bounds the launches of units; all bounds hold.
	Launch []Rate
	// WarmPool holds instances that the fleet, if its units are instances, takes first.
	WarmPool WarmPool
	// Scaler decides how many units there are; nil keeps Min.
	Scaler Scaler

	// Place chooses a node for a unit; nil: units have no nodes.
	Place Placer
	// Random places on any node that has room, by a hash of the unit's number (AWS:
	// ECS placement strategy random); Place is not asked.
	Random bool
	// Zones is the number of availability zones over which nodes, and on them units,
	// spread first (AWS: the default placement strategy of an ECS service). 0 is 1.
	Zones int
	// PerNode is the number of units that fit on a node, by the scarcer of processor and
	// memory; 0 is 1.
	PerNode int
	// Nodes decides how many nodes there are; nil keeps as many as Min needs.
	Nodes NodeScaler
	// MinNodes is the least number of nodes, which stand before the first event;
	// fewer than Min needs are that many.
	MinNodes int
}

// Rate is a bound on how often something happens: Burst at once, refilled by
// PerSecond.
type Rate struct{ Burst, PerSecond float64 }

// Launch rates.
var (
	// FargateLaunch is that of an account's tasks and pods on Fargate (AWS
	// Fargate throttling quotas: burst 100, 20 a second in major regions).
	FargateLaunch = Rate{Burst: 100, PerSecond: 20}
	// FargatePodLaunch is that of an account that launches pods alone (AWS
	// Fargate throttling quotas: burst 20, 20 a second).
	FargatePodLaunch = Rate{Burst: 20, PerSecond: 20}
	// ServiceLaunch is that of one ECS service (AWS ECS service quotas: 500
	// tasks a minute). The burst is one minute's worth.
	ServiceLaunch = Rate{Burst: 500, PerSecond: 500.0 / 60}
)
