package invoke

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"coldstorm/runtime/plane"
)

// EventInvokeConfig says what becomes of a function's asynchronous events (AWS
// API reference: FunctionEventInvokeConfig).
type EventInvokeConfig struct {
	FunctionArn              string
	LastModified             float64 // seconds since 1970
	MaximumRetryAttempts     *int    `json:",omitempty"`
	MaximumEventAgeInSeconds *int    `json:",omitempty"`
	DestinationConfig        destinations
}

type destinations struct {
	OnSuccess destination
	OnFailure destination
}

type destination struct {
	Destination string `json:",omitempty"` // ARN
}

// rules are the service's with what the configuration changes.
func (e *EventInvokeConfig) rules(r plane.AsyncRules) plane.AsyncRules {
	if e == nil {
		return r
	}
	set(&r.Retries, e.MaximumRetryAttempts)
	if e.MaximumEventAgeInSeconds != nil {
		r.MaxAge = time.Duration(*e.MaximumEventAgeInSeconds) * time.Second
	}
	return r
}

type eventInput struct {
	MaximumRetryAttempts, MaximumEventAgeInSeconds *int
	DestinationConfig                              *struct{ OnSuccess, OnFailure *destination }
}

func (in eventInput) apply(e *EventInvokeConfig) error {
	if n := in.MaximumRetryAttempts; n != nil {
		if *n < 0 || *n > 2 {
			return outOfRange("maximumRetryAttempts", *n, 0, 2)
		}
		e.MaximumRetryAttempts = n
	}
	if n := in.MaximumEventAgeInSeconds; n != nil {
		if *n < 60 || *n > 21600 {
			return outOfRange("maximumEventAgeInSeconds", *n, 60, 21600)
		}
		e.MaximumEventAgeInSeconds = n
	}
	if d := in.DestinationConfig; d != nil {
		set(&e.DestinationConfig.OnSuccess, d.OnSuccess)
		set(&e.DestinationConfig.OnFailure, d.OnFailure)
	}
	e.LastModified = float64(time.Now().UnixMilli()) / 1000
	return nil
}

func (s *Service) putEventConfig(c *call) (int, any, error)    { return s.setEventConfig(c, true) }
func (s *Service) updateEventConfig(c *call) (int, any, error) { return s.setEventConfig(c, false) }

// setEventConfig replaces a configuration, or changes the one there is.
func (s *Service) setEventConfig(c *call, fresh bool) (int, any, error) {
	var in eventInput
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	var out EventInvokeConfig
	err := s.look(c, func(t target, f *function, _ *version) error {
		if old := f.events[t.key()]; old != nil && !fresh {
			out = *old
		} else if !fresh {
			return noEventConfig(t)
		}
		out.FunctionArn = target{t.name, cmp.Or(t.qualifier, latestVersion)}.arn()
		if err := in.apply(&out); err != nil {
			return err
		}
		kept := out
		f.events[t.key()] = &kept
		return nil
	})
	return http.StatusOK, out, err
}

func noEventConfig(t target) error {
	return missing("The function %s doesn't have an EventInvokeConfig", t.arn())
}

func (s *Service) getEventConfig(c *call) (int, any, error) {
	var out EventInvokeConfig
	err := s.look(c, func(t target, f *function, _ *version) error {
		e := f.events[t.key()]
		if e == nil {
			return noEventConfig(t)
		}
		out = *e
		return nil
	})
	return http.StatusOK, out, err
}

func (s *Service) deleteEventConfig(c *call) (int, any, error) {
	err := s.look(c, func(t target, f *function, _ *version) error {
		if f.events[t.key()] == nil {
			return noEventConfig(t)
		}
		delete(f.events, t.qualifier)
		return nil
	})
	return http.StatusNoContent, nil, err
}

func (s *Service) listEventConfigs(c *call) (int, any, error) {
	var all []EventInvokeConfig
	err := s.look(c, func(_ target, f *function, _ *version) error {
		for _, e := range f.events {
			all = append(all, *e)
		}
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	key := func(e EventInvokeConfig) string { return e.FunctionArn }
	slices.SortFunc(all, func(a, b EventInvokeConfig) int { return cmp.Compare(key(a), key(b)) })
	some, next, err := page(c, maxPage, all, key)
	return http.StatusOK, struct {
		FunctionEventInvokeConfigs []EventInvokeConfig
		NextMarker                 string `json:",omitempty"`
	}{some, next}, err
}
