package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/results"
	"coldstorm/runtime/image"
	"coldstorm/runtime/launch"
)

// starter starts the probe program once and returns the time to its first
// instruction.
type starter struct {
	contender
	start func(ctx context.Context, i int) (time.Duration, error)
	ready func() error // what its next start wants ready; nil for nothing
	other int          // starts of another mode than was wanted
	trace tracer       // of coldstorm's own
}

// benchLaunch compares ways to start a program. Each contender starts once a
// round, in random order, so that all see the same noise, and the same state of
// the kernel's RCU, which a version 1 cgroup attach waits for.
func benchLaunch(ctx context.Context, rounds int) (benchTable, error) {
	var t benchTable
	dir, remove, err := workFolder()
	if err != nil {
		return t, err
	}
	defer remove()
	starters, closers, missing, err := launchContenders(dir, launch.FirstProgram())
	defer func() {
		for _, c := range closers {
			c()
		}
	}()
	if err != nil {
		return t, err
	}
	t.Missing = missing
	for i := range rounds {
		for _, k := range rand.Perm(len(starters)) {
			if err := settle(starters); err != nil {
				return t, err
			}
			d, err := starters[k].start(ctx, i)
			if err != nil {
				return t, fmt.Errorf("%s: %w", starters[k].name, err)
			}
			starters[k].add(third(i, rounds), d)
		}
	}
	for _, s := range starters {
		t.Rows = append(t.Rows, s.row())
		if s.other > 0 {
			t.Notes = append(t.Notes, fmt.Sprintf("%s: %d of %d starts were of another mode", s.name, s.other, rounds))
		}
	}
	t.Notes = append(t.Notes,
		"the program is 200 bytes without a runtime whose first instructions write one byte; a ratio to runc or crun includes the start of their command",
		"cold is what is compared with runc and crun. They have the same namespaces, mounts, masks, limits, capabilities and filter, and a read-only overlay that is mounted before, as coldstorm's is; what differs: they make /dev and mount /sys in each container, where coldstorm's share one, join every cgroup hierarchy of the host, and keep a state folder",
		"pooled: namespaces, root, network (one that an ended sandbox of the image left, where there was) and cgroups were ready; parked: all but execve; lean: /proc shows processes alone, no /sys, no pts, no mqueue",
		"where the host has an empty version 2 hierarchy beside version 1 controllers, which crun refuses, it is hidden from all contenders",
	)
	return t, nil
}

// launchContenders are all that benchLaunch compares.
func launchContenders(dir string, program []byte) (all []*starter, closers []func(), missing []string, err error) {
	fn, img, err := probe(dir, program)
	if err != nil {
		return nil, nil, nil, err
	}
	if all, closers, err = ownContenders(img); err != nil {
		return all, closers, nil, err
	}
	all = append(all, &starter{contender: contender{name: "bare fork and exec"}, start: commandStart(func(int) *exec.Cmd {
		return exec.Command(filepath.Join(fn, "bootstrap"))
	}, nil)})
	for _, peer := range ociPeers {
		s, unmount, why := ociStarter(peer, dir, probeSpec(img))
		if why != "" {
			missing = append(missing, why)
			continue
		}
		all, closers = append(all, s), append(closers, unmount)
	}
	return all, closers, missing, nil
}

// probe makes a function of a program below dir, and its image.
func probe(dir string, program []byte) (fn string, img image.Image, err error) {
	if fn, err = writeFunction(filepath.Join(dir, "fn"), program); err == nil {
		img, err = image.Open(fn, filepath.Join(dir, "store"))
	}
	return fn, img, err
}

// probeSpec limits the probe as a small function is limited.
func probeSpec(img image.Image) launch.Spec {
	return launch.Spec{Image: img, MemoryBytes: 128 << 20, CPUs: 1, Pids: 64}
}

// probeAlone is the first program as a sandbox's in a folder of its own, which remove
// removes.
func probeAlone() (spec launch.Spec, remove func(), err error) {
	dir, remove, err := workFolder()
	if err != nil {
		return spec, nil, err
	}
	_, img, err := probe(dir, launch.FirstProgram())
	if err != nil {
		remove()
		return spec, nil, err
	}
	return probeSpec(img), remove, nil
}

// ownContenders are coldstorm's own launchers of an image, one for each mode and profile.
func ownContenders(img image.Image) (all []*starter, closers []func(), err error) {
	for _, own := range []struct {
		mode    string
		profile launch.Profile
	}{
		{launch.ModeCold, launch.ProfileFull},
		{launch.ModePooled, launch.ProfileFull},
		{launch.ModeParked, launch.ProfileFull},
		{launch.ModeCold, launch.ProfileLean},
		{launch.ModePooled, launch.ProfileLean},
	} {
		c := launch.Config{Profile: own.profile}
		if own.mode == launch.ModePooled {
			c.Pool = benchReady
		}
		l, err := launch.Start(c)
		if err != nil {
			return all, closers, err
		}
		closers = append(closers, func() { l.Close() })
		name := "coldstorm, "
		if own.profile != launch.ProfileFull {
			name += string(own.profile) + " "
		}
		s, spec := &starter{contender: contender{name: name + own.mode}}, probeSpec(img)
		s.start, s.ready, s.trace = s.own(l, spec, own.mode), prepare(l, spec, own.mode), trace(l, spec, own.mode)
		all = append(all, s)
	}
	return all, closers, nil
}

// benchReady is how many sandboxes are ready before each start of a contender that
// wants one.
const benchReady = 2

