package snapshot

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/api"
	"coldstorm/runtime/image"
	"coldstorm/runtime/launch"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "__launcher" {
		os.Exit(launch.Daemon())
	}
	os.Exit(m.Run())
}

// begin starts a launcher, and opens the function.
func begin(t *testing.T, c launch.Config) (*launch.Launcher, launch.Spec) {
	t.Helper()
	l, err := launch.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	opener := &image.Opener{Copies: t.TempDir()}
	t.Cleanup(func() { opener.Close() })
	img, err := opener.OpenPackage(context.Background(), image.Package{Path: "testdata/python", Handler: "app.handler"})
	if err != nil {
		t.Fatal(err)
	}
	env := append([]string{"AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001", "_HANDLER=app.handler", "AWS_LAMBDA_INITIALIZATION_TYPE=snap-start"}, img.Env...)
	return l, launch.Spec{ID: "template", Image: img, Argv: img.Command(512, nil), Env: env, MemoryBytes: 512 << 20}
}

// A run is one environment with its Runtime API.
type running struct {
	*launch.Sandbox
	env     *api.Environment
	ready   chan results.Stamp
	restore chan results.Stamp
	output  chan string
}

func launched(t *testing.T, l *launch.Launcher, s launch.Spec) *running {
	t.Helper()
	b, err := l.Launch(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{Sandbox: b, ready: make(chan results.Stamp, 1), restore: make(chan results.Stamp, 1), output: make(chan string, 1)}
	r.env = api.New(b.Listener, api.Config{
		SnapStart: true, Ready: func(at results.Stamp) { r.ready <- at }, RestoreReady: func(at results.Stamp) { r.restore <- at },
	})
	go func() {
		b, _ := io.ReadAll(io.MultiReader(r.Stderr, r.Stdout))
		r.output <- string(b)
	}()
	t.Cleanup(func() {
		r.Stop()
		r.env.Close()
		r.Close()
	})
	return r
}

func (r *running) await(t *testing.T, what chan results.Stamp) results.Stamp {
	t.Helper()
	select {
	case at := <-what:
		return at
	case <-r.Done():
	case <-time.After(time.Minute):
		r.Stop()
	}
	t.Fatalf("%v: %s", r.Exit(), <-r.output)
	return 0
}

func TestRestores(t *testing.T) {
	l, spec := begin(t, launch.Config{})
	template := launched(t, l, spec)
	template.await(t, template.restore)
	layer := t.TempDir()
	os.Chmod(layer, 0o755)
	s, err := Take(template.PID, 9001, layer, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	<-template.Done()
	t.Logf("%+v, init %v", s, 0)
	spec.Image.Layers = append([]string{layer}, spec.Image.Layers...)
	spec.Argv = s.Argv
	for i := range 3 {
		spec.ID = string(rune('a' + i))
		r := launched(t, l, spec)
		asked := r.await(t, r.restore)
		if !r.env.Restore() {
			t.Error("nothing to restore")
		}
		ready := r.await(t, r.ready)
		t.Logf("restore %v, hooks %v, sandbox %v", asked.Sub(r.Stamps.Exec), ready.Sub(asked), r.Stamps.Exec.Sub(r.Stamps.Ask))
		a, err := r.env.Invoke(api.Invocation{ID: api.NewID(), Payload: []byte(`"write"`), ContentType: "application/json", Deadline: time.Now().Add(time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		json.Unmarshal(a.Payload, &got)
		t.Logf("%s", a.Payload)
	}
}
