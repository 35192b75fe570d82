package engine

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/image"
	"coldstorm/runtime/snapshot"
)

// needSnapshots skips where no process can be restored.
func needSnapshots(t *testing.T) {
	t.Helper()
	if err := snapshot.Possible(); err != nil {
		t.Skip("NO SNAPSHOTS ON THIS HOST: ", err)
	}
	needInterpreter(t, "python")
}

// snapFunction is the image of the handler for SnapStart, with further files.
func snapFunction(t *testing.T, files ...string) image.Image {
	t.Helper()
	dir := t.TempDir()
	for _, f := range append(files, "testdata/handlers/python/snap.py") {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(f)), b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	opener := &image.Opener{Copies: t.TempDir()}
	t.Cleanup(func() { opener.Close() })
	img, err := opener.OpenPackage(context.Background(), image.Package{Path: dir, Handler: "snap.handler"})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// seenBySnap is what the handler answers.
type seenBySnap struct {
	Born, Row, Host, Random, Sum, Child, Type string
	Calls, Tmp                                []string
	Signals, PID, Big                         int
	Rest                                      bool
	Threads                                   []int
	Same, Now, Age                            float64
	Stream                                    *string
}

func TestSnapStart(t *testing.T) {
	needSnapshots(t)
	img := snapFunction(t)
	for _, rootless := range []bool{false, true} {
		t.Run("rootless="+strconv.FormatBool(rootless), func(t *testing.T) {
			if rootless && os.Geteuid() != 0 {
				t.Skip("the other is in a user namespace already")
			}
			restores(t, begin(t, Config{Rootless: rootless}), img)
		})
	}
}

func restores(t *testing.T, e *Engine, img image.Image) {
	before := time.Now()
	deployImage(t, e, img, Function{SnapStart: true, MemoryMB: 512, KeepAlive: 1})
	if s := e.Snapshot(); s.Init <= 0 || s.Bytes < 1<<20 || s.Regions == 0 {
		t.Errorf("snapshot %+v", s)
	}
	var first seenBySnap
	environments, random := map[string]bool{}, map[string]bool{}
	last := float64(before.UnixNano()) / 1e9
	const times = 4
	for i := range times {
		a := send(t, e, `{}`)
		var s seenBySnap
		if err := json.Unmarshal([]byte(a.body), &s); err != nil {
			t.Fatalf("%v: %s", err, a.body)
		}
		if i == 0 {
			first = s
		}
		ev := a.evidence
		environments[ev.Environment], random[s.Random] = true, true
		if ev.Start != results.StartRestored || ev.Cause != results.CauseRestored || ev.Served != 0 || ev.Phases.Restore <= 0 || ev.Phases.InitDuration() != 0 {
			t.Errorf("evidence %+v", ev)
		}
		sums(t, ev)
		if s.Born != first.Born || s.Row != strings.Repeat("19999", 8) || !s.Rest || s.Same != first.Same || s.Sum != "11.25" {
			t.Errorf("state of its own: %+v", s)
		}
		if !reflect.DeepEqual(s.Calls, []string{"before", "after"}) || s.Signals != 1 {
			t.Errorf("hooks %v, signals %d", s.Calls, s.Signals)
		}
		if s.PID != 1 || len(s.Tmp) != 1 || len(s.Threads) != 1 || s.Child != "a\n" || s.Big != 8<<20 {
			t.Errorf("as a process: %+v", s)
		}
		if s.Host != ev.Environment || s.Type != "snap-start" || s.Stream != nil {
			t.Errorf("host %s of environment %s, type %s, log stream %v", s.Host, ev.Environment, s.Type, s.Stream)
		}
		if s.Now <= last || s.Age <= 0 {
			t.Errorf("time stood still: %+v", s)
		}
		last = s.Now
	}
	if len(environments) != times || len(random) != times {
		t.Errorf("%d environments, %d random numbers of %d", len(environments), len(random), times)
	}
}

// TestRestoredIsIsolatedAlike says that a restored environment sees of its rights, its
// limits and its mounts what a cold one sees, and gets no further than one.
func TestRestoredIsIsolatedAlike(t *testing.T) {
	needSnapshots(t)
	escape := filepath.Join(t.TempDir(), "escape")
	build := exec.Command("go", "build", "-o", escape, "../launch/testdata/escape")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	e, img := begin(t, Config{}), snapFunction(t, escape)
	attempts := []string{
		"killall", "mount /tmp", "bind / /tmp", "remount /proc", "umount /proc", "jailbreak /tmp /etc/hostname", "mknod /tmp/node 1 3", "node /dev/kmsg",
		"openw /proc/sysrq-trigger", "openw /proc/sys/kernel/core_pattern", "writables /sys", "bytes /proc/kcore", "oom -1000", "rlimit files", "whoami", "clock",
		"socket raw", "socket packet", "socket alg", "link", "call unshare 0x10000000", "call setns -1", "call bpf", "call keyctl 0 -3 0", "call pivot_root",
		"call open_by_handle_at -1", "call init_module", "clone 0x10000000", "ia32", "everyroot " + escape, "read " + escape,
	}
	ask, _ := json.Marshal(attempts)
	var seen []map[string]any
	for _, snap := range []bool{false, true} {
		deployImage(t, e, img, Function{SnapStart: snap, MemoryMB: 512})
		a := send(t, e, `"surroundings"`)
		var s map[string]any
		if err := json.Unmarshal([]byte(a.body), &s); err != nil {
			t.Fatalf("%v: %s", err, a.body)
		}
		if snap != (a.evidence.Start == results.StartRestored) {
			t.Errorf("start %s", a.evidence.Start)
		}
		seen = append(seen, s)
		var outcomes []string
		if err := json.Unmarshal([]byte(send(t, e, string(ask)).body), &outcomes); err != nil || len(outcomes) != len(attempts) {
			t.Fatalf("%v: %q", err, outcomes)
		}
		for i, o := range outcomes {
			if !strings.HasPrefix(o, "refused: ") && !strings.HasPrefix(o, "absent: ") {
				t.Errorf("restored=%v, %s: %s", snap, attempts[i], o)
			}
		}
	}
	for what := range seen[0] {
		if !reflect.DeepEqual(seen[0][what], seen[1][what]) {
			t.Errorf("%s of a cold environment:\n%v\nof a restored one:\n%v", what, seen[0][what], seen[1][what])
		}
	}
}

func TestMemoryEndsOneRestoredEnvironment(t *testing.T) {
	needSnapshots(t)
	e := begin(t, Config{})
	needLimits(t, e)
	deployImage(t, e, snapFunction(t), Function{SnapStart: true, MemoryMB: 256})
	answers := make(chan answer, 2)
	for range 2 {
		go func() {
			a, _ := try(e, `"surroundings"`)
			answers <- a
		}()
	}
	one, two := <-answers, <-answers
	if one.evidence.Environment == two.evidence.Environment { // the second came late: then the first serves both
		t.Logf("both were served by one environment")
	}
	dead := send(t, e, `"eat"`)
	if got := dead.header.Get("Coldstorm-Reason"); got != "OutOfMemory" {
		t.Fatalf("%s: %s", got, dead.body)
	}
	next := send(t, e, `"surroundings"`)
	if next.status != 200 || next.evidence.Environment == dead.evidence.Environment {
		t.Errorf("after it: %+v", next)
	}
	if one.evidence.Environment != two.evidence.Environment && next.evidence.Start != results.StartWarm {
		t.Errorf("the other environment did not survive: %+v", next.evidence)
	}
	if one.evidence.MaxMemory <= 0 {
		t.Errorf("memory %d", one.evidence.MaxMemory)
	}
}

func TestWhatIsNotRestored(t *testing.T) {
	needSnapshots(t)
	e, img := begin(t, Config{}), snapFunction(t)
	for mode, want := range map[string]string{
		"threads": "it has 2 threads", "child": "it has started other processes", "tmp": "left files in /tmp, such as left", "pipe": "a descriptor open that is no file: pipe:",
		"socket": "a socket open beside its connection", "shared": "it shares memory that can be written", "timer": "it has set timers", "init": "no configuration",
	} {
		f := Function{Name: "f", Image: img, SnapStart: true, MemoryMB: 512, Env: map[string]string{"MODE": mode}}
		if err := e.Deploy(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", mode, err, want)
		}
	}
	f := Function{Name: "f", Image: img, SnapStart: true}
	f.Image.Layers = append([]string{layerWithExtension(t)}, f.Image.Layers...)
	if err := e.Deploy(f); err == nil || !strings.Contains(err.Error(), "a function with extensions is several processes") {
		t.Errorf("extensions: %v", err)
	}
	native, err := bootstrap()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Deploy(Function{Name: "f", Image: native, SnapStart: true}); err == nil || !strings.Contains(err.Error(), "it doesn't know of SnapStart") {
		t.Errorf("a runtime without: %v", err)
	}
	if _, err := os.Stat(interpreters["nodejs"]); err == nil {
		opener := &image.Opener{Copies: t.TempDir()}
		defer opener.Close()
		img, err := opener.OpenPackage(context.Background(), image.Package{Path: "testdata/handlers/nodejs", Handler: "index.echo", Runtime: runtimeOfNode(t)})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Deploy(Function{Name: "f", Image: img, SnapStart: true, MemoryMB: 512}); err == nil || !strings.Contains(err.Error(), "SnapStart") {
			t.Errorf("Node.js: %v", err)
		}
	}
	for mode, want := range map[string]string{"hook": "no connection", "exit": "exit status 3"} {
		deployImage(t, e, img, Function{SnapStart: true, MemoryMB: 512, Env: map[string]string{"MODE": mode}})
		if a := send(t, e, `{}`); !strings.Contains(a.body, want) || a.header.Get("X-Amz-Function-Error") == "" || a.evidence.Phases.Restore <= 0 {
			t.Errorf("%s: %+v", mode, a)
		}
	}
}

// layerWithExtension is a layer with an extension.
func layerWithExtension(t *testing.T) string {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "opt/extensions"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "opt/extensions/watch"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// runtimeOfNode is the one that this host has, as AWS names it.
func runtimeOfNode(t *testing.T) string {
	out, err := exec.Command(interpreters["nodejs"], "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(string(out), "v"), ".")
	return "nodejs" + major + ".x"
}

func TestNothingIsLeftOfSnapshots(t *testing.T) {
	needSnapshots(t)
	e := begin(t, Config{})
	deployImage(t, e, snapFunction(t), Function{SnapStart: true, MemoryMB: 512})
	send(t, e, `{}`)
	pattern := filepath.Join(os.TempDir(), "coldstorm-work-"+strconv.Itoa(e.PID())+"-snapshots-*")
	if found, _ := filepath.Glob(pattern); len(found) != 1 {
		t.Errorf("found %v", found)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if found, _ := filepath.Glob(pattern); len(found) != 0 {
		t.Errorf("left: %v", found)
	}
}

func TestSnapshotsOfOtherHosts(t *testing.T) {
	if (snapshot.Possible() == nil) != (runtime.GOARCH == "amd64") {
		t.Error(snapshot.Possible())
	}
}
