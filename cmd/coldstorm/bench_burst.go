package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/report/stats"
	"coldstorm/runtime/launch"
)

// burstConcurrencies are how many starts are under way at once.
var burstConcurrencies = []int{1, 2, 4, 8, 16, 32, 64}

// burstPool is how many sandboxes a pool holds before a burst, and is to hold again after
// it: the whole burst, if the launcher may open the three files that each takes.
func burstPool(burst int) int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return min(burst, 64)
	}
	return max(1, min(burst, (int(limit.Max)-200)/4))
}

// What is tried of OCI runtimes is less, for the time that they take.
const (
	crunShare = 8  // of a burst's starts, one in so many
	runcShare = 20 // likewise
)

// A burster starts the probe program many times at once.
type burster struct {
	name  string
	share int // of a burst's starts, one in so many

	// start starts the probe as its i-th and ends it. It returns the time to its first
	// instruction, and whether that start was of another mode than was wanted.
	start  func(ctx context.Context, i int) (first time.Duration, other bool, err error)
	ready  func() error // what a burst wants ready; nil for nothing
	settle func() error // waits until what ended is removed; nil where starts do

	// open makes what the other functions need, and close removes it: what one contender
	// keeps ready slows the kernel for all. nil where there is nothing.
	open  func() error
	close func() error

	at map[int]*burstRuns // by concurrency
}

// burstRuns are the bursts of one contender at one concurrency.
type burstRuns struct {
	n      int
	other  int
	rates  []float64       // a round: until all had ended
	again  []float64       // a round: until what was ready before was ready again; none without a pool
	all    []time.Duration // of all rounds
	halves []float64       // a round: p99 of its second half to that of its first
	drains []time.Duration // a round: until the kernel had destroyed its network namespaces
}

// benchBurst compares how many starts a second are sustained: from the first ask of a
// burst until its last sandbox has ended, and until what was ready before is ready again.
func benchBurst(ctx context.Context, o benchOptions) (benchTable, error) {
	var t benchTable
	dir, remove, err := workFolder()
	if err != nil {
		return t, err
	}
	defer remove()
	bursters, closers, missing, err := burstContenders(dir, burstPool(o.burst))
	defer func() {
		for _, c := range closers {
			c()
		}
	}()
	if err != nil {
		return t, err
	}
	t.Missing = missing
	rounds := max(1, o.rounds/20)
	for range rounds {
		if err := burstRound(ctx, bursters, o.burst); err != nil {
			return t, err
		}
	}
	for _, b := range bursters {
		for _, c := range burstConcurrencies {
			t.Rows = append(t.Rows, b.row(c))
		}
	}
	t.Goals = burstGoals(bursters)
	t.Notes = []string{
		fmt.Sprintf("n is the starts of each row, in %d bursts: %d in each of coldstorm's, %d in crun's, %d in runc's; each burst of a contender at a concurrency is one block, and the blocks of a round are in random order", rounds, o.burst, max(1, o.burst/crunShare), max(1, o.burst/runcShare)),
		"a second: the median of the bursts' rates, from the first ask until the last sandbox of the burst has ended and its cgroups are removed; with refill: until besides as many are ready again as were before it; a start's place is taken by the next once its sandbox has ended",
		"p50 and p99 are from the ask to the first instruction; 2nd/1st half: p99 of a burst's second half to that of its first, median of the bursts; ready: starts that found a sandbox ready",
		"drain: how long after that the kernel was still destroying network namespaces, median of the bursts; the next burst begins afterwards",
		fmt.Sprintf("nothing of another contender's is there during a burst: launchers of coldstorm's are started before each and closed after it; pooled: %s were ready before; the launcher makes more once nothing is launched for 2 to 7 ms (its timers may be 5 ms late)", thousands(burstPool(o.burst))),
		"crun and runc include their command's start and its delete; they are isolated as coldstorm's sandbox is (see bench launch)",
	}
	return t, nil
}

// burstRound runs every contender's burst at every concurrency once, in random order.
func burstRound(ctx context.Context, all []*burster, burst int) error {
	for _, k := range rand.Perm(len(all) * len(burstConcurrencies)) {
		b, c := all[k/len(burstConcurrencies)], burstConcurrencies[k%len(burstConcurrencies)]
		if err := b.block(ctx, c, max(1, burst/b.share)); err != nil {
			return fmt.Errorf("%s at %d: %w", b.name, c, err)
		}
	}
	return nil
}

