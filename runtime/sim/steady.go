package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"coldstorm/results"
	"coldstorm/workloads"
)

// Defaults of Config.Cap.
const (
	steadyCap = 200_000
	curveCap  = 50_000
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
	n := c.invocations()
	warmUp := n / 5
	b := newBook(&mo.billing)
	b.stream, b.skip = true, warmUp
	b.from = int64(float64(warmUp) / c.Steady * 1e9)
	m := newMachine(mo.plane(), mo.timing, c.Seed, b)
	m.triggers = make([]trigger, 0, warmUp+n)
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
	if b.snapshot && !b.free {
		u.SnapshotCacheGBSeconds = b.memoryGB * month.Seconds()
	}
}

// invocations is how many triggers of a stream are counted.
func (c *Config) invocations() int {
	switch c.Model {
	case workloads.ModelLambda, workloads.ModelLambdaProvisioned, workloads.ModelLambdaSnapStart:
		return c.Cap
	}
	return max(100, min(c.Cap, int(c.Steady*longestStream.Seconds())))
}

// settled is the number of environments that Lambda keeps at a steady rate: the
// most that were busy at once within the last keep-alive. The number of busy
// ones is Poisson (M/G/infinity) with mean a, and takes about keep-alive/service
// independent values in that time. Environments that turn out not to be needed
// expire; where too few are there, cold starts add them.
func (c *Config) settled() int {
	t := c.Profile.timing(limit{float64(c.Function.MemoryMB) / mbPerVCPU, lambdaPeriod})
	if t.weights == 0 || c.Function.KeepAlive == 0 {
		return 0
	}
	s := t.meanService() / 1e9
	a := c.Steady * s
	if a < 1 {
		return 0 // few enough to settle in the warm-up
	}
	keep := c.Function.KeepAlive.Seconds()
	if keep < 0 {
		keep = 3600
	}
	z := math.Sqrt(2 * math.Log(max(keep/s, math.E)))
	most := 1000
	if c.Function.Concurrency > 0 {
		most = c.Function.Concurrency
	}
	return min(int(math.Ceil(a+z*math.Sqrt(a))), most)
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
