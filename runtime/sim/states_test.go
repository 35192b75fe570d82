package sim

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/workloads"
)

// rise is what a model does under twenty minutes of many times its steady rate, within an
// hour.
func rise(t *testing.T, m workloads.Model, f workloads.Fleet) Outcome {
	t.Helper()
	return twentyMinutes(t, m, f, 4*ms, 0)
}

// twentyMinutes is what a model does under triggers so far apart for that long, within a
// window; 0 is offered's own.
func twentyMinutes(t *testing.T, m workloads.Model, f workloads.Fleet, apart, window time.Duration) Outcome {
	t.Helper()
	c := offered(m)
	c.Fleet, c.Window = f, cmp.Or(window, c.Window)
	for at := time.Duration(0); at < 20*time.Minute; at += apart {
		c.Arrivals = append(c.Arrivals, at)
	}
	return mustRun(t, c)
}

// state is a row; the zero value if there is none.
func state(o Outcome, of, name string) results.StateTime {
	for _, s := range o.States {
		if s.Of == of && s.State == name {
			return s
		}
	}
	return results.StateTime{}
}

func names(o Outcome) (list []string) {
	for _, s := range o.States {
		list = append(list, s.Of+" "+s.State)
	}
	return list
}

func TestATaskGoesThroughTheStatesOfECS(t *testing.T) {
	o := rise(t, workloads.ModelECSFargate, workloads.Fleet{Scaling: workloads.ScalingHighResolution})
	want := []string{"task PROVISIONING", "task PENDING", "task ACTIVATING", "task RUNNING", "task DEACTIVATING", "task STOPPED"}
	if got := names(o); !slices.Equal(got, want) {
		t.Fatalf("states %q, want %q", got, want)
	}
	units, err := Units(offered(workloads.ModelECSFargate))
	if err != nil {
		t.Fatal(err)
	}
	new, running, stopped := state(o, "task", "PROVISIONING"), state(o, "task", "RUNNING"), state(o, "task", "STOPPED")
	if new.Units < 10 || running.Units != new.Units+units || running.Units != running.Still+stopped.Units || state(o, "task", "DEACTIVATING").Units != stopped.Units {
		t.Errorf("%d stood, %d came, %d ran, %d run still, %d stopped", units, new.Units, running.Units, running.Still, stopped.Units)
	}
	if got := new.Time.Min; got != fargateUnbilled { // the first needs no token
		t.Errorf("the least time in PROVISIONING is %v, want the network interface's %v", got, fargateUnbilled)
	}
	if got := fargateUnbilled + state(o, "task", "PENDING").Time.P50; got < 18*time.Second || got > 32*time.Second {
		t.Errorf("network interface and half of all times in PENDING are %v, published are 25 s", got)
	}
	if got := state(o, "task", "ACTIVATING").Time; got.Min < 20*ms || got.Max > 500*ms {
		t.Errorf("ACTIVATING took %v to %v, want what init takes", got.Min, got.Max)
	}
}

func TestAPodThatFindsNoRoomIsUnscheduledUntilItsNodeIsUp(t *testing.T) {
	o := rise(t, workloads.ModelEKSEC2, workloads.Fleet{})
	if got := names(o); !slices.Contains(got, "pod Pending, unscheduled") || !slices.Contains(got, "pod ContainerCreating") || slices.Contains(got, "pod Pending, scheduled") {
		t.Fatalf("states %q: published times of a pod begin with its node, and hold a cached image", got)
	}
	nodes, waited := state(o, "instance", "pending").Time, state(o, "pod", "Pending, unscheduled").Time
	if nodes.N == 0 || waited.Max < nodes.Min {
		t.Errorf("pods waited for %v at most, nodes took %v at least", waited.Max, nodes.Min)
	}
	if most := nodes.Max + 12*time.Second; waited.Max > most { // Karpenter's batch is closed after 10 s
		t.Errorf("a pod was unscheduled for %v, nodes took %v at most", waited.Max, nodes.Max)
	}
	if c := state(o, "pod", "ContainerCreating").Time; c.P50 < time.Second || c.P50 > 4*time.Second {
		t.Errorf("half of all times in ContainerCreating are %v, published are 2 s", c.P50)
	}
}

func TestFargatePodsHaveOnePendingState(t *testing.T) {
	o := rise(t, workloads.ModelEKSFargate, workloads.Fleet{})
	if p := state(o, "pod", "Pending").Time; p.P50 < 45*time.Second || p.P50 > 70*time.Second {
		t.Errorf("Pending for %v, published are 55 s", p.P50)
	}
}

func TestInstancesOfAWarmPoolWaitThereAndStartSooner(t *testing.T) {
	plain, pooled := rise(t, workloads.ModelEC2, workloads.Fleet{}), rise(t, workloads.ModelEC2, workloads.Fleet{WarmPool: 50})
	if got := names(plain); !slices.Equal(got, []string{"instance pending", "instance running", "instance terminated"}) {
		t.Errorf("states %q", got)
	}
	if s := state(pooled, "instance", "Warmed:Stopped"); s.Units < 50 || s.Still == 0 || s.Time.N == 0 {
		t.Errorf("of a pool of 50: %+v", s)
	}
	if a, b := state(pooled, "instance", "pending").Time.P50, state(plain, "instance", "pending").Time.P50; a >= b {
		t.Errorf("pending for %v out of the pool, %v without one", a, b)
	}
	running := rise(t, workloads.ModelEC2, workloads.Fleet{WarmPool: 50, WarmPoolState: workloads.WarmPoolRunning})
	if state(running, "instance", "Warmed:Running").Units == 0 {
		t.Errorf("states %q", names(running))
	}
}

func TestEnvironmentsHaveNoStatesOfContainers(t *testing.T) {
	for _, m := range []workloads.Model{workloads.ModelLambda, workloads.ModelLambdaManaged} {
		if o := rise(t, m, workloads.Fleet{}); len(o.States) > 0 {
			t.Errorf("%s: %q", m, names(o))
		}
	}
}
