package sim

import (
	"reflect"
	"testing"
	"time"

	"coldstorm/loadgen/storm"
	"coldstorm/results"
	"coldstorm/workloads"
)

// at takes a storm's arrivals, and its copies, from a schedule.
func (c *Config) at(s storm.Schedule) {
	c.Arrivals = nil
	for i := range s.Len() {
		t, _ := s.At(i)
		c.Arrivals = append(c.Arrivals, t)
	}
	c.Copies = copiesOf(s)
}

func copiesOf(s storm.Schedule) *Copies {
	return &Copies{
		Functions: storm.Functions(s), Chilling: storm.Chilling(s),
		Mark: func(i int) storm.Mark { return storm.MarkOf(s, i) },
	}
}

// inTurns sends a storm's triggers to its functions one after the other.
func inTurns(functions int) *Copies {
	return &Copies{Functions: functions, Mark: func(i int) storm.Mark { return storm.Mark{Function: i % functions} }}
}

var lambdas = []workloads.Model{workloads.ModelLambda, workloads.ModelLambdaSnapStart, workloads.ModelLambdaProvisioned}

func TestOneCopyIsTheFunction(t *testing.T) {
	for _, model := range lambdas {
		c := offered(model)
		c.Function.KeepAlive, c.Warm = time.Second, 3
		c.Arrivals = burst(1500) // beyond the quota, then calm, then crowds beyond the keep-alive
		for i := range 1500 {
			c.Arrivals = append(c.Arrivals, time.Duration(i)*10*ms, time.Minute+time.Duration(i/30)*10*time.Second)
		}
		alone := mustRun(t, c)
		c.Copies = inTurns(1)
		if one := mustRun(t, c); !reflect.DeepEqual(one, alone) {
			t.Errorf("%s: one copy came to %+v of peak %d, and the function to %+v of %d", model, one.Counts, one.Peak, alone.Counts, alone.Peak)
		}
		if alone.Counts.Throttled == 0 || alone.Counts.Causes[results.CauseExpired]+alone.Counts.Causes[results.CauseRestored] == 0 {
			t.Errorf("%s: %+v: no throttle or no expiry was compared", model, alone.Counts)
		}
	}
}

func TestEachFunctionOfAStormStartsForItself(t *testing.T) {
	c := sample(workloads.ModelLambda)
	c.Function.KeepAlive = -1
	s := storm.Spread(storm.Gap{N: 500, Gap: 10 * time.Second}, 40, 1.2, 3)
	c.at(s)
	met := map[int]bool{}
	for i := range s.Len() {
		met[storm.MarkOf(s, i).Function] = true
	}
	var cold, answers int
	c.Each = func(a Answer) {
		answers++
		if a.Start == results.StartCold {
			cold++
		}
	}
	o := mustRun(t, c)
	if len(met) < 20 || o.Counts.Cold != len(met) || o.Counts.Warm != 500-len(met) || o.Peak != len(met) {
		t.Errorf("%+v, peak %d, want a cold start for each of %d functions", o.Counts, o.Peak, len(met))
	}
	if cold != o.Counts.Cold || answers != 500 || len(o.Cold) != cold || o.Latency[results.StartCold].N != cold {
		t.Errorf("%d answers, %d of them cold, %d latencies of those", answers, cold, len(o.Cold))
	}
	same(t, "requests billed", float64(o.Usage.Requests), 500)
}

func TestTimelineOfCopiesIsOfAllTogether(t *testing.T) {
	c := sample(workloads.ModelLambda)
	c.Function.KeepAlive = -1
	c.at(storm.Spread(storm.Poisson{Rate: 200, For: 20 * time.Second, Seed: 1}.Draw(), 9, 1, 1))
	o := mustRun(t, c)
	var sum results.TimelinePoint
	for _, p := range o.Timeline {
		count(&sum, &p)
	}
	if sum.Offered != o.Counts.Offered || sum.Completed != o.Counts.Served || sum.Cold != o.Counts.Cold || sum.Throttled != o.Counts.Throttled {
		t.Errorf("the timeline adds up to %+v, the storm to %+v", sum, o.Counts)
	}
	last := o.Timeline[len(o.Timeline)-1]
	if n := last.Starting + last.Idle + last.Busy; n != o.Counts.Cold || n != o.Peak {
		t.Errorf("%d environments at the end and %d at most, want the %d that were started and kept", n, o.Peak, o.Counts.Cold)
	}
}

