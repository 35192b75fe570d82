package plane

import (
	"testing"
	"time"
)

func TestAnEnvironmentIsRecycledAtItsLifetimeEvenIfBusy(t *testing.T) {
	l := NewLambda(LambdaRules{KeepAlive: -1, Lifetime: time.Hour})
	var at time.Duration
	handle := func(k Kind, u Unit, tr Trigger) []Action {
		return l.Handle(Event{Kind: k, At: at, Unit: u, Trigger: tr}, nil)
	}
	handle(Arrive, 0, 1)
	at = time.Minute // the lifetime begins when it is ready
	handle(Ready, 1, 0)
	at = time.Hour + time.Minute - 1
	if a := handle(Done, 1, 1); len(a) != 1 || a[0].Verb != Freeze {
		t.Errorf("a moment before its end: %+v", a)
	}
	handle(Arrive, 0, 2)
	at++
	if a := handle(Done, 1, 2); len(a) != 1 || a[0].Verb != StopUnit {
		t.Errorf("at its end: %+v", a)
	}
	if a := handle(Arrive, 0, 3); len(a) != 1 || a[0].Verb != StartUnit || a[0].Cause != "expired" {
		t.Errorf("afterwards: %+v", a)
	}
}
