package gate

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

func TestIdenticalRunsNeverRegress(t *testing.T) {
	for seed := range uint64(10) {
		for _, s := range []synthetic{
			full(seed),
			{seed: seed, cold: 30, warm: 100},
			{seed: seed, cold: 1, warm: 1},
			{seed: seed},
			{seed: seed, cold: 40, warm: 200, failed: 60},
			{seed: seed, cold: 200, warm: 2000, drift: 0.5},
		} {
			r := Compare(s.arm("a"), s.arm("a"), quick)
			if r.Verdict == Regression {
				t.Errorf("%+v against itself: %s", s, r.Rows[0].Why)
			}
			for _, row := range r.Rows {
				if row.Effect != 0 {
					t.Errorf("%+v against itself: %s changed by %v", s, row.Metric, row.Effect)
				}
			}
		}
	}
}

func TestEnoughOfTheSameIsAPass(t *testing.T) {
	a := full(1)
	a.cold, a.warm = 2000, 20_000
	b := a
	b.seed = 2
	r := Compare(a.arm("base"), b.arm("head"), quick)
	for _, row := range r.Rows {
		if row.Verdict != Pass {
			t.Errorf("%s: %s, %s", row.Metric, row.Verdict, row.Why)
		}
	}
	if r.Verdict != Pass || r.ExitCode(true) != ExitPass || len(r.Rows) != len(Metrics) {
		t.Errorf("verdict %s of %d rows", r.Verdict, len(r.Rows))
	}
}

func TestSlowdownOfThirtyPercentIsFound(t *testing.T) {
	const runs = 20
	found := map[Metric]int{}
	for seed := range uint64(runs) {
		base := synthetic{seed: 2 * seed, cold: 200, warm: 200}
		head := synthetic{seed: 2*seed + 1, cold: 200, warm: 200, factor: 1.3}
		r := Compare(base.arm("base"), head.arm("head"), quick)
		for _, m := range []Metric{ColdP50, ColdP90, WarmP50} {
			if find(r, m).Verdict == Regression {
				found[m]++
			}
		}
		if r.Verdict != Regression || r.Rows[0].Verdict != Regression {
			t.Errorf("seed %d: %s, and the first row is %s", seed, r.Verdict, r.Rows[0].Verdict)
		}
		if r.ExitCode(false) != ExitInconclusive || r.ExitCode(true) != ExitRegression {
			t.Errorf("exit codes %d and %d", r.ExitCode(false), r.ExitCode(true))
		}
	}
	if found[ColdP50] != runs || found[WarmP50] != runs {
		t.Errorf("medians found %d and %d times of %d", found[ColdP50], found[WarmP50], runs)
	}
	t.Logf("cold p90 found %d times of %d", found[ColdP90], runs)
	if found[ColdP90] < runs/2 {
		t.Errorf("cold p90 found %d times of %d", found[ColdP90], runs)
	}
}

func TestAFalseAlarmIsRare(t *testing.T) {
	const runs = 100
	for _, c := range []struct {
		name  string
		drift float64
		most  float64 // share of comparisons with any regression
	}{
		// α is 1 % over all metrics; three standard errors of 100 runs are 3 %.
		{"independent samples", 0, 0.04},
		// What drifts between two runs can't be told from a change: blocks keep
		// it in bounds, and the report says that it is advisory.
		{"a drift of 5 % that lasts 100 samples", 0.05, 0.10},
	} {
		alarms := 0
		for seed := range uint64(runs) {
			a := synthetic{seed: 2*seed + 1000, cold: 200, warm: 1000, drift: c.drift}
			b := a
			b.seed++
			if Compare(a.arm("base"), b.arm("head"), quick).Verdict == Regression {
				alarms++
			}
		}
		share := float64(alarms) / runs
		t.Logf("%s: %.1f %% false alarms", c.name, 100*share)
		if share > c.most {
			t.Errorf("%s: %.1f %% false alarms", c.name, 100*share)
		}
	}
}

