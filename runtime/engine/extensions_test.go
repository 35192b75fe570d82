package engine

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"coldstorm/runtime/image"
	"coldstorm/workloads"
)

// extensionLayer is a layer with an external extension, and files beside it that
// are none.
func extensionLayer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	os.Chmod(dir, 0o755)
	os.Chmod(filepath.Dir(dir), 0o755)
	folder := filepath.Join(dir, "opt/extensions")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(folder, "listener"), "./testdata/extension")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	os.WriteFile(filepath.Join(folder, "README"), nil, 0o644)
	return dir
}

func TestExtensionsAreTheExecutablesOfTheirFolder(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"b": 0o755, "a": 0o555, "README": 0o644} {
		os.MkdirAll(filepath.Join(dir, "opt/extensions/folder"), 0o755)
		if err := os.WriteFile(filepath.Join(dir, "opt/extensions", name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	img := image.Image{Layers: []string{dir, t.TempDir(), dir}, Argv: []string{"/var/task/bootstrap"}}
	if got := extensions(img); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %v", got)
	}
	plain := image.Image{Layers: []string{t.TempDir()}, Argv: []string{"x"}}
	if got, names, err := supervised(plain, nil); err != nil || len(names) > 0 || len(got.Layers) != 1 || got.Argv[0] != "x" {
		t.Errorf("without extensions: %+v %v %v", got, names, err)
	}
}

// lines reads a log, and waits for lines.
type lines struct {
	t *testing.T
	c chan string
}

func (l lines) wait(has string) {
	l.t.Helper()
	over := time.After(30 * time.Second)
	var seen []string
	for {
		select {
		case s := <-l.c:
			if strings.Contains(s, has) {
				return
			}
			seen = append(seen, s)
		case <-over:
			l.t.Fatalf("no %q in\n%s", has, strings.Join(seen, "\n"))
		}
	}
}

func TestAnExternalExtensionInItsSandbox(t *testing.T) {
	if _, err := workloads.Supervisor(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("NO SUPERVISOR: ", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	e := begin(t, Config{Log: w})
	w.Close()
	log := lines{t, make(chan string, 1000)}
	go func() {
		for s := bufio.NewScanner(r); s.Scan(); {
			log.c <- s.Text()
		}
	}()
	img, err := bootstrap()
	if err != nil {
		t.Fatal(err)
	}
	img.Layers = append([]string{extensionLayer(t)}, img.Layers...)
	f := Function{Name: "f", Image: img, Timeout: time.Minute, Init: time.Minute, KeepAlive: -1, SettleGrace: time.Minute, NoFreeze: true}
	if err := e.Deploy(f); err != nil {
		t.Fatal(err)
	}
	a := send(t, e, `"one"`)
	if a.body != `"one"` {
		t.Fatalf("got %+v", a)
	}
	log.wait(`ext telemetry subscription "OK", handler ""`)
	log.wait("ext event INVOKE " + a.header.Get("X-Amzn-Requestid"))
	log.wait("ext telemetry platform.report")
	if warm := send(t, e, `"two"`); warm.evidence.Environment != a.evidence.Environment {
		t.Errorf("a second environment: %+v", warm.evidence)
	}
	if err := e.Discard(); err != nil {
		t.Fatal(err)
	}
	log.wait("ext event SHUTDOWN spindown")
	a = send(t, e, `"crash"`)
	if !strings.Contains(a.body, "Runtime exited with error: exit status 1") {
		t.Errorf("got %s", a.body)
	}
	log.wait("ext event SHUTDOWN failure")
	if next := send(t, e, `"next"`); next.body != `"next"` || next.evidence.Cause != "crashed" {
		t.Errorf("got %+v", next)
	}

	f.Env = map[string]string{"MODE": "ext-crash"}
	if err := e.Deploy(f); err != nil {
		t.Fatal(err)
	}
	send(t, e, `"one"`)
	log.wait("ext event INVOKE")
	// In the next environment the extension ends at its first event too: before the runtime
	// has answered, or after.
	if a := send(t, e, `"two"`); a.body != `"two"` && !strings.Contains(a.body, "Extension.Crash") || a.evidence.Cause != "crashed" {
		t.Errorf("after an extension crashed: %+v", a)
	}
}
