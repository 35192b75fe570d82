package plane

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// admit asks n times at a moment, and counts the answers.
func admit(a *Account, function string, n int, at time.Duration) map[Reason]int {
	got := map[Reason]int{}
	for range n {
		got[a.Admit(function, at)]++
	}
	return got
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFunctionsShareAnAccountsThousand(t *testing.T) {
	a := NewAccount(AccountRules{})
	equal(t, admit(a, "f", 600, 0), map[Reason]int{"": 600})
	equal(t, admit(a, "g", 600, 0), map[Reason]int{"": 400, ReasonConcurrency: 200})
	a.Leave("f")
	equal(t, admit(a, "g", 2, 0), map[Reason]int{"": 1, ReasonConcurrency: 1})
}

func TestReservedConcurrencyIsCapAndGuarantee(t *testing.T) {
	a := NewAccount(AccountRules{})
	equal(t, a.Reserve("f", 500), nil)
	equal(t, admit(a, "f", 1000, 0), map[Reason]int{"": 500, ReasonReservedConcurrency: 500})
	equal(t, admit(a, "g", 1000, 0), map[Reason]int{"": 500, ReasonConcurrency: 500})
}

func TestAHundredStayUnreserved(t *testing.T) {
	a := NewAccount(AccountRules{})
	equal(t, a.Reserve("f", 600), nil)
	if err := a.Reserve("g", 301); !errors.Is(err, ErrUnreservable) {
		t.Errorf("got %v", err)
	}
	equal(t, a.Reserve("g", 300), nil)
	equal(t, a.Unreserved(), 100)
	equal(t, a.Reserve("g", 200), nil) // what it had doesn't count twice
	equal(t, a.Unreserved(), 200)
}

func TestAReservationOfNothingStopsAFunction(t *testing.T) {
	a := NewAccount(AccountRules{Concurrency: 10}) // less than what can't be reserved
	equal(t, a.Reserve("f", 0), nil)
	equal(t, admit(a, "f", 1, 0), map[Reason]int{ReasonReservedConcurrency: 1})
	n, own := a.Reserved("f")
	equal(t, []any{n, own}, []any{0, true})
}

func TestAReservationTakesWhatRunsWithIt(t *testing.T) {
	a := NewAccount(AccountRules{})
	admit(a, "f", 300, 0)
	equal(t, a.Reserve("f", 400), nil)
	equal(t, admit(a, "f", 200, 0), map[Reason]int{"": 100, ReasonReservedConcurrency: 100})
	equal(t, admit(a, "g", 700, 0), map[Reason]int{"": 600, ReasonConcurrency: 100})
	a.Release("f")
	equal(t, a.InFlight("f"), 400)
	equal(t, admit(a, "f", 1, 0), map[Reason]int{ReasonConcurrency: 1})
	for range 400 {
		a.Leave("f")
	}
	equal(t, admit(a, "g", 401, 1e9), map[Reason]int{"": 400, ReasonConcurrency: 1})
}

func TestRequestsOfAFunctionAreTenTimesItsReservation(t *testing.T) {
	a := NewAccount(AccountRules{})
	equal(t, a.Reserve("f", 2), nil)
	served := func(at time.Duration, n int) map[Reason]int {
		got := map[Reason]int{}
		for range n {
			r := a.Admit("f", at)
			if got[r]++; r == "" {
				a.Leave("f")
			}
		}
		return got
	}
	equal(t, served(0, 30), map[Reason]int{"": 20, ReasonReservedRate: 10})
	equal(t, served(time.Second/2, 30), map[Reason]int{"": 10, ReasonReservedRate: 20})
}

func TestRequestsOfAnAccountAreTenTimesItsConcurrency(t *testing.T) {
	a := NewAccount(AccountRules{Concurrency: 3})
	for i := range 30 {
		if r := a.Admit("f", 0); r != "" {
			t.Fatalf("request %d: %s", i, r)
		}
		a.Leave("f")
	}
	equal(t, a.Admit("g", 0), ReasonRate)
	equal(t, a.Admit("g", time.Second/30+1), Reason(""))
}

func TestAReservationDoesNotGiveRequestsBack(t *testing.T) {
	a := NewAccount(AccountRules{Concurrency: 1000})
	for range 10000 {
		a.Admit("f", 0)
		a.Leave("f")
	}
	equal(t, a.Reserve("g", 100), nil)
	equal(t, a.Admit("f", 0), ReasonRate)
}
