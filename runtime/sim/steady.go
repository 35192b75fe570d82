package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
	"coldstorm/workloads"
)

// Defaults of Config.Cap.
const (
	steadyCap = 100_000
	curveCap  = 25_000
)

// longestStream bounds the virtual time of a stream on a fleet: a week, in which
// its scaler looks 40,000 times. Lambda needs no bound, as it does nothing
// between triggers.
const longestStream = 7 * 24 * time.Hour

// Steady simulates a Poisson stream at c.Steady triggers a second, once the
// model has settled: latencies, counts, and the usage of a month of 730 hours
// at that rate. Counts are those of the simulated part, see Config.Cap.
func Steady(c Config) (Outcome, error) {
	if c.Cap == 0 {
		c.Cap = steadyCap
	}
	if c.Steady <= 0 || math.IsInf(c.Steady, 0) || math.IsNaN(c.Steady) {
		return Outcome{}, fmt.Errorf("simulate %s: a steady rate of %v a second", c.Model, c.Steady)
	}
	c.Warm = c.settled()
	mo, err := compose(c)
	if err != nil {
		return Outcome{}, err
	}
	n, warmUp := c.invocations(mo.timing.meanService() / 1e9)
	b := newBook(&mo.billing)
	b.stream, b.skip = true, warmUp
	b.from = int64(float64(warmUp) / c.Steady * 1e9)
	m := newMachine(mo.plane(), mo.timing, c.Seed, b)
	stream := &poisson{rng: rand.New(rand.NewPCG(uint64(c.Seed), 1)), mean: 1e9 / c.Steady, n: warmUp + n}
	if err := m.run(stream, 0); err != nil {
		return Outcome{}, fmt.Errorf("simulate %s at %v/s: %w", c.Model, c.Steady, err)
	}
	span := time.Duration(max(b.end-b.from, 1))
	o := m.outcome(mo, c, span)
	byTime := month.Seconds() / span.Seconds()
	byRequest := c.Steady * month.Seconds() / float64(o.Counts.Offered)
	o.Usage = monthly(o.Usage, byRequest, byTime)
	b.bill.monthly(&o.Usage)
	o.Recover = 0
	return o, nil
}

// monthly sets what is not in proportion to time in a month's usage.
func (b *billing) monthly(u *results.Usage) {
	u.ProvisionedGBSeconds = float64(b.reserved) * b.memoryGB * month.Seconds()
	if !b.free {
		u.SnapshotCacheGBSeconds = float64(b.snapshots) * b.memoryGB * month.Seconds()
	}
}

// invocations is how many triggers of a stream are counted, and how many come
// before. Where that many pass within ten service times (seconds), it is more, up
// to ten times as many: the stream has to last until what came first is done.
func (c *Config) invocations(service float64) (n, warmUp int) {
	n = c.Cap
	switch c.Model {
	case workloads.ModelLambda, workloads.ModelLambdaProvisioned, workloads.ModelLambdaSnapStart:
	default:
		n = max(100, min(n, int(c.Steady*longestStream.Seconds())))
	}
	busy := c.Steady * service
	n = max(n, int(math.Min(10*busy, 10*float64(c.Cap))))
	return n, max(n/5, int(math.Min(3*busy, float64(n))))
}

// settled is the number of environments that Lambda keeps at a steady rate: the
// most that were busy at once within the last keep-alive. The number of busy
// ones is Poisson (M/G/infinity), and takes about keep-alive/service independent
// values in that time: the smallest number that less than one of them exceeds.
// Environments that turn out not to be needed expire; where too few are there,
// cold starts add them.
func (c *Config) settled() int {
	t := c.Profile.timing(limit{float64(c.Function.MemoryMB) / workloads.MBPerVCPU, lambdaPeriod})
	if t.weights == 0 || c.Function.KeepAlive == 0 {
		return 0
	}
	keep := c.Function.KeepAlive.Seconds()
	if keep < 0 {
		keep = 3600
	}
	most := plane.DefaultConcurrency
	if c.Function.Concurrency > 0 {
		most = c.Function.Concurrency
	}
	s := t.meanService() / 1e9
	return min(exceeded(c.Steady*s, min(1, s/keep)), most)
}

// exceeded is the smallest k that a Poisson number of mean a exceeds with a
// probability of at most p; for a large mean by the normal approximation.
func exceeded(a, p float64) int {
	if a > 100 {
		return int(math.Ceil(a + math.Sqrt(2*math.Log(1/p)*a)))
	}
	term := math.Exp(-a)
	above := 1 - term
	for k := 0; ; k++ {
		if above <= p || term == 0 {
			return k
		}
		term *= a / float64(k+1)
		above -= term
	}
}

// Point is a model at one rate: the usage of a month, to be priced.
type Point struct {
	Rate    float64
	P99     time.Duration // of every served trigger; 0 if too few were simulated
	Units   float64       // mean
	Refused float64       // share of triggers that were not served, 0..1
	Usage   results.Usage
}

// Curve is Steady at each of rates (triggers a second), a fleet sized anew at
// each.
func Curve(c Config, rates []float64) ([]Point, error) {
	if c.Cap == 0 {
		c.Cap = curveCap
	}
	points := make([]Point, 0, len(rates))
	for _, r := range rates {
		c.Steady = r
		o, err := Steady(c)
		if err != nil {
			return nil, err
		}
		points = append(points, Point{Rate: r, P99: o.All.P99, Units: o.Mean, Refused: o.Refused(), Usage: o.Usage})
	}
	return points, nil
}