// Two functions that are called at different times: the environment of the first
// is gone when the second's starts.
func TestEachFunctionKeepsItsEnvironmentsAlive(t *testing.T) {
	c := round(workloads.ModelLambda)
	c.Function.KeepAlive, c.Window = 2*time.Second, 10*time.Second
	c.Arrivals, c.Copies = []time.Duration{0, time.Second, 5 * time.Second, 6 * time.Second}, inTurns(2)
	o := mustRun(t, c)
	if o.Counts.Cold != 4 || o.Peak != 2 { // 0 and 5 s at one function, 1 and 6 s at the other
		t.Errorf("%+v, peak %d, want four cold starts of two environments at a time", o.Counts, o.Peak)
	}
	near(t, "environments", o.Mean*10, 4*2.3, 0.05) // each starts, serves and is kept for 2 s
}

func TestAShareOfStartsIsCold(t *testing.T) {
	s := storm.Chill(storm.Gap{N: 1000, Gap: 50 * ms}, 0.3, 1)
	for model, of := range map[workloads.Model]results.Start{
		workloads.ModelLambda: results.StartCold, workloads.ModelLambdaSnapStart: results.StartRestored, workloads.ModelLambdaProvisioned: results.StartCold,
	} {
		c := offered(model)
		c.Warm = 20
		c.at(s)
		o := mustRun(t, c)
		if n := o.Latency[of].N; n != 300 || o.Counts.Served != 1000 {
			t.Errorf("%s: %d of %d are %s, want 300 of 1000", model, n, o.Counts.Served, of)
		}
	}
}

func TestCopiesShareTheAccount(t *testing.T) {
	cold := func(i int) storm.Mark { return storm.Mark{Cold: i%2 == 0} }
	colds := &Copies{Functions: 2, Chilling: true, Mark: func(i int) storm.Mark { return storm.Mark{Function: i % 2, Cold: true} }}
	for _, test := range []struct {
		name     string
		reserved int
		copies   *Copies
		served   int
		reason   string
	}{
		{"its quota", 0, inTurns(3), 1000, "ConcurrentInvocationLimitExceeded"},
		{"and each what it reserves", 100, inTurns(3), 300, "ReservedFunctionConcurrentInvocationLimitExceeded"},
		{"in twins of their own", 100, colds, 200, "ReservedFunctionConcurrentInvocationLimitExceeded"},
		{"new environments with the twin", 5000, &Copies{Chilling: true, Mark: cold}, 1000, "ReservedFunctionConcurrentInvocationLimitExceeded"},
		{"together with its twin", 100, &Copies{Chilling: true, Mark: cold}, 100, "ReservedFunctionConcurrentInvocationLimitExceeded"},
	} {
		c := sample(workloads.ModelLambda)
		c.Function.Concurrency, c.Copies, c.Arrivals = test.reserved, test.copies, burst(1500)
		c.Arrivals = append(c.Arrivals, time.Minute) // what was let in is let out
		o := mustRun(t, c)
		if o.Counts.Served != test.served+1 || o.Counts.Reasons[test.reason] != 1500-test.served {
			t.Errorf("%s: %+v, want %d of the burst served", test.name, o.Counts, test.served)
		}
	}
}

// AWS lets a function start 100 environments a second after the first 1,000; who finds
// none is not in flight.
func TestTriggersWithoutAnEnvironmentLeaveTheAccount(t *testing.T) {
	c := round(workloads.ModelLambda)
	c.Copies = &Copies{Chilling: true, Mark: func(int) storm.Mark { return storm.Mark{Cold: true} }}
	for _, at := range []time.Duration{0, 5 * time.Second, time.Minute} {
		for range 1000 {
			c.Arrivals = append(c.Arrivals, at)
		}
	}
	if o := mustRun(t, c); o.Counts.Served != 2500 {
		t.Errorf("%+v, want 1000, 500 and 1000 served", o.Counts)
	}
}

