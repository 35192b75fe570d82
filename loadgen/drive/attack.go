package drive

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"coldstorm/loadgen/storm"
)

// Attack is a storm at one URL.
type Attack struct {
	URL    string      // http or https
	Socket string      // path of a unix socket to connect to instead of the URL's host
	Method string      // POST by default
	Header http.Header // sent with each trigger; Host too is taken from it

	// Route, if set, is asked for each trigger, by its position, at which of Routes
	// it goes: URLs on URL's host. It is called from many goroutines, and has to give
	// the same answer each time.
	Route  func(seq int) int
	Routes []string

	// Targets, if there are any, are what triggers go to in turn, by their position,
	// in the place of URL, Method, Header and Payloads. Each host has Connections.
	Targets []Target

	// Payloads are the event bodies; each trigger carries one, chosen by Weight
	// from Seed and its position alone. None: triggers carry no body.
	Payloads []Payload
	Schedule storm.Schedule
	Seed     int64
	Series   string // the storm's name in its samples

	Timeout     time.Duration // from the send to the last byte; 905 s by default, as Lambda allows 900 s
	Connections int           // at most open at once; 2,048 by default
	Lead        time.Duration // how long before its send a trigger is made ready; 20 ms by default
	TLS         *tls.Config   // for https; nil for the defaults
	HTTP2       bool          // many triggers on a connection; http:// with prior knowledge (h2c)

	// Check, if set, is handed the body of each 2xx response; its error makes the
	// trigger failed with reason WrongOutput. It is called from many goroutines
	// and must not keep the body.
	Check func(body []byte) error

	// Refused, if set, is handed the body of each response that is not served: an
	// error's text, say. It is called as Check is.
	Refused func(body []byte)

	// Answered, if set, is handed the position of each trigger that has a response,
	// and that response's header: what the endpoint calls the trigger, say. It is
	// called as Check is.
	Answered func(seq uint64, header http.Header)
}

// Payload is one event body.
type Payload struct {
	Name   string
	Body   []byte
	Weight int // share among the payloads; 0 counts as 1
}

// Defaults of Attack.
const (
	DefaultTimeout     = 905 * time.Second
	DefaultConnections = 2048
	DefaultLead        = 20 * time.Millisecond
)

// withDefaults fills in what is left out and checks the rest.
func (a Attack) withDefaults() (Attack, *url.URL, error) {
	if err := a.checkTargets(); err != nil {
		return a, nil, err
	}
	u, err := url.Parse(a.URL)
	switch {
	case err != nil:
		return a, nil, err
	case u.Scheme != "http" && u.Scheme != "https":
		return a, nil, fmt.Errorf("URL %q: scheme must be http or https", a.URL)
	case u.Host == "":
		return a, nil, fmt.Errorf("URL %q has no host", a.URL)
	case a.Schedule == nil:
		return a, nil, errors.New("no schedule")
	case a.Timeout < 0 || a.Connections < 0 || a.Lead < 0:
		return a, nil, errors.New("negative timeout, connections or lead")
	}
	if err := a.checkRoutes(u); err != nil {
		return a, nil, err
	}
	for _, p := range a.Payloads {
		if p.Weight < 0 {
			return a, nil, fmt.Errorf("payload %s: negative weight", p.Name)
		}
	}
	if a.Method == "" {
		a.Method = http.MethodPost
	}
	if a.Timeout == 0 {
		a.Timeout = DefaultTimeout
	}
	if a.Connections == 0 {
		a.Connections = DefaultConnections
	}
	if a.Lead == 0 {
		a.Lead = DefaultLead
	}
	return a, u, nil
}

// checkRoutes refuses routes that another connection would have to take.
func (a Attack) checkRoutes(u *url.URL) error {
	if (a.Route != nil) != (len(a.Routes) > 0) {
		return errors.New("a route and its routes need each other")
	}
	for _, route := range a.Routes {
		r, err := url.Parse(route)
		if err != nil {
			return err
		}
		if r.Scheme != u.Scheme || r.Host != u.Host {
			return fmt.Errorf("route %q is not on the host of %q", route, a.URL)
		}
	}
	return nil
}
