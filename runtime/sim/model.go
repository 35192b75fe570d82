package sim

import (
	"fmt"
	"math"
	"time"

	"coldstorm/runtime/plane"
	"coldstorm/runtime/plane/life"
	"coldstorm/workloads"
)

// model is a compute model for one function: rules, durations and bill.
type model struct {
	plane   func() plane.Plane
	timing  timing
	billing billing
	words   string
	units   int // that stand before the first trigger

	made plane.FleetRules // of a fleet, but for its scalers
}

// target is the busy share of slots at which fleets are sized and kept: what
// AWS's and Kubernetes' examples of target tracking use most.
const target = 0.7

func compose(c Config) (*model, error) {
	if ok, why := Offered(c.Model, c.Function); !ok {
		return nil, fmt.Errorf("simulate %s: not offered: %s", c.Model, why)
	}
	if err := c.Profile.check(); err != nil {
		return nil, fmt.Errorf("simulate %s: %w", c.Model, err)
	}
	if c.Function.MemoryMB <= 0 {
		return nil, fmt.Errorf("simulate %s: memory of %d MB", c.Model, c.Function.MemoryMB)
	}
	if ok, why := Copied(c.Model, c.Copies); !ok {
		return nil, fmt.Errorf("simulate %s: %s", c.Model, why)
	}
	if ok, why := Sourced(c.Model); !ok && c.Source != nil {
		return nil, fmt.Errorf("simulate %s: %s", c.Model, why)
	}
	switch c.Model {
	case workloads.ModelLambda, workloads.ModelLambdaProvisioned, workloads.ModelLambdaSnapStart:
		return lambda(c), nil
	}
	stood := fleet
	if c.Model == workloads.ModelLambdaManaged {
		stood = managed
	}
	mo, err := stood(c)
	if err != nil {
		return nil, fmt.Errorf("simulate %s: %w", c.Model, err)
	}
	return mo, nil
}

// lambda composes the three Lambda models.
func lambda(c Config) *model {
	f, p := c.Function, &c.Profile
	share := float64(f.MemoryMB) / workloads.MBPerVCPU
	mo := &model{timing: p.timing(limit{share, lambdaPeriod}), billing: p.billing(f)}
	mo.billing.lambda = true
	mo.timing.timeout = int64(f.Timeout)
	mo.timing.before = []part{{life.Placed, lambdaPlatform}}
	mo.timing.init = p.init(limit{initVCPU, lambdaPeriod}, p.factor())
	mo.timing.least, mo.timing.billInit = lambdaInit, true
	rules := plane.LambdaRules{
		Concurrency: f.Concurrency, Reserved: f.Concurrency > 0, KeepAlive: f.KeepAlive, Warm: c.Warm,
	}
	limits := fmt.Sprintf("up to %d at once", plane.DefaultConcurrency)
	if f.Concurrency > 0 {
		limits = fmt.Sprintf("up to %d at once (reserved)", f.Concurrency)
	}
	mo.words = fmt.Sprintf("environment of %d MB (%.2f vCPU), 1 request at once; %s; kept alive %v idle", f.MemoryMB, share, limits, f.KeepAlive)
	switch c.Model {
	case workloads.ModelLambdaProvisioned:
		mo.units = c.sized(mo.timing.meanService(), 1)
		if c.Units == 0 {
			mo.units = max(mo.units, int(math.Ceil(c.Steady/provisionedRate-1e-9)))
		}
		mo.units = min(mo.units, mostProvisioned(f.Concurrency))
		rules.Provisioned = mo.units
		rules.Warm = max(0, c.Warm-mo.units)
		mo.billing.reserved = mo.units
		mo.words = fmt.Sprintf("%d provisioned; %s", mo.units, mo.words)
	case workloads.ModelLambdaSnapStart:
		rules.Restore = true
		mo.timing.before = []part{{life.Placed, snapStartRestore}, {life.Placed, constant("resident memory", p.resident(f.MemoryMB))}}
		mo.timing.init, mo.timing.least, mo.timing.billInit, mo.timing.restore = dist{}, dist{}, false, true
		mo.billing.snapshots = c.Copies.functions()
		mo.billing.free = len(f.Runtime) > 4 && f.Runtime[:4] == "java"
		mo.words = "restored from a snapshot; " + mo.words
	}
	mo.plane = func() plane.Plane { return plane.NewLambda(rules) }
	if c.Copies != nil {
		mo.plane = func() plane.Plane { return c.Copies.inAccount(rules) }
		mo.words = c.Copies.words() + mo.words
	}
	return mo
}

// provisionedRate is how many requests a second a provisioned environment takes
// (AWS Lambda quotas).
const provisionedRate = 10.0

// mostProvisioned is how much concurrency can be provisioned: what is reserved
// for the function, or the account's less the 100 that Lambda keeps unreserved
// (AWS Lambda quotas).
func mostProvisioned(reserved int) int {
	if reserved > 0 {
		return reserved
	}
	return plane.DefaultConcurrency - 100
}

// resident is the time that a restore needs for resident memory. Unknown
// memory is taken to be a quarter of the function's.
func (p *Profile) resident(memoryMB int) time.Duration {
	mb := float64(p.ResidentBytes) / (1 << 20)
	if mb <= 0 {
		mb = float64(memoryMB) / 4
	}
	return time.Duration(mb * float64(snapStartPerMB))
}

// timing scales what was measured to a processor limit.
func (p *Profile) timing(to limit) timing {
	from := limit{p.Share, lambdaPeriod}
	t := timing{slots: 1}
	for _, pl := range p.Payloads {
		t.weights += max(1, pl.Weight)
		pt := payloadTiming{upTo: t.weights}
		pt.service = measured("service here", rescale(pl.Service, pl.CPU, from, to, p.factor()))
		pt.first = pt.service
		if len(pl.Young) > 0 {
			pt.upToAge = youngest
			pt.young = measured("service here, in a young environment", rescale(pl.Young, pl.YoungCPU, from, to, p.factor()))
		}
		if len(pl.First) > 0 {
			pt.first = measured("first service here", rescale(pl.First, pl.CPU, from, to, p.factor()))
		}
		pt.cpu = processorShare(pl)
		t.payloads = append(t.payloads, pt)
	}
	return t
}

// init scales measured init durations to a processor limit.
func (p *Profile) init(to limit, factor float64) dist {
	return measured("init here", rescale(p.Init, p.InitCPU, limit{p.InitShare, lambdaPeriod}, to, factor))
}

func (p *Profile) billing(f workloads.Function) billing {
	return billing{
		memoryGB:     float64(f.MemoryMB) / 1024,
		requestBytes: float64(p.RequestBytes), responseBytes: float64(p.ResponseBytes),
	}
}

// processorShare is the share of a payload's service time that is processor
// time, 0..1.
func processorShare(pl Payload) float64 {
	if len(pl.CPU) == 0 {
		return 1
	}
	return math.Min(1, float64(meanOf(pl.CPU))/math.Max(1, float64(meanOf(pl.Service))))
}