func TestWhatIsNotComparableIsNeverAVerdict(t *testing.T) {
	base := full(1).arm("base")
	slow := full(2)
	slow.factor = 1.5
	quick := Limits{Repeats: 199} // nothing here may reach a verdict anyway
	for _, c := range []struct {
		name    string
		change  func(a *Arm)
		want    string // in the reasons
		verdict Verdict
	}{
		{"an aborted run", func(a *Arm) { a.Run.Status = results.StatusAborted }, "stopped before its end", Inconclusive},
		{"an invalid run", func(a *Arm) { a.Run.Status = results.StatusInvalid }, "invalid", Invalid},
		{"an unknown status", func(a *Arm) { a.Run.Status = "" }, "status", Invalid},
		{"another schema", func(a *Arm) { a.Run.Schema = "coldstorm/0" }, "schema", Invalid},
		{"a spoilt run", func(a *Arm) { a.Run.Notes = []results.Note{{Level: results.LevelSpoil, Text: "the clock jumped"}} }, "the clock jumped", Inconclusive},
		{"another scenario", func(a *Arm) { a.Run.Scenario = "else" }, "scenario", Inconclusive},
		{"another processor", func(a *Arm) { a.Run.Host.CPU = "two" }, "processor", Inconclusive},
		{"another kernel", func(a *Arm) { a.Run.Host.Kernel = "7" }, "kernel", Inconclusive},
		{"more cores", func(a *Arm) { a.Run.Host.Cores = 64 }, "cores", Inconclusive},
		{"environments without limits", func(a *Arm) { a.Run.Host.Limits = false }, "limits", Inconclusive},
		{"another architecture", func(a *Arm) { a.Run.Function.Architecture = "x86_64" }, "architecture", Inconclusive},
		{"other memory", func(a *Arm) { a.Run.Function.MemoryMB = 1769 }, "memory", Inconclusive},
		{"other concurrency", func(a *Arm) { a.Run.Function.Concurrency = 5 }, "concurrency", Inconclusive},
		{"another launcher", func(a *Arm) { a.Run.Host.Launcher = "process" }, "launcher differs", Inconclusive},
		{"another version of a runtime", func(a *Arm) { a.Run.Host.LauncherVersion = "crun version 2" }, "launcher differs", Inconclusive},
		{"a page cache without the function's files", func(a *Arm) { a.Run.Series[0].PageCache.Dropped = true }, "page cache", Inconclusive},
		{"another payload", func(a *Arm) { a.Manifest.Payloads = map[string]string{"small": "bb"} }, "payload small differs", Inconclusive},
		{"a payload less", func(a *Arm) { a.Manifest.Payloads = map[string]string{"large": "aa"} }, "no payload small", Inconclusive},
		{"other arrivals", func(a *Arm) { a.Run.Series[0].Arrivals = "xyz" }, "schedules", Inconclusive},
		{"a generator at its limit", func(a *Arm) {
			a.Run.Series[0].Generator = results.Generator{Limited: true, Why: "one core was full"}
		}, "one core was full", Inconclusive},
		{"dropped load", func(a *Arm) {
			a.Run.Series[0].Counts.Offered += 5
			a.Run.Series[0].Counts.Unsent += 5
		}, "dropped load", Inconclusive},
		{"triggers without an outcome", func(a *Arm) { a.Run.Series[0].Counts.Offered++ }, "account", Inconclusive},
		{"lost samples", func(a *Arm) { a.Samples = a.Samples[:len(a.Samples)-1] }, "2199 samples of 2200", Inconclusive},
		{"a spoilt storm", func(a *Arm) {
			a.Run.Notes = []results.Note{{Level: results.LevelSpoil, Text: "the disk was full", About: "steady"}}
		}, "the disk was full", Inconclusive},
		{"a missing storm", func(a *Arm) { a.Run.Series = nil }, "no storm", Inconclusive},
		{"a new name of the storm", func(a *Arm) { a.Run.Series[0].Name = "other" }, "no storm", Inconclusive},
		{"no evidence of any start", func(a *Arm) {
			for i := range a.Samples {
				a.Samples[i].Start = results.StartUnknown
			}
		}, "no cold sample", Inconclusive},
	} {
		for _, side := range []string{"base", "head"} {
			for _, head := range []Arm{full(2).arm("head"), slow.arm("head")} {
				a, b := full(1).arm("base"), head
				b.Run.Series = slices.Clone(b.Run.Series)
				b.Samples = slices.Clone(b.Samples)
				if side == "base" {
					c.change(&a)
				} else {
					c.change(&b)
				}
				r := Compare(a, b, quick)
				if r.Verdict != c.verdict {
					t.Errorf("%s in %s: %s", c.name, side, r.Verdict)
				}
				text, err := json.Marshal(r)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(string(text), c.want) {
					t.Errorf("%s in %s: %q is not among the reasons: %s", c.name, side, c.want, text)
				}
				if code := r.ExitCode(true); code != ExitInconclusive && code != ExitInvalid {
					t.Errorf("%s in %s: exit code %d", c.name, side, code)
				}
				for _, row := range r.Rows {
					if row.Verdict != Inconclusive && row.Metric != Errors && row.Metric != Cost {
						t.Errorf("%s in %s: %s is a %s", c.name, side, row.Metric, row.Verdict)
					}
				}
			}
		}
	}
	if r := Compare(base, full(2).arm("head"), quick); len(r.Reasons) > 0 {
		t.Errorf("the runs that the cases start from don't compare: %v", r.Reasons)
	}
}