// block is one burst with what it needs before and leaves behind.
func (b *burster) block(ctx context.Context, c, n int) (err error) {
	if b.open != nil {
		if err := b.open(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, b.close()) }()
	}
	if _, _, err := b.start(ctx, -1); err != nil { // the first makes what all others share
		return err
	}
	if b.ready != nil {
		if err := b.ready(); err != nil {
			return err
		}
	}
	quiet()
	return b.burst(ctx, c, n)
}

// quiet waits until what a burst left to the kernel is done, and then until nothing but
// this process runs, for a fifth of a second at most: it is no part of what comes next.
func quiet() {
	drain()
	limit := time.Now().Add(200 * time.Millisecond)
	for calm := 0; calm < 10 && time.Now().Before(limit); {
		time.Sleep(time.Millisecond)
		if calm++; running() > 1 {
			calm = 0
		}
	}
}

// burst starts n sandboxes, c at once.
func (b *burster) burst(ctx context.Context, c, n int) error {
	runs := b.at[c]
	if runs == nil {
		runs = &burstRuns{}
		b.at[c] = runs
	}
	began := time.Now()
	first, other, err := startMany(ctx, c, n, b.start)
	if err != nil {
		return err
	}
	if b.settle != nil {
		if err := b.settle(); err != nil {
			return err
		}
	}
	runs.rates = append(runs.rates, float64(n)/time.Since(began).Seconds())
	if b.ready != nil {
		if err := b.ready(); err != nil {
			return err
		}
		runs.again = append(runs.again, float64(n)/time.Since(began).Seconds())
	}
	drained := drain()
	runs.drains = append(runs.drains, drained)
	runs.n += n
	runs.other += other
	runs.all = append(runs.all, first...)
	a, z := stats.Quantile(slices.Sorted(slices.Values(first[:n/2])), 0.99), stats.Quantile(slices.Sorted(slices.Values(first[n/2:])), 0.99)
	if a > 0 {
		runs.halves = append(runs.halves, float64(z)/float64(a))
	}
	return nil
}

// startMany makes n starts, c at once, and returns what each took, in the order of asking,
// and how many were of another mode than was wanted.
func startMany(ctx context.Context, c, n int, start func(context.Context, int) (time.Duration, bool, error)) (first []time.Duration, other int, err error) {
	first = make([]time.Duration, n)
	var next, others atomic.Int64
	var all sync.WaitGroup
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	for range min(c, n) {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				d, odd, err := start(ctx, i)
				if err != nil {
					stop(fmt.Errorf("start %d: %w", i, err))
					return
				}
				if odd {
					others.Add(1)
				}
				first[i] = d
			}
		})
	}
	all.Wait()
	return first, int(others.Load()), context.Cause(ctx)
}

func (b *burster) row(c int) benchRow {
	runs := b.at[c]
	q := stats.Summarise(runs.all)
	ready := benchFigure{Name: "ready", Unit: unitPercent, None: b.ready == nil}
	if !ready.None {
		ready.Value = 100 * float64(runs.n-runs.other) / float64(runs.n)
	}
	halves := benchFigure{Name: "2nd/1st half", Unit: unitRatio, Value: middle(runs.halves)}
	halves.None = runs.n/max(1, len(runs.rates)) < burstHalfNeeds
	return benchRow{
		Contender: b.name + " at " + strconv.Itoa(c), Rates: runs.rates,
		Figures: []benchFigure{
			{Name: "n", Value: float64(runs.n)},
			{Name: "a second", Unit: unitSecond, Value: middle(runs.rates)},
			{Name: "with refill", Unit: unitSecond, Value: middle(runs.again), None: len(runs.again) == 0},
			duration("p50", q.P50), duration("p99", q.P99), halves, ready,
			duration("drain", stats.Summarise(runs.drains).P50),
		},
	}
}

// burstHalfNeeds is how many starts a burst must have for the p99 of half of it to be
// more than its maximum.
const burstHalfNeeds = 400

// best is the contender's highest rate of a kind, and at which concurrency.
func (b *burster) best(rates func(*burstRuns) []float64) (rate float64, at int) {
	for _, c := range burstConcurrencies {
		if r := middle(rates(b.at[c])); r > rate {
			rate, at = r, c
		}
	}
	return rate, at
}

