package sim

import (
	"strings"
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/workloads"
)

// risen is rise with an image of so many MB.
func risen(t *testing.T, m workloads.Model, cache string, mb int) Outcome {
	t.Helper()
	return rise(t, m, workloads.Fleet{ImageCache: cache, ImageMB: mb})
}

func TestTheFirstStartOnANodePullsTheImageAndLaterOnesFindIt(t *testing.T) {
	const mb = 8000
	pull := time.Duration(mb * 1e6 / pullRate * float64(time.Second))
	for m, at := range map[workloads.Model][2]string{
		workloads.ModelECSEC2: {"task", "PENDING"}, workloads.ModelEKSEC2: {"pod", "ContainerCreating"},
	} {
		warm := state(risen(t, m, workloads.ImageCacheWarm, mb), at[0], at[1]).Time
		cold := state(risen(t, m, workloads.ImageCacheCold, mb), at[0], at[1]).Time
		if warm.Max >= pull {
			t.Fatalf("%s: %v to %v in %s with the image there", m, warm.Min, warm.Max, at[1])
		}
		if cold.Max < pull {
			t.Errorf("%s: at most %v in %s, the first start on a new node takes %v for the pull alone", m, cold.Max, at[1], pull)
		}
		if cold.Min >= pull {
			t.Errorf("%s: at least %v in %s: no start found the image that was there", m, cold.Min, at[1])
		}
	}
}

func TestUnitsThatStartOnANodeTogetherWaitForOnePull(t *testing.T) {
	m := &machine{timing: timing{pull: 10}, nodes: make([]unit, 3)}
	for _, c := range []struct{ node, now, want int64 }{
		{1, 100, 10}, // pulls
		{1, 104, 6},  // waits for the same pull
		{2, 104, 10}, // a node of its own
		{1, 110, 0},
		{1, 500, 0},
	} {
		if got := m.pulled(c.node, c.now); got != c.want {
			t.Errorf("a start on node %d at %d waits %d for the image, want %d", c.node, c.now, got, c.want)
		}
	}
}

func TestNodesThatStandHoldTheImage(t *testing.T) {
	c := offered(workloads.ModelECSEC2)
	c.Fleet.ImageMB = 8000
	mo, err := compose(c)
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(mo.plane(), mo.timing, 1, newBook(&mo.billing))
	m.bootstrap()
	if len(m.nodes) < 2 || m.pulled(1, 0) != 0 {
		t.Errorf("%d nodes; the first waits %d for the image", len(m.nodes)-1, m.pulled(1, 0))
	}
}

// started is the mean time before a unit's init that compose gives a model.
func started(t *testing.T, m workloads.Model, f workloads.Fleet) time.Duration {
	t.Helper()
	c := offered(m)
	c.Fleet = f
	st, err := Stands(c)
	if err != nil {
		t.Fatal(err)
	}
	return st.UnitDelay
}

func TestEveryStartOnFargatePullsTheImage(t *testing.T) {
	for _, m := range []workloads.Model{workloads.ModelECSFargate, workloads.ModelEKSFargate} {
		for _, cache := range workloads.ImageCaches {
			none, large := started(t, m, workloads.Fleet{ImageCache: cache}), started(t, m, workloads.Fleet{ImageCache: cache, ImageMB: 850})
			if d := large - none; d != 10*time.Second { // 50 MB are in the published start
				t.Errorf("%s, image_cache %s: 850 MB add %v to every start, want 10 s", m, cache, d)
			}
		}
	}
}

func TestAProgramIsFetchedByEveryNewInstanceUnlessItsMachineImageHasIt(t *testing.T) {
	cold, warm := workloads.Fleet{ImageMB: 1600}, workloads.Fleet{ImageMB: 1600, ImageCache: workloads.ImageCacheWarm}
	if d := started(t, workloads.ModelEC2, cold) - started(t, workloads.ModelEC2, warm); d != 20*time.Second {
		t.Errorf("fetching 1,600 MB adds %v, want 20 s", d)
	}
	boot := func(f workloads.Fleet) results.Quantiles {
		return state(rise(t, workloads.ModelEC2, f), "instance", "pending").Time
	}
	alone := boot(cold)
	cold.WarmPool = 50
	if pooled := boot(cold); pooled.Min+10*time.Second > alone.Min {
		t.Errorf("pending for %v at least, and for %v out of a warm pool: what waits there has the program", alone.Min, pooled.Min)
	}
}

func TestEveryProjectionSaysWhereItsStartsFindTheImage(t *testing.T) {
	for _, c := range []struct {
		model       workloads.Model
		cache, word string
	}{
		{workloads.ModelLambda, "", "Lambda's own caches"},
		{workloads.ModelLambdaProvisioned, "", "Lambda's own caches"},
		{workloads.ModelLambdaSnapStart, "", "Lambda's own caches"},
		{workloads.ModelLambdaManaged, "", "Lambda's own caches"},
		{workloads.ModelECSFargate, "warm", "no image cache: every start pulls"},
		{workloads.ModelEKSFargate, "", "no image cache: every start pulls"},
		{workloads.ModelECSEC2, "", "cold image cache: the first start on a new instance pulls an image of 120 MB, which takes 1.5s"},
		{workloads.ModelEKSEC2, "warm", "warm image cache"},
		{workloads.ModelEC2, "", "cold: every new instance fetches"},
		{workloads.ModelEC2, "warm", "warm: every instance comes with"},
	} {
		conf := offered(c.model)
		conf.Profile.PackageBytes, conf.Fleet.ImageCache = 120e6, c.cache
		if got := mustRun(t, conf).Image; !strings.Contains(got, c.word) {
			t.Errorf("%s, %q: %q, want %q in it", c.model, c.cache, got, c.word)
		}
	}
	none := offered(workloads.ModelECSEC2)
	if got := mustRun(t, none).Image; !strings.Contains(got, "not known") {
		t.Errorf("of an image without a size: %q", got)
	}
}
