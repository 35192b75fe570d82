package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/image"
	"coldstorm/runtime/launch"
)

// TestMain lets the test binary stand in for coldstorm's hidden verbs.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "__launcher":
			os.Exit(launch.Daemon())
		case "__engine":
			os.Exit(Serve(os.Stdin, os.Stdout, os.Stderr))
		}
	}
	code := m.Run()
	for _, dir := range builtDirs {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// builtDirs hold the functions that tests have built.
var builtDirs []string

// bootstrapEnv names the folder with a built testdata/bootstrap in var/task, for
// a test binary that runs where it can't be built.
const bootstrapEnv = "COLDSTORM_TEST_BOOTSTRAP"

// bootstrap builds the function under testdata, once.
var bootstrap = sync.OnceValues(func() (image.Image, error) {
	if dir := os.Getenv(bootstrapEnv); dir != "" {
		return bootstrapImage(dir), nil
	}
	return built("bootstrap")
})

// built is the image of a function under testdata.
func built(name string) (image.Image, error) {
	dir, err := os.MkdirTemp("", "coldstorm-engine-test-")
	if err != nil {
		return image.Image{}, err
	}
	builtDirs = append(builtDirs, dir)
	task := filepath.Join(dir, "var/task")
	if err := os.MkdirAll(task, 0o755); err != nil {
		return image.Image{}, err
	}
	os.Chmod(dir, 0o755)
	build := exec.Command("go", "build", "-o", filepath.Join(task, "bootstrap"), "./testdata/"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return image.Image{}, fmt.Errorf("%w: %s", err, out)
	}
	return bootstrapImage(dir), nil
}

func bootstrapImage(dir string) image.Image {
	return image.Image{Layers: []string{dir}, Argv: []string{"/var/task/bootstrap"}, Dir: "/var/task", Static: true}
}

// begin starts an engine that the test's end finds nothing left of.
func begin(t testing.TB, c Config) *Engine {
	t.Helper()
	e, err := Start(context.Background(), c)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("NO SANDBOXES ON THIS HOST: %v", err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return e
}

// deploy deploys the bootstrap with a configuration.
func deploy(t testing.TB, e *Engine, f Function) {
	t.Helper()
	img, err := bootstrap()
	if err != nil {
		t.Fatal(err)
	}
	deployImage(t, e, img, f)
}

// deployImage deploys an image with a configuration.
func deployImage(t testing.TB, e *Engine, img image.Image, f Function) {
	t.Helper()
	f.Name, f.Image = "f", img
	// What is served, and by which environment, must not depend on how busy the
	// machine is.
	f.SettleGrace = time.Minute
	if f.Timeout == 0 {
		f.Timeout = time.Minute
	}
	if f.Init == 0 {
		f.Init = time.Minute
	}
	if f.KeepAlive == 0 {
		f.KeepAlive = -1
	}
	if err := e.Deploy(f); err != nil {
		t.Fatal(err)
	}
}

// answer is what a caller gets.
type answer struct {
	status   int
	header   http.Header
	body     string
	evidence results.Evidence
}

func send(t testing.TB, e *Engine, event string, headers ...string) answer {
	t.Helper()
	a, err := try(e, event, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func try(e *Engine, event string, headers ...string) (a answer, err error) {
	return invoked(e, "f", event, headers...)
}

func invoked(e *Engine, function, event string, headers ...string) (a answer, err error) {
	req, err := http.NewRequest("POST", e.InvokeURL(function), strings.NewReader(event))
	if err != nil {
		return a, err
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, res.Body); err != nil {
		return a, err
	}
	a = answer{status: res.StatusCode, header: res.Header, body: b.String()}
	a.evidence, err = results.ParseEvidence(res.Header.Get(results.EvidenceHeader))
	return a, err
}