func whileRunning(r *burstRuns) []float64 { return r.rates }
func withRefill(r *burstRuns) []float64   { return r.again }

func middle(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(list))[len(list)/2]
}

// Names of the contenders that goals speak of.
const (
	burstCold   = "coldstorm, cold"
	burstPooled = "coldstorm, pooled"
	burstLean   = "coldstorm, lean pooled"
)

func burstGoals(all []*burster) (goals []benchGoal) {
	find := func(name string) *burster {
		for _, b := range all {
			if b.name == name {
				return b
			}
		}
		return nil
	}
	for _, g := range []struct {
		name, than string
		want       float64
	}{{burstCold, "crun", 4}, {burstCold, "runc", 20}, {burstPooled, burstCold, 1.3}, {burstLean, burstCold, 2}} {
		b, than := find(g.name), find(g.than)
		if than == nil { // not installed
			continue
		}
		base, baseAt := than.best(whileRunning)
		for _, kind := range []struct {
			name  string
			rates func(*burstRuns) []float64
		}{{"", whileRunning}, {", with refill", withRefill}} {
			if rate, at := b.best(kind.rates); rate > 0 {
				what := fmt.Sprintf("starts a second at the best concurrency, %s%s (%s at %d) to %s (%s at %d)",
					g.name, kind.name, thousands(int(rate)), at, g.than, thousands(int(base)), baseAt)
				goals = append(goals, atLeast(what, g.want, rate/base))
			}
		}
	}
	for _, b := range all {
		worst, worstAt := 0.0, 0
		for _, c := range burstConcurrencies {
			if m := middle(b.at[c].halves); b.share == 1 && b.at[c].n/len(b.at[c].rates) >= burstHalfNeeds && m > worst {
				worst, worstAt = m, c
			}
		}
		if worst > 0 {
			goals = append(goals, atMost(fmt.Sprintf("p99 of the second half to the first, %s, at its worst concurrency (%d)", b.name, worstAt), 1.5, worst))
		}
	}
	return goals
}

func burstContenders(dir string, pool int) (all []*burster, closers []func(), missing []string, err error) {
	_, img, err := probe(dir, launch.FirstProgram())
	if err != nil {
		return nil, nil, nil, err
	}
	spec := probeSpec(img)
	for _, own := range []struct {
		name   string
		config launch.Config
	}{
		{burstCold, launch.Config{}},
		{burstPooled, launch.Config{Pool: pool}},
		{burstLean, launch.Config{Pool: pool, Profile: launch.ProfileLean}},
	} {
		all = append(all, ownBurster(own.name, own.config, spec))
	}
	for _, peer := range []struct {
		name  string
		share int
	}{{"crun", crunShare}, {"runc", runcShare}} {
		s, unmount, why := ociStarter(peer.name, dir, spec)
		if why != "" {
			missing = append(missing, why)
			continue
		}
		closers = append(closers, unmount)
		b := &burster{name: peer.name, share: peer.share, at: map[int]*burstRuns{}}
		var names atomic.Int64
		b.start = func(ctx context.Context, _ int) (time.Duration, bool, error) {
			d, err := s.start(ctx, int(names.Add(1))) // a name is never used twice
			return d, false, err
		}
		all = append(all, b)
	}
	return all, closers, missing, nil
}

// ownBurster has a launcher of its own for every burst.
func ownBurster(name string, config launch.Config, spec launch.Spec) *burster {
	var l *launch.Launcher
	b := &burster{name: name, share: 1, at: map[int]*burstRuns{}}
	mode := launch.ModeCold
	if config.Pool > 0 {
		mode = launch.ModePooled
		b.ready = func() error { return l.Fill(spec) }
	}
	b.settle = func() error { return l.Settle() }
	b.open = func() (err error) {
		if l, err = launch.Start(config); err == nil {
			b.start = ownStart(l, spec, mode)
		}
		return err
	}
	b.close = func() error { return l.Close() }
	return b
}

// ownStart starts the probe in a sandbox and ends it.
func ownStart(l *launch.Launcher, spec launch.Spec, mode string) func(context.Context, int) (time.Duration, bool, error) {
	return func(ctx context.Context, i int) (time.Duration, bool, error) {
		mine := spec
		mine.ID = "bench-" + strconv.Itoa(i)
		stamps, first, got, err := l.First(ctx, mine)
		return first.Sub(stamps.Ask), got != mode, err
	}
}