func TestWhatSpoilsOnlyItsOwnRows(t *testing.T) {
	base := full(1).arm("base")
	for _, c := range []struct {
		name   string
		change func(r *results.Run)
		spoilt []Metric
	}{
		{"a lag that a warm median can't bear", func(r *results.Run) { r.Series[0].Lag.P99 = 2 * time.Millisecond }, []Metric{WarmP50, WarmP99}},
		{"other prices", func(r *results.Run) { r.PriceBook.Digest = "other" }, []Metric{Cost}},
		{"another steady rate", func(r *results.Run) { r.Projections[0].Steady.Rate = 11 }, []Metric{Cost}},
		{"no projection", func(r *results.Run) { r.Projections = nil }, []Metric{Cost}},
		{"a model that is not offered", func(r *results.Run) { r.Projections[0].Offered = false }, []Metric{Cost}},
		{"more throttles", func(r *results.Run) {
			r.Series[0].Counts.Throttled, r.Series[0].Counts.Served, r.Series[0].Counts.Warm = 100, 2100, 1900
		}, []Metric{ColdP50, ColdP90, WarmP50, WarmP99, Cost}},
	} {
		head := full(1).arm("head")
		c.change(&head.Run)
		r := Compare(base, head, quick)
		for _, row := range r.Rows {
			barred := len(row.barriers) > 0
			if barred != slices.Contains(c.spoilt, row.Metric) {
				t.Errorf("%s: %s %s, %s", c.name, row.Metric, row.Verdict, row.Why)
			}
		}
	}
}

func TestNoColdSamplesIsInconclusive(t *testing.T) {
	s := synthetic{seed: 1, warm: 4000}
	r := Compare(s.arm("a"), s.arm("b"), quick)
	for _, m := range []Metric{ColdP50, ColdP90} {
		if row := find(r, m); row.Verdict != Inconclusive || !strings.Contains(row.Why, "no cold sample") {
			t.Errorf("%s: %s, %s", m, row.Verdict, row.Why)
		}
	}
	if r.Verdict != Inconclusive || r.ExitCode(false) != ExitInconclusive {
		t.Errorf("the whole is a %s", r.Verdict)
	}
	only := Limits{Repeats: 999, Effect: map[Metric]float64{ColdP50: Off, ColdP90: Off}}
	if r := Compare(s.arm("a"), s.arm("b"), only); len(r.Rows) != 4 {
		t.Errorf("with both cold metrics off there are %d rows", len(r.Rows))
	}
	off := map[Metric]float64{}
	for _, m := range Metrics {
		off[m] = Off
	}
	if r := Compare(s.arm("a"), s.arm("b"), Limits{Effect: off}); r.Verdict != Inconclusive {
		t.Errorf("without a metric it is a %s", r.Verdict)
	}
}

