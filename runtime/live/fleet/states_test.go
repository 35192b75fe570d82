package fleet

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
)

// state is a row of f's; the zero value if there is none.
func state(f *Fleet, of, name string) results.StateTime {
	for _, s := range f.States() {
		if s.Of == of && s.State == name {
			return s
		}
	}
	return results.StateTime{}
}

// said writes f's rows, with their longest times.
func said(f *Fleet) (list []string) {
	for _, s := range f.States() {
		list = append(list, fmt.Sprintf("%s %s: %d, %d still, %v", s.Of, s.State, s.Units, s.Still, s.Time.Max))
	}
	return list
}

func wantStates(t *testing.T, rule string, f *Fleet, wants ...string) {
	t.Helper()
	if got := said(f); !slices.Equal(got, wants) {
		t.Errorf("%s:\n got %q\nwant %q", rule, got, wants)
	}
}

// A launch takes 1 ms and a process is ready 50 ms after it.
func TestATaskIsInEachStateAsLongAsThisMachineTakes(t *testing.T) {
	in(t, newHost(), Config{Rules: Rules{Min: 1}}, func(t *testing.T, f *Fleet) {
		ready(t, f, 1)
		wantStates(t, "it runs", f,
			"task PROVISIONING: 1, 0 still, 0s", "task PENDING: 1, 0 still, 1ms", "task ACTIVATING: 1, 0 still, 50ms", "task RUNNING: 1, 1 still, 0s")
		time.Sleep(9 * time.Second)
		if _, err := f.KillUnit(0); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		ready(t, f, 1)
		wantStates(t, "it crashed: nobody told it to stop", f,
			"task PROVISIONING: 2, 0 still, 0s", "task PENDING: 2, 0 still, 1ms", "task ACTIVATING: 2, 0 still, 50ms", "task RUNNING: 2, 1 still, 9s",
			"task DEPROVISIONING: 1, 0 still, 0s", "task STOPPED: 1, 1 still, 0s")
	})
}

func TestAPodIsUnscheduledUntilItsNodeIsUp(t *testing.T) {
	c := Config{Service: ServiceEKS, Rules: Rules{Min: 1, PerNode: 1, Place: PlaceLeastAllocated, Nodes: NodesKarpenter}, Boot: time.Minute, Pull: 30 * time.Second, Speed: 60}
	in(t, newHost(), c, func(t *testing.T, f *Fleet) {
		ready(t, f, 1)
		wantStates(t, "a boot of a minute at 60 times the speed", f,
			"pod Pending, unscheduled: 1, 0 still, 1s", "pod Pending, scheduled: 1, 0 still, 500ms", "pod ContainerCreating: 1, 0 still, 1ms",
			"pod Running, not ready: 1, 0 still, 50ms", "pod Ready: 1, 1 still, 0s", "instance pending: 1, 0 still, 1s", "instance running: 1, 1 still, 0s")
	})
}

func TestAnInstanceOfItsOwnIsPendingWhileItBoots(t *testing.T) {
	in(t, newHost(), Config{Service: ServiceEC2, Rules: Rules{Min: 1}, UnitNode: true, Boot: time.Minute, Speed: 60}, func(t *testing.T, f *Fleet) {
		ready(t, f, 1)
		wantStates(t, "with its process", f, "instance pending: 1, 0 still, 1.001s", "instance running: 1, 1 still, 0s")
	})
}

func TestScaleInTerminatesPods(t *testing.T) {
	c := Config{Service: ServiceEKS, Rules: Rules{Slots: 1, Min: 1, Max: 3, Scaler: ScalerHPA, Target: 0.7}}
	in(t, newHost(), c, func(t *testing.T, f *Fleet) {
		ready(t, f, 1)
		time.Sleep(time.Minute) // a pod counts once its metrics are there
		send(f, 6000, 10*time.Millisecond)
		if n := state(f, "pod", "Ready").Still; n != 3 {
			t.Fatalf("%d pods are ready under load", n)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		ready, ended := state(f, "pod", "Ready"), state(f, "pod", "Terminating")
		if ready.Still != 1 || ready.Units != 3 || ended.Units != 2 || state(f, "pod", "gone").Units != 2 {
			t.Errorf("%q", said(f))
		}
		if ready.Time.Min < 5*time.Minute {
			t.Errorf("scaled in after %v, before the stabilisation window of five minutes", ready.Time.Min)
		}
	})
}

// A deregistration delay is on the rules' clock, as the scaler's stabilisation of five minutes.
func TestADeregisteredTaskStaysForItsDelay(t *testing.T) {
	c := Config{Speed: 60, Rules: Rules{Slots: 1, Min: 1, Max: 3, Scaler: ScalerHPA, Target: 0.7, Drain: plane.DrainRules{Delay: 5 * time.Minute}}}
	in(t, newHost(), c, func(t *testing.T, f *Fleet) {
		ready(t, f, 1)
		time.Sleep(time.Minute)
		send(f, 600, 10*time.Millisecond)
		time.Sleep(time.Minute)
		synctest.Wait()
		left := state(f, "task", "DEACTIVATING")
		if left.Time.N == 0 || left.Still > 0 || left.Time.Min != 5*time.Second || left.Time.Max != 5*time.Second {
			t.Errorf("%q, want 5 s of DEACTIVATING", said(f))
		}
	})
}

// Nobody hears of what a dead node held until its checks have failed.
func TestUnitsOfADeadNodeAreRunningUntilItIsNoticed(t *testing.T) {
	in(t, newHost(), Config{Rules: onNodes(4, 2)}, func(t *testing.T, f *Fleet) {
		ready(t, f, 4)
		if _, err := f.KillNode(1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := state(f, "task", "RUNNING").Still; n != 4 {
			t.Errorf("%d run as far as anybody knows, want 4", n)
		}
		time.Sleep(2 * time.Minute)
		run, node := state(f, "task", "RUNNING"), state(f, "instance", "running")
		if run.Time.N != 2 || run.Time.Min < 30*time.Second || state(f, "task", "STOPPED").Units != 2 || node.Time.N != 1 {
			t.Errorf("noticed: %q", said(f))
		}
	})
}
