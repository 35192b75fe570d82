package plane_test

import (
	"fmt"
	"time"

	"coldstorm/runtime/plane"
)

// An executor hands events to a plane and carries out its actions. Here the
// first trigger starts an environment, the second finds it idle.
func ExampleLambda() {
	p := plane.NewLambda(plane.LambdaRules{KeepAlive: 10 * time.Minute})
	for _, e := range []plane.Event{
		{Kind: plane.Arrive, Trigger: 0},
		{Kind: plane.Ready, Unit: 1, At: 200 * time.Millisecond},
		{Kind: plane.Done, Unit: 1, Trigger: 0, At: 300 * time.Millisecond},
		{Kind: plane.Arrive, Trigger: 1, At: time.Second},
	} {
		for _, a := range p.Handle(e, nil) {
			switch a.Verb {
			case plane.StartUnit:
				fmt.Println("start environment", a.Unit, "because", a.Cause)
			case plane.Dispatch:
				fmt.Println("trigger", a.Trigger, "in environment", a.Unit, a.Start)
			case plane.Freeze:
				fmt.Println("freeze environment", a.Unit)
			}
		}
	}
	// Output:
	// start environment 1 because deployed
	// trigger 0 in environment 1 cold
	// freeze environment 1
	// trigger 1 in environment 1 warm
}

func ExampleParseSchedule() {
	s, err := plane.ParseSchedule("cron(0 18 ? * MON-FRI *)")
	if err != nil {
		panic(err)
	}
	friday := time.Date(2026, 1, 2, 18, 0, 0, 0, time.UTC)
	fmt.Println(s.Next(friday, friday))
	// Output: 2026-01-05 18:00:00 +0000 UTC
}

// A queue of 25 messages is taken in batches of ten by the five pollers at the
// beginning.
func ExamplePoller() {
	q, p := plane.NewQueue(plane.QueueRules{}), plane.NewPoller(plane.PollerRules{})
	for range 25 {
		q.Send(0, -1)
	}
	p.Observe(0, q.Counts(0).Visible)
	got, _, _ := q.Receive(0, p.Room(), -1)
	var parcels []plane.Parcel
	for _, d := range got {
		parcels = append(parcels, plane.Parcel{Delivery: d})
	}
	for _, batch := range p.Take(0, parcels) {
		fmt.Println(len(batch))
	}
	// Output:
	// 10
	// 10
	// 5
}
