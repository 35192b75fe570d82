package sim

import (
	"math"
	"time"

	"coldstorm/results"
)

// billing turns what units did into results.Usage, with those of AWS's rules
// that depend on single units: rounding up and minimum charges.
type billing struct {
	memoryGB  float64 // of the function
	lambda    bool
	reserved  int  // provisioned environments
	snapshots int  // of functions that are restored, one each
	free      bool // the snapshots' cache and restores cost nothing (Java)

	fargate  *size     // of a task or pod
	instance *instance // of a node, or of a unit where unitIsNode
	managed  bool      // Lambda runs the instances, with their volumes
	unitNode bool      // each unit is an instance (ec2)
	balancer bool
	cluster  bool // EKS control plane

	// Instances that wait in a warm pool have a volume; running ones are billed as others.
	warmPool, poolRuns bool
	waiting            int     // since
	since              int64   // when
	waited             float64 // instance-seconds

	requestBytes, responseBytes float64

	use       results.Usage
	ran       ran
	started   int
	instances float64 // seconds
}

const (
	// minimumCharge is the least that Fargate and EC2 bill for a task or an
	// instance (AWS: per second, one minute minimum, Linux).
	minimumCharge = int64(time.Minute)
	// snapshotMinimum is the least time for which a snapshot's cache is billed.
	snapshotMinimum = 3 * time.Hour
	// provisionedStep is the step to which provisioned time is rounded up.
	provisionedStep = 5 * time.Minute
	// volumeGB is the root volume of an instance: the Amazon Linux AMI's default
	// for containers, 30 GB of gp3.
	volumeGB = 30
	// balancerAddresses is the number of public addresses that a load balancer
	// holds: one in each of two zones.
	balancerAddresses = 2
	// requestsPerConnection is how many requests a client sends over one
	// connection before it opens the next: an assumption, which decides the
	// dimension "new connections" of a load balancer's capacity units.
	requestsPerConnection = 10
)

// ran counts invocations that ran, in whole numbers, so that the sum of two is
// the same in any order. Times are billed milliseconds.
type ran struct {
	n, restored                 int64
	onDemand, init, provisioned int64
}

// invocation bills one invocation that ran.
func (b *billing) invocation(t *trigger) {
	if t.state != triggerAnswered {
		return
	}
	b.ran.n++
	if !b.lambda {
		return
	}
	// AWS: billed duration = ceil(Duration + Init Duration), in ms.
	ms := milliseconds(t.service + t.init)
	if t.start == startProvisioned {
		b.ran.provisioned += ms
		return
	}
	b.ran.onDemand += ms
	if t.init > 0 {
		b.ran.init += ms - milliseconds(t.service)
	}
	if t.start == startRestored {
		b.ran.restored++
	}
}

// milliseconds rounds up.
func milliseconds(ns int64) int64 {
	return (ns + int64(time.Millisecond) - 1) / int64(time.Millisecond)
}

// usage adds what invocations are billed by.
func (b *billing) usage(u *results.Usage) {
	u.Requests = b.ran.n
	u.EgressGB = float64(b.ran.n) * b.responseBytes / 1e9
	if !b.lambda {
		return
	}
	gbs := b.memoryGB / 1000
	u.LambdaGBSeconds = gbs * float64(b.ran.onDemand)
	u.LambdaInitGBSeconds = gbs * float64(b.ran.init)
	u.ProvisionedDurationGBSeconds = gbs * float64(b.ran.provisioned)
	if !b.free {
		u.RestoredGB = b.memoryGB * float64(b.ran.restored)
	}
}

// billed is the time of a unit that is billed within the book's span. A unit
// that stopped is rounded up to a second and to the minimum; one that lives on
// is not, since the rest comes later.
func billed(from, to int64, book *book, stopped bool) float64 {
	if stopped && from >= book.from && to <= book.end {
		return float64(max(minimumCharge, ceilTo(to-from, int64(time.Second)))) / 1e9
	}
	from, to = max(from, book.from), min(to, book.end)
	return float64(max(0, to-from)) / 1e9
}

