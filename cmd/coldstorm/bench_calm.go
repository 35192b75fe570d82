package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"coldstorm/report/stats"
	"coldstorm/results"
	"coldstorm/runtime/launch"
)

const (
	calmNap    = time.Millisecond
	calmAtOnce = 16
	calmGoal   = 2 * time.Millisecond // of oversleep, at p99

	heapStarts = 20  // of each heap, a round
	heapGoal   = 1.1 // of the medians
)

// heapSizes are what the client touched of memory on its heap.
var heapSizes = []int64{0, 512 << 20, 2 << 30}

// benchCalm says how late a goroutine of the generator's process wakes while a burst is
// launched, and whether launches slow down with what that process has on its heap.
func benchCalm(ctx context.Context, o benchOptions) (benchTable, error) {
	var t benchTable
	spec, remove, err := probeAlone()
	if err != nil {
		return t, err
	}
	defer remove()
	l, err := launch.Start(launch.Config{Pool: burstPool(o.burst)})
	if err != nil {
		return t, err
	}
	defer l.Close()
	if err := calmNaps(ctx, &t, l, spec, o); err != nil {
		return t, err
	}
	if err := calmHeap(ctx, &t, l, spec, o); err != nil {
		return t, err
	}
	t.Notes = []string{
		fmt.Sprintf("oversleep: how much later than after %s a goroutine wakes that sleeps so long, in the process that asks for the launches; generator, launcher and sandboxes share this machine's %d processors", span(calmNap), runtime.NumCPU()),
		fmt.Sprintf("with launches: while %s sandboxes are launched and ended, %d at once, of a launcher that had %s ready; in turn with as long a time without, in random order", thousands(o.burst), calmAtOnce, thousands(burstPool(o.burst))),
		"start: from the ask to the first instruction, of a sandbox that was ready, one at a time, by a client that has touched so much of its heap; heaps in random order in each round, the ratio is of the medians to that without",
	}
	return t, nil
}

// calmNaps adds how late a goroutine wakes, without launches beside it and with them.
func calmNaps(ctx context.Context, t *benchTable, l *launch.Launcher, spec launch.Spec, o benchOptions) error {
	start := ownStart(l, spec, launch.ModePooled)
	alone, beside := &contender{name: "oversleep, no launches"}, &contender{name: "oversleep, with launches"}
	length := time.Second
	for i := range max(1, o.rounds/20) {
		for _, k := range rand.Perm(2) {
			if err := l.Fill(spec); err != nil {
				return err
			}
			quiet()
			if k == 0 {
				for _, d := range naps(func() { time.Sleep(length) }) {
					alone.add(i, d)
				}
				continue
			}
			began := time.Now()
			var err error
			late := naps(func() { _, _, err = startMany(ctx, calmAtOnce, o.burst, start) })
			if err != nil {
				return err
			}
			length = time.Since(began)
			for _, d := range late {
				beside.add(i, d)
			}
		}
	}
	for _, c := range []*contender{alone, beside} {
		row := c.row()
		t.Rows = append(t.Rows, benchRow{Contender: c.name, Rounds: row.Rounds, Figures: []benchFigure{
			{Name: "n", Value: float64(row.Time.N)}, duration("p50", row.Time.P50), duration("p99", row.Time.P99), duration("max", row.Time.Max),
		}})
		if c == beside {
			t.Goals = append(t.Goals, benchGoal{
				What: "oversleep with launches at p99", Want: "at most " + span(calmGoal), Got: span(row.Time.P99), Met: row.Time.P99 > 0 && row.Time.P99 <= calmGoal,
			})
		}
	}
	return nil
}

// naps sleeps again and again until what has ended, and returns how late it woke.
func naps(what func()) (late []time.Duration) {
	over := make(chan struct{})
	var asleep sync.WaitGroup
	asleep.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
			}
			before := results.Now()
			time.Sleep(calmNap)
			late = append(late, max(1, results.Now().Sub(before)-calmNap))
		}
	})
	what()
	close(over)
	asleep.Wait()
	return late
}

// calmHeap adds the time of a start by the size of the client's heap.
func calmHeap(ctx context.Context, t *benchTable, l *launch.Launcher, spec launch.Spec, o benchOptions) error {
	defer debug.FreeOSMemory()
	start := ownStart(l, spec, launch.ModePooled)
	sizes := heapSizes
	for int64(readMemory().of("MemAvailable")) < 2*sizes[len(sizes)-1] {
		t.Missing = append(t.Missing, fmt.Sprintf("a heap of %s: this machine has not twice as much", size(sizes[len(sizes)-1])))
		sizes = sizes[:len(sizes)-1]
	}
	all := make([]contender, len(sizes))
	for i := range max(3, o.rounds/10) {
		for _, k := range rand.Perm(len(sizes)) {
			heap := touched(sizes[k])
			for range heapStarts {
				if err := l.Fill(spec); err != nil {
					return err
				}
				d, _, err := start(ctx, i)
				if err != nil {
					return err
				}
				all[k].add(i, d)
			}
			runtime.KeepAlive(heap)
			heap = nil
			debug.FreeOSMemory()
		}
	}
	var none time.Duration
	for k, s := range sizes {
		q := stats.Summarise(concat(all[k].rounds))
		if k == 0 {
			none = q.P50
		}
		ratio := float64(q.P50) / float64(none)
		t.Rows = append(t.Rows, benchRow{Contender: "start, heap of " + strconv.Itoa(int(s>>20)) + " MiB", Figures: []benchFigure{
			{Name: "n", Value: float64(q.N)}, duration("p50", q.P50), duration("p99", q.P99), {Name: "ratio", Unit: unitRatio, Value: ratio},
		}})
		if k > 0 {
			t.Goals = append(t.Goals, atMost(fmt.Sprintf("start with a heap of %d MiB to one without", s>>20), heapGoal, ratio))
		}
	}
	return nil
}

func concat(rounds [][]time.Duration) (all []time.Duration) {
	for _, r := range rounds {
		all = append(all, r...)
	}
	return all
}

// touched is a heap with a byte written on each page.
func touched(n int64) []byte {
	heap := make([]byte, n)
	for i := 0; i < len(heap); i += os.Getpagesize() {
		heap[i] = 1
	}
	return heap
}
