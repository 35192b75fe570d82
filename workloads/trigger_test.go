package workloads

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// triggerCases has every trigger as a file writes it, and what is read.
var triggerCases = []struct {
	yaml  string
	want  Trigger
	words string
}{
	{"async", Trigger{Kind: TriggerAsync, Retries: 2, RetryDelay: time.Minute, Jitter: 1, MaxAge: 6 * time.Hour}, "async, retries after 1m and 2m"},
	{"{async: {retries: 1, retry_delay: 5s}}", Trigger{Kind: TriggerAsync, Retries: 1, RetryDelay: 5 * sec, Jitter: 1, MaxAge: 6 * time.Hour}, "async, a retry after 5s"},
	{"queue", Trigger{Kind: TriggerQueue, Batch: 10}, "queue, batches of up to 10"},
	{"{queue: {}}", Trigger{Kind: TriggerQueue, Batch: 10}, "queue, batches of up to 10"},
	{"schedule", Trigger{Kind: TriggerSchedule, Retries: 2, RetryDelay: time.Minute, Jitter: 1, MaxAge: 6 * time.Hour}, "schedule, retries after 1m and 2m"},
	{
		"{queue: {batch: 500, window: 2s, concurrency: 4, visibility: 1min, partial: true}}",
		Trigger{Kind: TriggerQueue, Batch: 500, Window: 2 * sec, Concurrency: 4, Visibility: time.Minute, Partial: true},
		"queue, batches of up to 500 gathered for 2s, 4 invocations at once",
	},
	{
		"{bucket: {retries: 0, retry_delay: 200ms, jitter: 0.5, max_age: 60s}}",
		Trigger{Kind: TriggerBucket, RetryDelay: 200 * milli, Jitter: 0.5, MaxAge: time.Minute},
		"bucket, no retries",
	},
}

func TestTriggersOfStorms(t *testing.T) {
	for _, c := range triggerCases {
		s, err := Parse("t.yaml", []byte("function: {path: f}\nstorms: [{shape: burst, n: 2, trigger: "+c.yaml+"}]\n"))
		if err != nil {
			t.Errorf("%s: %v", c.yaml, err)
			continue
		}
		got := s.Storms[0].Trigger
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.yaml, diff)
		}
		if got.String() != c.words || got.Direct() || got.Wrapped() == (got.Kind == TriggerAsync) {
			t.Errorf("%s: %q, direct %t, wrapped %t", c.yaml, got, got.Direct(), got.Wrapped())
		}
		again(t, s)
	}
	if direct := (Trigger{}); !direct.Direct() || direct.Wrapped() || direct.String() != "request" {
		t.Error("the zero trigger is no request")
	}
}

func TestTriggersGoWithTheirStormsAlone(t *testing.T) {
	s, err := Parse("t.yaml", []byte("function: {path: f}\nstorms: [{shape: burst, n: 2}, {name: q, shape: gap, n: 2, gap: 1s, trigger: queue}]\n"))
	if err != nil || !s.Storms[0].Trigger.Direct() || s.Storms[1].Trigger.Kind != TriggerQueue {
		t.Fatalf("%v, error %v", s.Storms, err)
	}
	if strings.Count(string(s.Canonical()), "trigger:") != 1 {
		t.Errorf("written out:\n%s", s.Canonical())
	}
}