func TestStormsAreJudgedByThemselves(t *testing.T) {
	join := func(id string, a, b Arm) Arm {
		for i := range b.Samples {
			b.Samples[i].Series = "burst"
		}
		b.Run.Series[0].Name = "burst"
		a.Run.ID = id
		a.Run.Series = append(a.Run.Series, b.Run.Series...)
		a.Samples = append(a.Samples, b.Samples...)
		return a
	}
	// Cold starts of the burst are slower, those of the larger storm are not.
	base := join("base", synthetic{seed: 1, cold: 1000}.arm(""), synthetic{seed: 2, cold: 200}.arm(""))
	head := join("head", synthetic{seed: 3, cold: 1000}.arm(""), synthetic{seed: 4, cold: 200, factor: 1.4}.arm(""))
	r := Compare(base, head, quick)
	got := map[string]Verdict{}
	for _, row := range r.Rows {
		if row.Metric == ColdP50 {
			got[row.Series] = row.Verdict
		}
	}
	want := map[string]Verdict{"steady": Pass, "burst": Regression}
	if !reflect.DeepEqual(got, want) || r.Verdict != Regression {
		t.Errorf("cold p50: %v, want %v", got, want)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name       string
		base, head int // failures beside 2,000 served
		want       Verdict
	}{
		{"none", 0, 0, Pass},
		{"few enough", 0, 2, Pass},
		{"many", 0, 40, Regression},
		{"as many as before may be chance", 40, 40, Inconclusive},
		{"far fewer than before", 400, 40, Pass},
		{"a few more than the limit", 0, 4, Inconclusive},
	} {
		base, head := synthetic{seed: 1, warm: 2000, failed: c.base}, synthetic{seed: 2, warm: 2000, failed: c.head}
		row := find(Compare(base.arm("a"), head.arm("b"), quick), Errors)
		if row.Verdict != c.want {
			t.Errorf("%s: %s, %s", c.name, row.Verdict, row.Why)
		}
	}
}

func TestCostFollowsTheDurations(t *testing.T) {
	base, dear := full(1), full(1)
	dear.factor = 1.5
	row := find(Compare(base.arm("a"), dear.arm("b"), quick), Cost)
	if row.Verdict != Regression || row.Interval == nil || row.P != nil {
		t.Errorf("half as long again: %+v", row)
	}
	if row.Effect < 0.08 || row.Effect < row.Interval.Low || row.Effect > row.Interval.High {
		t.Errorf("effect %v in %+v", row.Effect, row.Interval)
	}
	unbilled := base.arm("b")
	for i := range unbilled.Samples {
		unbilled.Samples[i].Billed = 0
	}
	if row := find(Compare(unbilled, unbilled, quick), Cost); row.Verdict != Inconclusive {
		t.Errorf("without billed durations: %s, %s", row.Verdict, row.Why)
	}
}

func TestVerdictDoesNotDependOnChance(t *testing.T) {
	a, b := full(5).arm("a"), full(6).arm("b")
	first, again := Compare(a, b, quick), Compare(a, b, quick)
	if !reflect.DeepEqual(first, again) {
		t.Error("the same two runs get two reports")
	}
	slices.Reverse(b.Samples) // the order of rows in a file says nothing
	if !reflect.DeepEqual(first, Compare(a, b, quick)) {
		t.Error("the order of samples changes the report")
	}
}

func TestEmptyRunsAreInvalid(t *testing.T) {
	r := Compare(Arm{}, Arm{}, Limits{})
	if r.Verdict != Invalid || r.ExitCode(false) != ExitInvalid {
		t.Errorf("%s", r.Verdict)
	}
}
