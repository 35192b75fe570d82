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
