package life

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

// told is a record of units, each written as its stages and the seconds at which they
// began.
func told(lives ...map[Stage]int) *Record {
	var r Record
	for i, l := range lives {
		for s := range stages {
			if at, ok := l[s]; ok {
				r.Enter(int32(i+1), s, time.Duration(at)*time.Second)
			}
		}
	}
	return &r
}

// whole is a life in which each stage takes so many seconds as its number, from 1.
var whole = map[Stage]int{Missing: 0, Placed: 1, Creating: 3, Starting: 6, Serving: 10, Draining: 15, Stopping: 21, Removing: 28, Ended: 36}

// said writes rows, with medians in seconds.
func said(rows []results.StateTime) (list []string) {
	for _, r := range rows {
		list = append(list, fmt.Sprintf("%s: %d, %d still, %g", r.State, r.Units, r.Still, r.Time.P50.Seconds()))
	}
	return list
}

func TestEveryServiceHasItsStatesInOrder(t *testing.T) {
	for _, c := range []struct {
		words Words
		want  []string
	}{
		{Task, []string{
			"PROVISIONING: 1, 0 still, 1", "PENDING: 1, 0 still, 5", "ACTIVATING: 1, 0 still, 4", "RUNNING: 1, 0 still, 5",
			"DEACTIVATING: 1, 0 still, 6", "STOPPING: 1, 0 still, 7", "DEPROVISIONING: 1, 0 still, 8", "STOPPED: 1, 1 still, 0",
		}},
		{Pod, []string{
			"Pending, unscheduled: 1, 0 still, 1", "Pending, scheduled: 1, 0 still, 2", "ContainerCreating: 1, 0 still, 3",
			"Running, not ready: 1, 0 still, 4", "Ready: 1, 0 still, 5", "Terminating: 1, 0 still, 21", "gone: 1, 1 still, 0",
		}},
		{FargatePod, []string{
			"Pending: 1, 0 still, 6", "Running, not ready: 1, 0 still, 4", "Ready: 1, 0 still, 5", "Terminating: 1, 0 still, 21", "gone: 1, 1 still, 0",
		}},
		{Instance, []string{"pending: 1, 0 still, 5", "running: 1, 0 still, 15", "shutting-down: 1, 0 still, 15", "terminated: 1, 1 still, 0"}},
	} {
		if got := said(told(whole).Times(c.words, time.Minute)); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %s\nwant %s", c.words.Of, strings.Join(got, "; "), strings.Join(c.want, "; "))
		}
	}
}

func TestALifeCountsUpToTheEnd(t *testing.T) {
	for end, want := range map[int]string{
		0:  "PROVISIONING: 1, 1 still, 0",
		2:  "PROVISIONING: 1, 0 still, 1; PENDING: 1, 1 still, 0",
		12: "PROVISIONING: 1, 0 still, 1; PENDING: 1, 0 still, 5; ACTIVATING: 1, 0 still, 4; RUNNING: 1, 1 still, 0",
	} {
		if got := strings.Join(said(told(whole).Times(Task, time.Duration(end)*time.Second)), "; "); got != want {
			t.Errorf("to %d s: %s, want %s", end, got, want)
		}
	}
}

func TestAStateThatNobodyKnowsHasNoRow(t *testing.T) {
	crashed := map[Stage]int{Serving: 0, Ended: 9}
	if got, want := said(told(crashed, whole).Times(Task, time.Minute)), "RUNNING: 2, 0 still, 5"; !slices.Contains(got, want) {
		t.Errorf("%v has no %s: the median of 5 and 9 s is the lower", got, want)
	}
	if got := said(told(crashed).Times(Task, time.Minute)); !slices.Equal(got, []string{"RUNNING: 1, 0 still, 9", "STOPPED: 1, 1 still, 0"}) {
		t.Errorf("%v", got)
	}
}

func TestAStageIsEnteredOnceAndNeverBackwards(t *testing.T) {
	var r Record
	for _, e := range []struct {
		s  Stage
		at time.Duration
	}{{Serving, 1}, {Draining, 3}, {Draining, 5}, {Serving, 6}, {Stopping, 2}, {Ended, 7}} {
		r.Enter(1, e.s, e.at*time.Second)
	}
	want := []string{"RUNNING: 1, 0 still, 2", "DEACTIVATING: 1, 0 still, 0", "STOPPING: 1, 0 still, 4", "STOPPED: 1, 1 still, 0"}
	if got := said(r.Times(Task, time.Minute)); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