func TestTimedOutTriggersOfCopiesLeaveTheAccount(t *testing.T) {
	c := sample(workloads.ModelLambda)
	c.Function.Timeout, c.Copies = 50*ms, inTurns(2)
	c.Arrivals = append(burst(1000), time.Minute, time.Minute)
	if o := mustRun(t, c); o.Counts.TimedOut != 1002 {
		t.Errorf("%+v, want all of them timed out", o.Counts)
	}
}

func TestEachCopyHasASnapshot(t *testing.T) {
	c := round(workloads.ModelLambdaSnapStart)
	c.Arrivals, c.Copies = burst(2), inTurns(4)
	same(t, "cache", mustRun(t, c).Usage.SnapshotCacheGBSeconds, 4*3*3600)
}

func TestCopiesRepeatThemselves(t *testing.T) {
	c := sample(workloads.ModelLambda)
	c.Function.KeepAlive = 300 * ms
	c.at(storm.Chill(storm.Spread(storm.Poisson{Rate: 100, For: 10 * time.Second, Seed: 1}.Draw(), 5, 1, 1), 0.1, 1))
	a, b := mustRun(t, c), mustRun(t, c)
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seed came to two outcomes")
	}
	c.Seed++
	if other := mustRun(t, c); other.All == a.All {
		t.Error("another seed came to the same latencies")
	}
}

func TestModelsOfCopies(t *testing.T) {
	several, cold := inTurns(2), &Copies{Chilling: true, Mark: func(int) storm.Mark { return storm.Mark{Cold: true} }}
	for _, model := range workloads.AllModels {
		lambda := model == workloads.ModelLambda || model == workloads.ModelLambdaSnapStart
		for _, test := range []struct {
			what string
			of   *Copies
			want bool
		}{
			{"no copies", nil, true},
			{"one", inTurns(1), true},
			{"several", several, lambda},
			{"cold ones", cold, lambda || model == workloads.ModelLambdaProvisioned},
		} {
			ok, why := Copied(model, test.of)
			if ok != test.want || ok != (why == "") {
				t.Errorf("%s, %s: %v, %q", model, test.what, ok, why)
			}
			c := offered(model)
			c.Arrivals, c.Copies = burst(2), test.of
			if _, err := Run(c); (err == nil) != test.want {
				t.Errorf("%s, %s: error %v", model, test.what, err)
			}
		}
	}
}

// On this host functions share the cores, and each has launch slots of its own.
func TestCopiesShareThisHost(t *testing.T) {
	p := Profile{
		Init: []time.Duration{10 * ms}, Launch: []time.Duration{50 * ms},
		Payloads: []Payload{{Service: []time.Duration{100 * ms}}},
	}
	for _, test := range []struct {
		name   string
		cores  float64
		warm   int
		copies *Copies
		want   time.Duration // of the last answer
	}{
		{"one core, warm", 1, 1, inTurns(2), 200 * ms},
		{"a launch each at a time", 8, 0, inTurns(2), 160 * ms},
		{"of one function one after the other", 8, 0, inTurns(1), 210 * ms},
		{"a twin is cold, whatever is warm", 8, 1, &Copies{Chilling: true, Mark: func(i int) storm.Mark { return storm.Mark{Cold: i == 1} }}, 160 * ms},
	} {
		c := HostConfig{Profile: p, Arrivals: burst(2), Cores: test.cores, Launches: 1, Copies: test.copies}
		c.Rules.KeepAlive, c.Rules.Warm = time.Minute, test.warm
		o, err := Host(c)
		if err != nil {
			t.Fatal(err)
		}
		if o.Counts.Served != 2 || o.Recover < test.want-ms || o.Recover > test.want+ms {
			t.Errorf("%s: %+v after %v, want both after %v", test.name, o.Counts, o.Recover, test.want)
		}
	}
}
