package main

import (
	"context"
	"fmt"
	"strconv"

	"coldstorm/runtime/launch"
)

const (
	leakBursts = 5 // of a launcher's starts, after one that warms both processes
	leakAtOnce = 16
	leakPool   = 16
)

// benchLeak makes bursts of starts, first of a launcher that has nothing ready, then of one
// that keeps a pool: one burst of each to warm both processes, then five, and prints what
// these and the kernel hold before and after the five.
func benchLeak(ctx context.Context, o benchOptions) (benchTable, error) {
	var t benchTable
	spec, remove, err := probeAlone()
	if err != nil {
		return t, err
	}
	defer remove()
	for _, own := range []struct {
		mode string
		pool int
	}{{launch.ModeCold, 0}, {launch.ModePooled, leakPool}} {
		if err := leak(ctx, &t, own.mode, own.pool, spec, o.burst); err != nil {
			return t, fmt.Errorf("%s: %w", own.mode, err)
		}
	}
	t.Notes = []string{
		fmt.Sprintf("before: after a first burst of %s starts, which warms both processes; after: after %s more, %d at once", thousands(o.burst), thousands(leakBursts*o.burst), leakAtOnce),
		"launcher: the process that launches; client: this one. Descriptors, namespaces and cgroups are counted once what ended is removed; namespaces are those that descriptors hold or threads are in",
		"networks kept to be used again: each a descriptor and a namespace of the launcher's, counted here alone; as many as lived at once beyond those that are ready, up to a bound",
		"heap: what is reachable after a collection; resident memory is what Go's runtime has not given back as yet, and has a ceiling rather than a slope",
		"memory not free: of the whole machine, page cache left out; whatever else runs on it is in there",
	}
	return t, nil
}

// held is what both processes and the kernel hold at one moment.
type held struct {
	launch.Footprint
	memory memory
}

// leak adds the rows of one launcher.
func leak(ctx context.Context, t *benchTable, mode string, pool int, spec launch.Spec, burst int) error {
	l, err := launch.Start(launch.Config{Pool: pool})
	if err != nil {
		return err
	}
	defer l.Close()
	var seen [2]held // before and after
	for i, n := range []int{burst, leakBursts * burst} {
		if _, _, err := startMany(ctx, leakAtOnce, n, ownStart(l, spec, mode)); err != nil {
			return err
		}
		if err := l.Fill(spec); err != nil {
			return err
		}
		quiet()
		if seen[i].Footprint, err = l.Footprint(); err != nil {
			return err
		}
		seen[i].memory = readMemory()
	}
	leakRows(t, mode, leakBursts*burst, seen[0], seen[1])
	return nil
}

// leakRows adds what was held before and after so many starts, and goals on what is left.
func leakRows(t *benchTable, mode string, starts int, before, after held) {
	add := func(name, unit string, before, after float64) {
		each := benchFigure{Name: "a start", Unit: unit, Value: (after - before) / float64(starts)}
		if unit == "" {
			each.Unit = unitRatio
		}
		t.Rows = append(t.Rows, benchRow{Contender: mode + ": " + name, Figures: []benchFigure{
			{Name: "before", Unit: unit, Value: before}, {Name: "after " + strconv.Itoa(starts), Unit: unit, Value: after}, each,
		}})
	}
	left := "none"
	count := func(name string, before, after int) {
		if after > before {
			left = "see above"
		}
		add(name, "", float64(before), float64(after))
	}
	for _, p := range []struct {
		name          string
		before, after launch.Held
	}{{"client", before.Client, after.Client}, {"launcher", before.Daemon, after.Daemon}} {
		count(p.name+", descriptors", p.before.Descriptors, p.after.Descriptors)
		count(p.name+", mounts", p.before.Mounts, p.after.Mounts)
		count(p.name+", namespaces", p.before.Namespaces, p.after.Namespaces)
		add(p.name+", threads", "", float64(p.before.Threads), float64(p.after.Threads))
		add(p.name+", heap", unitBytes, float64(p.before.Heap), float64(p.after.Heap))
		add(p.name+", resident", unitBytes, float64(p.before.Resident), float64(p.after.Resident))
	}
	count("processes of sandboxes", before.Processes, after.Processes)
	count("cgroups of sandboxes", before.Cgroups, after.Cgroups)
	add("networks kept to be used again", "", float64(before.Spares), float64(after.Spares))
	add("network namespaces of the machine, at most", "", float64(before.memory.networks), float64(after.memory.networks))
	add("memory not free", unitBytes, before.memory.used(), after.memory.used())
	add("kernel's slabs", unitBytes, before.memory.of("Slab"), after.memory.of("Slab"))
	add("kernel's memory per processor", unitBytes, before.memory.of("Percpu"), after.memory.of("Percpu"))
	t.Goals = append(t.Goals,
		benchGoal{What: mode + ": descriptors, mounts, namespaces, processes and cgroups left by " + thousands(starts) + " starts", Want: "none", Got: left, Met: left == "none"},
		heapLeft(mode+": heap of the client that a start leaves", before.Client.Heap, after.Client.Heap, starts),
		heapLeft(mode+": heap of the launcher that a start leaves", before.Daemon.Heap, after.Daemon.Heap, starts),
	)
}

// heapLeft allows what a Go process keeps for its peak of goroutines and buffers.
func heapLeft(what string, before, after int64, starts int) benchGoal {
	return atMost(what+", in bytes", 16, float64(after-before)/float64(starts))
}
