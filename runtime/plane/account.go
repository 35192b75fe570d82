package plane

import (
	"errors"
	"time"
)

// Account holds the limits that the functions of one account share in a region:
// so many invocations at once and so many requests a second, of which functions
// may reserve a part (AWS documentation: "Understanding Lambda function
// scaling"). It is asked before a function's own plane is. Like a plane it is
// pure: time comes in with each question. Build it with NewAccount.
//
// AWS counts requests against one quota for all functions. Here the functions
// without a reservation share ten times what is left to them, and each with one
// has ten times its own, so that the sum is the quota and a reservation is a
// guarantee for both.
type Account struct {
	rules     AccountRules
	functions map[string]*share
	rest      share // of functions without a reservation
	reserved  int   // by all functions
}

// AccountRules are the settings of an Account, with AWS's defaults as their zero
// values.
type AccountRules struct {
	// Concurrency is the quota of invocations at once; 0 is 1,000.
	Concurrency int
	// Unreserved is how much of that can't be reserved; 0 is 100, negative none.
	Unreserved int
	// RequestRate is the number of requests a second for one invocation at once;
	// 0 is ten (AWS quota), negative no bound.
	RequestRate float64
}

// share is a part of the account's concurrency. Of a function without a
// reservation only inFlight is used.
type share struct {
	own      bool // reserved
	limit    int
	inFlight int
	requests bucket
}

// ErrUnreservable says that a reservation would leave too little to the others.
var ErrUnreservable = errors.New("reservation leaves too little unreserved concurrency")

// NewAccount returns an account without functions.
func NewAccount(r AccountRules) *Account {
	if r.Concurrency == 0 {
		r.Concurrency = DefaultConcurrency
	}
	switch {
	case r.Unreserved == 0:
		r.Unreserved = 100
	case r.Unreserved < 0:
		r.Unreserved = 0
	}
	if r.RequestRate == 0 {
		r.RequestRate = 10
	}
	a := &Account{rules: r, functions: map[string]*share{}}
	a.rest = a.share(r.Concurrency)
	return a
}

func (a *Account) share(limit int) share {
	s := share{limit: limit}
	if rate := a.rules.RequestRate * float64(limit); rate > 0 {
		s.requests = newBucket(rate, rate)
	}
	return s
}

// Concurrency is the account's quota.
func (a *Account) Concurrency() int { return a.rules.Concurrency }

// Unreserved is what is left to functions without a reservation.
func (a *Account) Unreserved() int { return a.rest.limit }

// Reserved is what a function has reserved, and whether it has reserved anything:
// nothing at all may be reserved, which stops the function.
func (a *Account) Reserved(function string) (n int, own bool) {
	s := a.functions[function]
	if s == nil || !s.own {
		return 0, false
	}
	return s.limit, true
}

// Admit takes a trigger of a function in at time at, or says why not. What was
// taken in must be let out with Leave.
func (a *Account) Admit(function string, at time.Duration) Reason {
	f := a.function(function)
	s, concurrency, rate := &a.rest, ReasonConcurrency, ReasonRate
	if f.own {
		s, concurrency, rate = f, ReasonReservedConcurrency, ReasonReservedRate
	}
	if s.inFlight >= s.limit {
		return concurrency
	}
	if !s.requests.take(at) {
		return rate
	}
	s.inFlight++
	if s != f {
		f.inFlight++
	}
	return ""
}

// Leave lets a trigger out that Admit took in.
func (a *Account) Leave(function string) {
	f := a.function(function)
	f.inFlight--
	if !f.own {
		a.rest.inFlight--
	}
}

// InFlight is how many triggers of a function are in.
func (a *Account) InFlight(function string) int { return a.function(function).inFlight }

func (a *Account) function(name string) *share {
	f := a.functions[name]
	if f == nil {
		f = &share{}
		a.functions[name] = f
	}
	return f
}

// Reserve sets a part of the account's concurrency aside for a function, of
// which it can't have more at once. What it runs already counts.
func (a *Account) Reserve(function string, n int) error {
	f := a.function(function)
	reserved := a.reserved + n
	if f.own {
		reserved -= f.limit
	}
	if n > 0 && a.rules.Concurrency-reserved < a.rules.Unreserved {
		return ErrUnreservable
	}
	if !f.own {
		a.rest.inFlight -= f.inFlight
	}
	running := f.inFlight
	*f = a.share(n)
	f.own, f.inFlight = true, running
	a.setReserved(reserved)
	return nil
}

// Release gives a function's reservation back.
func (a *Account) Release(function string) {
	f := a.function(function)
	if !f.own {
		return
	}
	reserved := a.reserved - f.limit
	*f = share{inFlight: f.inFlight}
	a.rest.inFlight += f.inFlight
	a.setReserved(reserved)
}

// setReserved resizes what is left. Requests that were spent stay spent.
func (a *Account) setReserved(n int) {
	a.reserved = n
	old := a.rest
	a.rest = a.share(a.rules.Concurrency - n)
	a.rest.inFlight = old.inFlight
	if old.requests.size > 0 {
		a.rest.requests.at = old.requests.at
		a.rest.requests.tokens = max(0, a.rest.requests.size-(old.requests.size-old.requests.tokens))
	}
}

// MinUnreserved is how much can't be reserved.
func (a *Account) MinUnreserved() int { return a.rules.Unreserved }
