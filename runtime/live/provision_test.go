package live

import (
	"runtime"
	"slices"
	"testing"

	"coldstorm/results"
)

func TestProvisionedEnvironmentsStandReady(t *testing.T) {
	begin := make(chan struct{})
	f, l := deploy(t, func(g *guest) Exit {
		<-begin
		return echo(g)
	}, Config{})
	f.Provision(2)
	if ready, _ := f.Provisioned(); ready != 0 {
		t.Errorf("%d are ready before they have begun", ready)
	}
	close(begin)
	for i := range 2 { // each is frozen once it is ready

		<-l.box(i).froze
	}
	if ready, failed := f.Provisioned(); ready != 2 || failed != 0 {
		t.Errorf("%d ready, %d failed", ready, failed)
	}
	r := f.Invoke(Request{Payload: []byte("a")})
	if e := r.Evidence; e.Start != results.StartProvisioned || e.Phases.Init != 0 || string(r.Payload) != "a" {
		t.Errorf("got %+v", e)
	}
	sums(t, r.Evidence)
	if !slices.Contains(l.box(0).spec.Env, "AWS_LAMBDA_INITIALIZATION_TYPE=provisioned-concurrency") {
		t.Error("the function isn't told that it is provisioned")
	}
	f.Provision(0)
	if r := f.Invoke(Request{}); r.Evidence.Start != results.StartCold {
		t.Errorf("without provision: %s", r.Evidence.Start)
	}
}

func TestAProvisionedEnvironmentThatFailsIsTold(t *testing.T) {
	f, l := deploy(t, func(*guest) Exit { return Exit{Code: 1} }, Config{})
	f.Provision(1)
	<-l.box(0).done
	for {
		if _, failed := f.Provisioned(); failed == 1 {
			break
		}
		runtime.Gosched()
	}
	if n := l.launched.Load(); n != 1 {
		t.Errorf("%d were launched: one that fails would fail for ever", n)
	}
}

// box is the sandbox that was launched as number i, once it is.
func (f *fake) box(i int) *guest {
	for {
		f.mu.Lock()
		if len(f.boxes) > i {
			defer f.mu.Unlock()
			return f.boxes[i]
		}
		f.mu.Unlock()
		runtime.Gosched()
	}
}