// prepare has sandboxes ready as mode says.
func prepare(l *launch.Launcher, spec launch.Spec, mode string) func() error {
	return func() error {
		switch mode {
		case launch.ModePooled:
			return l.Fill(spec)
		case launch.ModeParked:
			return l.Park(spec, benchReady)
		}
		return nil
	}
}

// settle waits until every contender has ready what it wants and nothing but this
// process runs, for a tenth of a second at most: what ends or is made ready after one
// start is no part of the next one's time.
func settle(all []*starter) error {
	for _, s := range all {
		if s.ready != nil {
			if err := s.ready(); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	limit := time.Now().Add(100 * time.Millisecond)
	for calm := 0; calm < 3 && time.Now().Before(limit); {
		time.Sleep(time.Millisecond)
		if calm++; running() > 1 {
			calm = 0
		}
	}
	return nil
}

// running counts the tasks that run or could (proc(5), /proc/stat), this one included.
func running() int {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 1
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "procs_running "); ok {
			count, _ := strconv.Atoi(strings.TrimSpace(n))
			return count
		}
	}
	return 1
}

// own starts the probe in a sandbox.
func (s *starter) own(l *launch.Launcher, spec launch.Spec, mode string) func(context.Context, int) (time.Duration, error) {
	return func(ctx context.Context, i int) (time.Duration, error) {
		spec.ID = "bench-" + strconv.Itoa(i)
		stamps, first, got, err := l.First(ctx, spec)
		if got != mode {
			s.other++
		}
		return first.Sub(stamps.Ask), err
	}
}

// commandStart starts a command whose program writes one byte to stdout, and
// ends it.
func commandStart(command func(i int) *exec.Cmd, after func(i int)) func(context.Context, int) (time.Duration, error) {
	return func(_ context.Context, i int) (time.Duration, error) {
		cmd := command(i)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL} // no thread that starts one ends before this process
		r, w, err := os.Pipe()
		if err != nil {
			return 0, err
		}
		defer r.Close()
		cmd.Stdout = w
		ask := results.Now()
		err = cmd.Start()
		w.Close()
		if err != nil {
			return 0, err
		}
		_, err = io.ReadFull(r, make([]byte, 1))
		first := results.Now()
		if after != nil {
			after(i)
		}
		cmd.Process.Kill()
		if werr := cmd.Wait(); err != nil {
			return 0, errors.Join(fmt.Errorf("no first byte: %w", err), werr)
		}
		return first.Sub(ask), nil
	}
}

// ociPeers are the runtimes that coldstorm is compared with.
var ociPeers = []string{"crun", "runc"}

// ociState is where a runtime keeps its containers' state, in a command's folder.
func ociState(dir, runtime string) string { return filepath.Join(dir, runtime+"-state") }

// ociName begins the names of a runtime's containers, for a command's folder alone.
func ociName(dir, runtime string) string { return filepath.Base(dir) + "-" + runtime + "-" }

// endContainers ends the containers of a bench, by their state in its folder, and those
// that have none by their cgroups' names: a runtime writes a container's state when the
// program may already run, and one that is killed before that leaves it behind.
func endContainers(dir string) error {
	var errs []error
	for _, peer := range ociPeers {
		errs = append(errs, endContainersOf(dir, peer))
	}
	return errors.Join(errs...)
}

// endContainersOf ends those of one runtime.
func endContainersOf(dir, runtime string) error {
	states := ociState(dir, runtime)
	if _, err := os.Stat(states); err != nil { // it was never called
		return nil
	}
	for _, state := range named(states, "") {
		exec.Command(runtime, "--root", states, "delete", "--force", filepath.Base(state)).Run() // else by its name
	}
	return launch.EndNamed(ociName(dir, runtime))
}

// ociStarter runs the probe by an OCI runtime, or says why it can't. end ends all that is
// left of its containers.
func ociStarter(name, dir string, spec launch.Spec) (s *starter, end func(), why string) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, nil, name + " is not installed (make deps)"
	}
	bundle := filepath.Join(dir, name)
	remove, err := ociBundle(bundle, spec)
	if err != nil {
		return nil, nil, fmt.Sprintf("%s: %v", name, err)
	}
	end = func() {
		endContainersOf(dir, name) // one that can't be ended outlives the bench
		remove()
	}
	root := ociState(dir, name)
	id := func(i int) string { return ociName(dir, name) + strconv.Itoa(i) }
	s = &starter{contender: contender{name: name}, start: commandStart(
		func(i int) *exec.Cmd { return exec.Command(path, "--root", root, "run", "--bundle", bundle, id(i)) },
		func(i int) { exec.Command(path, "--root", root, "delete", "--force", id(i)).Run() },
	)}
	if _, err := s.start(context.Background(), -1); err != nil {
		end()
		return nil, nil, fmt.Sprintf("%s does not run on this host: %v", name, err)
	}
	return s, end, ""
}

// ociBundle makes a bundle whose container is isolated as coldstorm's sandbox is: its root
// is a read-only overlay, too, which is mounted once, as engines do before they call a
// runtime.
func ociBundle(bundle string, spec launch.Spec) (unmount func(), err error) {
	root, base := filepath.Join(bundle, "rootfs"), filepath.Join(bundle, "base")
	for _, dir := range []string{"dev", "proc", "sys", "tmp", "etc"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	text, err := launch.Bundle(spec, root)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), text, 0o644); err != nil {
		return nil, err
	}
	lower := strings.Join(append([]string{base}, spec.Image.Layers...), ":")
	if err := unix.Mount("overlay", root, "overlay", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV, "lowerdir="+lower); err != nil {
		return nil, fmt.Errorf("overlay on %s: %w", root, err)
	}
	return func() { unix.Unmount(root, unix.MNT_DETACH) }, nil
}
