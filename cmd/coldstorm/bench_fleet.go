package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/storm"
	"coldstorm/results"
	"coldstorm/runtime/engine"
	"coldstorm/runtime/image"
	"coldstorm/runtime/live/fleet"
	"coldstorm/workloads"
)

// The live fleet: so many containers on so many emulated nodes, of which one is killed
// under a storm.
const (
	fleetUnits  = 200
	fleetNodes  = 8
	fleetRate   = 100.0 // requests a second
	fleetStorm  = 12 * time.Second
	fleetKilled = 2 * time.Second // from the storm's start
	fleetMemory = 512 << 20       // of a node
)

// benchFleet kills a node of a fleet under a storm, and says when that was noticed, when
// as many containers were ready as before, and what became of every request.
func benchFleet(ctx context.Context, o benchOptions) (benchTable, error) {
	var t benchTable
	dir, remove, err := workFolder()
	if err != nil {
		return t, err
	}
	defer remove()
	fn, err := unpack("hello", dir)
	if err != nil {
		return t, err
	}
	img, err := image.Open(fn, filepath.Join(dir, "store"))
	if err != nil {
		return t, err
	}
	rounds := max(3, o.rounds/20)
	accounted, back := 0, 0
	for i := range rounds {
		r, err := killedFleet(ctx, img)
		if err != nil {
			return t, fmt.Errorf("round %d: %w", i+1, err)
		}
		t.Rows = append(t.Rows, benchRow{Contender: fmt.Sprintf("round %d", i+1), Figures: r.figures()})
		if r.accounted() {
			accounted++
		}
		if r.loss.Back > 0 {
			back++
		}
	}
	t.Goals = []benchGoal{
		{What: "rounds in which every request has one outcome, the same to its sender and to the load balancer", Want: fmt.Sprint(rounds), Got: fmt.Sprint(accounted), Met: accounted == rounds},
		{What: "rounds in which capacity came back by the scaler's own rules before the storm's end", Want: fmt.Sprint(rounds), Got: fmt.Sprint(back), Met: back == rounds},
	}
	t.Notes = []string{
		fmt.Sprintf("%d containers of the bundled hello on %d nodes, each %.2g of this machine's processors and %d MB; ECS's rules (spread, capacity provider, round robin), their clock %d times as fast", fleetUnits, fleetNodes, nodeShare(), fleetMemory>>20, liveSpeed),
		fmt.Sprintf("%g requests a second for %v, a node killed after %v; noticed by two health checks of 30 s, %v here", fleetRate, fleetStorm, fleetKilled, 2*30*time.Second/liveSpeed),
		"stood: until all containers were ready at first; lost and served: from the kill to capacity's return; a node's boot and an image's pull take what they take here",
	}
	return t, nil
}

// nodeShare is a node's part of this machine's processors.
func nodeShare() float64 { return float64(describeHost().Cores) / fleetNodes }

// fleetRound is what one kill came to.
type fleetRound struct {
	stood   time.Duration
	loss    fleet.Loss
	census  engine.Census
	offered int
	served  int64
	failed  int64
}

func (r *fleetRound) accounted() bool {
	c := r.census
	return c.InFlight == 0 && c.Offered == r.offered && int64(c.Served) == r.served && int64(c.Failed+c.Throttled+c.TimedOut) == r.failed
}

func (r *fleetRound) figures() []benchFigure {
	since := func(at results.Stamp) time.Duration {
		if at == 0 {
			return 0
		}
		return at.Sub(r.loss.Killed)
	}
	return []benchFigure{
		duration("stood", r.stood), duration("noticed", since(r.loss.Noticed)), duration("capacity back", since(r.loss.Back)),
		{Name: "containers lost", Value: float64(r.loss.Units)},
		{Name: "requests lost", Value: float64(r.loss.Lost)},
		{Name: "served meanwhile", Value: float64(r.loss.Served)},
		{Name: "offered in all", Value: float64(r.offered)},
		{Name: "served in all", Value: float64(r.served)},
	}
}

func killedFleet(ctx context.Context, img image.Image) (r fleetRound, err error) {
	eng, err := engine.Start(ctx, engine.Config{})
	if err != nil {
		return r, err
	}
	defer eng.Close()
	at := time.Now()
	err = eng.Deploy(engine.Function{Name: "hello", Image: img, MemoryMB: workloads.MinMemoryMB, Timeout: 30 * time.Second, Init: time.Minute, Containers: &engine.Containers{
		Speed: liveSpeed, Serve: fleet.ServeRuntime, Node: fleet.Size{CPUs: nodeShare(), MemoryBytes: fleetMemory},
		Rules: fleet.Rules{Min: fleetUnits, PerNode: fleetUnits / fleetNodes, Place: fleet.PlaceSpread, Nodes: fleet.NodesCapacityProvider, RoundRobin: true},
	}})
	if err != nil {
		return r, err
	}
	r.stood = time.Since(at)
	schedule, err := storm.Of(workloads.Storm{Name: "fleet", Shape: workloads.ShapeConstant, Rate: fleetRate, For: fleetStorm}, 1)
	if err != nil {
		return r, err
	}
	r.offered = schedule.Len()
	killed := make(chan error, 1)
	defer time.AfterFunc(fleetKilled, func() { killed <- eng.KillNode(0) }).Stop()
	attack := drive.Attack{
		URL: eng.BalancerURL("hello"), Payloads: []drive.Payload{{Name: "hello", Body: []byte(`{"name":"bench"}`)}},
		Schedule: schedule, Series: "fleet", Timeout: time.Minute,
	}
	var served, failed atomic.Int64
	if _, err := attack.Fire(ctx, func(x results.Sample) {
		if x.Outcome == results.OutcomeServed {
			served.Add(1)
		} else {
			failed.Add(1)
		}
	}); err != nil {
		return r, err
	}
	if ctx.Err() != nil {
		return r, context.Cause(ctx)
	}
	if err := <-killed; err != nil {
		return r, err
	}
	r.served, r.failed = served.Load(), failed.Load()
	if r.census, err = censusOf(ctx, eng); err == nil && len(r.census.Losses) > 0 {
		r.loss = r.census.Losses[0]
	}
	return r, err
}

// censusOf is the engine's count of now.
func censusOf(ctx context.Context, eng *engine.Engine) (engine.Census, error) {
	got := make(chan engine.Census, 1)
	stop, err := eng.Watch(time.Hour, func(c engine.Census) {
		select {
		case got <- c:
		default:
		}
	})
	if err != nil {
		return engine.Census{}, err
	}
	defer stop()
	select {
	case c := <-got:
		return c, nil
	case <-ctx.Done():
		return engine.Census{}, context.Cause(ctx)
	}
}
