package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"coldstorm/runtime/image"
	"coldstorm/runtime/launch"
)

const (
	leakBursts = 10 // of starts, after one that warms both processes
	leakAtOnce = 16
	leakPool   = 16
)

// benchLeak makes ten bursts of starts, every other one of a launcher that keeps a pool,
// and prints what both processes and the kernel hold before and after.
func benchLeak(ctx context.Context, o benchOptions) (benchTable, error) {
	var t benchTable
	dir, err := os.MkdirTemp("", "coldstorm-bench-")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(dir)
	fn, err := writeFunction(filepath.Join(dir, "fn"), launch.FirstProgram())
	if err != nil {
		return t, err
	}
	img, err := image.Open(fn, filepath.Join(dir, "store"))
	if err != nil {
		return t, err
	}
	spec := launch.Spec{Image: img, MemoryBytes: 128 << 20, CPUs: 1, Pids: 64}
	for _, own := range []struct {
		mode string
		pool int
	}{{launch.ModeCold, 0}, {launch.ModePooled, leakPool}} {
		if err := leak(ctx, &t, own.mode, own.pool, spec, o.burst); err != nil {
			return t, fmt.Errorf("%s: %w", own.mode, err)
		}
	}
	t.Notes = []string{
		fmt.Sprintf("before: after a first burst of %s starts, which warms both processes; after: after %s more, %d at once", thousands(o.burst), thousands(leakBursts/2*o.burst), leakAtOnce),
		"launcher: the process that launches; client: this one. Descriptors, namespaces and cgroups are counted once what ended is removed; namespaces are those that descriptors hold or threads are in",
		"heap: what is reachable after a collection; resident memory is what Go's runtime has not given back as yet, and has a ceiling rather than a slope",
		"memory not free: of the whole machine, page cache left out; whatever else runs on it is in there",
	}
	return t, nil
}

// leak adds the rows of one launcher.
func leak(ctx context.Context, t *benchTable, mode string, pool int, spec launch.Spec, burst int) error {
	l, err := launch.Start(launch.Config{Pool: pool})
	if err != nil {
		return err
	}
	defer l.Close()
	start := ownStart(l, spec, mode)
	look := func() (launch.Footprint, memory, error) {
		if err := l.Fill(spec); err != nil {
			return launch.Footprint{}, memory{}, err
		}
		quiet()
		f, err := l.Footprint()
		return f, readMemory(), err
	}
	if _, _, err := startMany(ctx, leakAtOnce, burst, start); err != nil {
		return err
	}
	before, memBefore, err := look()
	if err != nil {
		return err
	}
	starts := leakBursts / 2 * burst
	if _, _, err := startMany(ctx, leakAtOnce, starts, start); err != nil {
		return err
	}
	after, memAfter, err := look()
	if err != nil {
		return err
	}
	add := func(name, unit string, before, after float64) {
		each := benchFigure{Name: "a start", Unit: unit, Value: (after - before) / float64(starts)}
		if unit == "" {
			each.Unit = unitRatio
		}
		t.Rows = append(t.Rows, benchRow{Contender: mode + ": " + name, Figures: []benchFigure{
			{Name: "before", Unit: unit, Value: before}, {Name: "after " + strconv.Itoa(starts), Unit: unit, Value: after}, each,
		}})
	}
	counted := true
	count := func(name string, before, after int) {
		counted = counted && after <= before
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
	add("network namespaces of the machine, at most", "", float64(memBefore.networks), float64(memAfter.networks))
	add("memory not free", unitBytes, memBefore.used(), memAfter.used())
	add("kernel's slabs", unitBytes, memBefore.of("Slab"), memAfter.of("Slab"))
	add("kernel's memory per processor", unitBytes, memBefore.of("Percpu"), memAfter.of("Percpu"))
	got := "none"
	if !counted {
		got = "see above"
	}
	t.Goals = append(t.Goals,
		benchGoal{What: mode + ": descriptors, mounts, namespaces, processes and cgroups left by " + thousands(starts) + " starts", Want: "none", Got: got, Met: counted},
		heapLeft(mode+": heap of the client that a start leaves", before.Client.Heap, after.Client.Heap, starts),
		heapLeft(mode+": heap of the launcher that a start leaves", before.Daemon.Heap, after.Daemon.Heap, starts),
	)
	return nil
}

// heapLeft allows what a Go process keeps for its peak of goroutines and buffers.
func heapLeft(what string, before, after int64, starts int) benchGoal {
	return atMost(what+", in bytes", 16, float64(after-before)/float64(starts))
}
