package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"coldstorm/runtime/launch"
)

const (
	frozenAtOnce = 8                      // starts under way at once
	frozenSettle = 500 * time.Millisecond // for what RCU frees by and by
	frozenGoal   = 1 << 20                // bytes of each environment, beyond what its program has
)

// benchFrozen keeps a burst's environments of a static program, idle and frozen, all at
// once, and says what each costs the machine, the kernel's memory included.
func benchFrozen(ctx context.Context, o benchOptions) (benchTable, error) {
	var t benchTable
	spec, remove, err := probeAlone()
	if err != nil {
		return t, err
	}
	defer remove()
	for _, p := range []struct {
		name    string
		profile launch.Profile
	}{{"full", launch.ProfileFull}, {"lean", launch.ProfileLean}} {
		if err := frozen(ctx, &t, p.name, p.profile, spec, o.burst); err != nil {
			return t, fmt.Errorf("%s: %w", p.name, err)
		}
	}
	t.Notes = []string{
		fmt.Sprintf("each figure is the whole machine's after %s starts less that before, divided by %s; the starts were cold, and the program is static, wrote one byte and waits, frozen", thousands(o.burst), thousands(o.burst)),
		"all: what is not free and not page cache; the parts are the kernel's own count of itself, and of the processes of coldstorm's; rest: what no part explains, whatever else the machine did meanwhile among it",
		"the program: anonymous memory and files of its own, by its memory cgroup; charged: all that its cgroup is charged with, which is a view of slabs, page tables, stacks and the program, and so no part",
		"back: what came free when all had ended",
	}
	return t, nil
}

// frozen adds the row of one profile.
func frozen(ctx context.Context, t *benchTable, name string, profile launch.Profile, spec launch.Spec, n int) error {
	l, err := launch.Start(launch.Config{Profile: profile})
	if err != nil {
		return err
	}
	defer l.Close()
	if _, _, err := startMany(ctx, frozenAtOnce, 50, ownStart(l, spec, launch.ModeCold)); err != nil { // the kernel's caches are warm
		return err
	}
	before, err := lookAt(l)
	if err != nil {
		return err
	}
	boxes, err := freezeMany(ctx, l, spec, n)
	defer func() {
		for _, b := range boxes {
			b.Close()
		}
	}()
	if err != nil {
		return err
	}
	after, err := lookAt(l)
	if err != nil {
		return err
	}
	if after.Sandboxes != n {
		return fmt.Errorf("%d of %d environments live", after.Sandboxes, n)
	}
	if err := stopMany(boxes); err != nil {
		return err
	}
	back, err := lookAt(l)
	if err == nil {
		frozenRow(t, name, n, before, after, back)
	}
	return err
}

// frozenRow adds what each of n environments cost: what was held before them, with all of
// them and when they had ended.
func frozenRow(t *benchTable, name string, n int, before, after, back held) {
	each := func(name string, before, after float64) benchFigure {
		return benchFigure{Name: name, Unit: unitBytes, Value: (after - before) / float64(n)}
	}
	all := each("all", before.memory.used(), after.memory.used())
	program := benchFigure{Name: "the program", Unit: unitBytes, Value: float64(after.Own) / float64(n)}
	row := []benchFigure{{Name: "n", Value: float64(n)}, all, program}
	beyond := all.Value - program.Value
	rest := beyond
	for _, p := range []struct{ name, key string }{
		{"slabs", "Slab"}, {"per processor", "Percpu"}, {"page tables", "PageTables"}, {"stacks", "KernelStack"}, {"vmalloc", "VmallocUsed"},
	} {
		f := each(p.name, before.memory.of(p.key), after.memory.of(p.key))
		row = append(row, f)
		if p.key != "VmallocUsed" { // kernel stacks are in there
			rest -= f.Value
		}
	}
	for _, p := range []struct {
		name          string
		before, after launch.Held
	}{{"launcher", before.Daemon, after.Daemon}, {"client", before.Client, after.Client}} {
		f := each(p.name, float64(p.before.Resident), float64(p.after.Resident))
		row = append(row, f)
		rest -= f.Value
	}
	row = append(row,
		benchFigure{Name: "rest", Unit: unitBytes, Value: rest},
		each("charged", 0, float64(after.Charged)),
		each("back", back.memory.used(), after.memory.used()))
	t.Rows = append(t.Rows, benchRow{Contender: name, Figures: row})
	t.Goals = append(t.Goals, benchGoal{
		What: name + ": memory of an environment beyond its program's own", Want: "at most " + kibibytes(frozenGoal), Got: kibibytes(beyond), Met: beyond <= frozenGoal,
	})
}

// lookAt looks once the machine has let go of what ended.
func lookAt(l *launch.Launcher) (held, error) {
	if err := l.Settle(); err != nil {
		return held{}, err
	}
	quiet()
	time.Sleep(frozenSettle)
	f, err := l.Footprint()
	return held{f, readMemory()}, err
}

// freezeMany starts n environments and freezes each once its program has written.
func freezeMany(ctx context.Context, l *launch.Launcher, spec launch.Spec, n int) ([]*launch.Sandbox, error) {
	var mu sync.Mutex
	var boxes []*launch.Sandbox
	_, _, err := startMany(ctx, frozenAtOnce, n, func(ctx context.Context, i int) (time.Duration, bool, error) {
		mine := spec
		mine.ID = "frozen-" + strconv.Itoa(i)
		b, err := l.Launch(ctx, mine)
		if err != nil {
			return 0, false, err
		}
		mu.Lock()
		boxes = append(boxes, b)
		mu.Unlock()
		if _, err := io.ReadFull(b.Stdout, make([]byte, 1)); err != nil {
			return 0, false, fmt.Errorf("first byte of %s: %w", mine.ID, err)
		}
		return 0, false, b.Freeze()
	})
	return boxes, err
}

// stopMany ends environments.
func stopMany(boxes []*launch.Sandbox) error {
	errs := make(chan error, len(boxes))
	for _, b := range boxes {
		go func() { errs <- b.Stop() }()
	}
	var first error
	for range boxes {
		if err := <-errs; first == nil {
			first = err
		}
	}
	return first
}