func (b *billing) unit(from, to int64, book *book, stopped bool) {
	switch {
	case b.fargate != nil:
		if from > 0 {
			from = min(from+int64(fargateUnbilled), to)
		}
		s := billed(from, to, book, stopped)
		b.use.FargateVCPUSeconds += s * b.fargate.vcpu
		b.use.FargateGBSeconds += s * b.fargate.gb
	case b.unitNode:
		b.node(from, to, book, stopped)
	}
}

// node bills an instance from its launch: a few seconds more than AWS, which
// starts when the instance is running.
func (b *billing) node(from, to int64, book *book, stopped bool) {
	b.instances += billed(from, to, book, stopped)
	b.started++
}

// pool is told of how many instances wait in a warm pool from now on.
func (b *billing) pool(n int, now int64, book *book) {
	b.waited += float64(b.waiting) * billed(b.since, now, book, false)
	b.waiting, b.since = n, now
}

// finish adds what is billed by the span alone and returns the usage.
func (b *billing) finish(model, arch string, span time.Duration, triggers int) results.Usage {
	u := b.use
	b.usage(&u)
	u.Model, u.Architecture, u.Window = model, arch, span
	s := span.Seconds()
	if b.instance != nil {
		seconds := b.instances
		if b.poolRuns {
			seconds += b.waited
		}
		u.Instances = []results.InstanceUse{{Type: b.instance.name, Seconds: seconds, Count: b.started}}
		if !b.managed {
			u.StorageGBSeconds = volumeGB * (b.instances + b.waited)
		}
	}
	if b.reserved > 0 {
		u.ProvisionedGBSeconds = float64(b.reserved) * b.memoryGB * roundUp(span, provisionedStep).Seconds()
	}
	if !b.free {
		u.SnapshotCacheGBSeconds = float64(b.snapshots) * b.memoryGB * max(span, snapshotMinimum).Seconds()
	}
	if b.cluster {
		u.ClusterSeconds = s
	}
	if b.balancer {
		u.LoadBalancerSeconds = s
		u.IPv4Seconds = balancerAddresses * s
		u.LCUSeconds = b.capacityUnits(float64(triggers), s) * s
	}
	return u
}

// capacityUnits is the mean number of load balancer capacity units: the largest
// dimension (AWS: 25 new connections a second, 3,000 active a minute, 1 GB an
// hour, 1,000 rule evaluations a second, of which the default rule is free).
func (b *billing) capacityUnits(triggers, seconds float64) float64 {
	if seconds == 0 {
		return 0
	}
	connections := triggers / requestsPerConnection / seconds
	bytes := triggers * (b.requestBytes + b.responseBytes) / seconds
	// Each connection is taken to stay open for the idle timeout of a minute.
	return max(connections/25, connections*60/3000, bytes*3600/1e9)
}

// month is the time to which a steady rate's usage is scaled: 730 hours.
const month = 730 * time.Hour

// monthly scales usage of a part of a month: what is counted by request by
// byRequest, what is counted by time by byTime.
func monthly(u results.Usage, byRequest, byTime float64) results.Usage {
	u.Window = month
	u.Requests = int64(math.Round(float64(u.Requests) * byRequest))
	for _, v := range []*float64{
		&u.LambdaGBSeconds, &u.LambdaInitGBSeconds, &u.ProvisionedDurationGBSeconds, &u.RestoredGB, &u.EgressGB,
	} {
		*v *= byRequest
	}
	for _, v := range []*float64{
		&u.ProvisionedGBSeconds, &u.SnapshotCacheGBSeconds, &u.FargateVCPUSeconds, &u.FargateGBSeconds,
		&u.ClusterSeconds, &u.LoadBalancerSeconds, &u.LCUSeconds, &u.StorageGBSeconds, &u.IPv4Seconds,
	} {
		*v *= byTime
	}
	for i := range u.Instances {
		u.Instances[i].Seconds *= byTime
	}
	return u
}

func ceilTo(v, step int64) int64 { return (v + step - 1) / step * step }

func roundUp(d, step time.Duration) time.Duration {
	return time.Duration(ceilTo(int64(d), int64(step)))
}
