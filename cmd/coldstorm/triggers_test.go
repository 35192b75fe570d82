package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"coldstorm/runtime/plane"
	"coldstorm/runtime/trigger"
)

func TestSourcesAreReadFromFlags(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var f triggers
	for _, s := range []struct {
		to   interface{ Set(string) error }
		text string
	}{
		{&f.queues, "orders=fn,batch=100,window=5s,max-concurrency=7,visibility=1m,dead-letter=dead,max-receives=3,partial"},
		{&f.queues, "plain=fn"},
		{&f.buckets, "My_Photos/2026=fn,prefix=a/,suffix=.jpg,output=out,field=image"},
		{&f.buckets, "/tmp/x=fn,name=named"},
		{&f.schedules, "rate(5 minutes)=fn"},
		{&f.schedules, "cron(0 10 ? * MON,WED *)=fn,name=ten"},
	} {
		if err := s.to.Set(s.text); err != nil {
			t.Errorf("%s: %v", s.text, err)
		}
	}
	for i, want := range []trigger.Source{
		{Queue: &trigger.Queue{
			Name: "orders", Function: "fn", Rules: plane.PollerRules{BatchSize: 100, Window: 5 * time.Second, Concurrency: 7},
			Visibility: time.Minute, DeadLetter: "dead", MaxReceives: 3, Partial: true,
		}},
		{Queue: &trigger.Queue{Name: "plain", Function: "fn"}},
		{Bucket: &trigger.Bucket{Name: "2026", Folder: here + "/My_Photos/2026", Function: "fn", Prefix: "a/", Suffix: ".jpg", Output: here + "/out", Field: "image"}},
		{Bucket: &trigger.Bucket{Name: "named", Folder: "/tmp/x", Function: "fn"}},
		{Schedule: &trigger.Schedule{Name: "schedule-1", Expression: "rate(5 minutes)", Function: "fn"}},
		{Schedule: &trigger.Schedule{Name: "ten", Expression: "cron(0 10 ? * MON,WED *)", Function: "fn"}},
	} {
		if got := f.all()[i]; written(got) != written(want) {
			t.Errorf("got %s, want %s", written(got), written(want))
		}
	}
}

func written(x trigger.Source) string {
	return fmt.Sprintf("%+v %+v %+v", x.Queue, x.Bucket, x.Schedule)
}

func TestSourcesThatCanNotBeMeantAreRefused(t *testing.T) {
	var f triggers
	for text, to := range map[string]interface{ Set(string) error }{
		"":                        &f.queues,
		"q":                       &f.queues,
		"q=":                      &f.queues,
		"=fn":                     &f.queues,
		"q=fn,":                   &f.queues,
		"q=fn,batch":              &f.queues,
		"q=fn,batch=0":            &f.queues,
		"q=fn,batch=11":           &f.queues,
		"q=fn,window=1500ms":      &f.queues,
		"q=fn,partial=no":         &f.queues,
		"q=fn,dead-letter=":       &f.queues,
		"folder=fn,batch=1":       &f.buckets,
		"rate(1 minute)":          &f.schedules,
		"rate(1 minute)=":         &f.schedules,
		"rate(1 minutes)=fn":      &f.schedules,
		"hourly=fn":               &f.schedules,
		"rate(1 minute)=fn,x=y":   &f.schedules,
		"cron(0 10 * * ? *)fn":    &f.schedules,
		"q=fn,max-concurrency=1":  &f.queues,
		"q=fn,window=301s":        &f.queues,
		"q=fn,visibility=forever": &f.queues,
	} {
		if to.Set(text) == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
