package plane

import (
	"strings"
	"time"
)

// Lambda Managed Instances are a Fleet whose environments serve several triggers
// at once on instances of the account: no trigger waits for a start, and none
// waits in a queue (AWS Lambda documentation, "Scaling Lambda Managed Instances").

// ManagedLeast is the number of instances, and of environments, that stand
// before a version is active: one in each of three zones.
const ManagedLeast = 3

// ManagedPerVCPU is how many triggers at once Lambda sends to an environment for each vCPU of
// it, at most, where the function has no PerExecutionEnvironmentMaxConcurrency of its own: a
// default of each runtime, as AWS names them (AWS Lambda Developer Guide, "Lambda Managed
// Instances runtimes" and the page of each). Of a runtime that AWS brings no default of, such
// as a container image's, it is the lowest.
func ManagedPerVCPU(runtime string) int {
	for _, r := range []struct {
		prefix string
		each   int
	}{{"nodejs", 64}, {"java", 32}, {"dotnet", 32}, {"python", 16}} {
		if strings.HasPrefix(runtime, r.prefix) {
			return r.each
		}
	}
	return 8 // Rust's, the one of provided.al2023
}

// NewManaged returns the plane of a function on Lambda Managed Instances. It takes
// the rules of a fleet and sets those that AWS does not leave open: a trigger that
// finds every environment full is throttled, environments spread over instances, and
// at least ManagedLeast of both stand.
func NewManaged(r FleetRules) *Fleet {
	r.Min = max(r.Min, ManagedLeast)
	r.MinNodes = max(r.MinNodes, ManagedLeast)
	r.Queue, r.Full = -1, ReasonConcurrency
	r.Place = Spread
	if r.Nodes == nil {
		r.Nodes = &ManagedNodes{}
	}
	return NewFleet(r)
}

// Managed scales environments on the use of their processors and slots. AWS
// publishes what it keeps up with and not how: "if traffic more than doubles within
// 5 minutes" there may be throttles, and it "scales down gradually". Hence, by
// default, half of all slots is kept free, and the count falls to no less than the
// most that was needed in the last 15 minutes.
type Managed struct {
	// Target is the wanted Utilisation; 0 is 0.5, which takes a doubling.
	Target float64
	// Interval is the time between looks; 0 is 15 s, an assumption.
	Interval time.Duration
	// Hold is how long a need is remembered; 0 is 15 minutes, an assumption.
	Hold time.Duration

	needs peaks
}

const (
	managedTarget   = 0.5
	managedInterval = 15 * time.Second
	managedHold     = 15 * time.Minute
)

var _ Scaler = (*Managed)(nil)

// Every is the interval.
func (m *Managed) Every() time.Duration { return or(m.Interval, managedInterval) }

// Desired is what brings the use to the target, at once upwards and gradually down.
func (m *Managed) Desired(s Sight) int {
	if s.Counted == 0 {
		return s.Units
	}
	need := ceil(s.Utilisation * float64(s.Counted) / or(m.Target, managedTarget))
	return m.needs.highest(s.At, need, or(m.Hold, managedHold))
}

// ManagedNodes launches instances as soon as environments have no room, and empties
// and stops those whose environments have room elsewhere: AWS says no more of it than
// that it scales instances in.
type ManagedNodes struct{}

var (
	_ NodeScaler   = (*ManagedNodes)(nil)
	_ Consolidator = (*ManagedNodes)(nil)
)

// Nodes is what all environments need.
func (*ManagedNodes) Nodes(s NodeSight) (int, time.Duration) {
	if s.Pending > 0 {
		return max(s.nodes()+s.missing(), s.Least), 0
	}
	return max(s.Used+s.Starting, s.Least), 0
}

// Unneeded is the instance with the fewest environments.
func (*ManagedNodes) Unneeded(at time.Duration, nodes []NodeLoad, perNode int) (Node, time.Duration) {
	return (*Karpenter)(nil).Unneeded(at, nodes, perNode)
}

// peaks remembers numbers for a while.
type peaks []recommendation

// highest adds n and returns the largest number of the last span.
func (p *peaks) highest(at time.Duration, n int, span time.Duration) int {
	keep, most := (*p)[:0], n
	for _, r := range *p {
		if at-r.at < span {
			keep = append(keep, r)
			most = max(most, r.n)
		}
	}
	*p = append(keep, recommendation{at, n})
	return most
}

// or is v, or where v is zero its default.
func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
