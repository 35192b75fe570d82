package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of a subscription's buffers (AWS Runtime Interface Emulator, the JSON
// schema of its Telemetry API; AWS documentation: "Lambda Telemetry API").
const (
	minItems, maxItems, defaultItems = 1000, 10_000, 10_000
	minBytes, maxBytes, defaultBytes = 262_144, 1_048_576, 262_144
	minWait, maxWait, defaultWait    = 25 * time.Millisecond, 30 * time.Second, time.Second
)

// sandboxHost is what extensions call themselves in a destination.
const sandboxHost = "sandbox.localdomain"

// subscription is what an extension asked to be told.
type subscription struct {
	extension string
	schema    string
	types     []string // of platform, function, extension
	items     int
	bytes     int
	wait      time.Duration
	tcp       bool
	address   string // inside the sandbox
	path      string // of HTTP
}

// parseSubscription reads the body of a subscription and fills in defaults. An
// error is the message of a ValidationError.
func parseSubscription(body []byte) (s subscription, err error) {
	var ask struct {
		Schema string   `json:"schemaVersion"`
		Types  []string `json:"types"`
		Buffer struct {
			Items *int `json:"maxItems"`
			Bytes *int `json:"maxBytes"`
			Wait  *int `json:"timeoutMs"`
		} `json:"buffering"`
		To struct {
			Protocol string `json:"protocol"`
			URI      string `json:"URI"`
			Port     int    `json:"port"`
		} `json:"destination"`
	}
	if json.Unmarshal(body, &ask) != nil {
		return s, errors.New("body is not a subscription")
	}
	if len(ask.Types) == 0 {
		return s, errors.New("types: want one of platform, function, extension at least")
	}
	for _, t := range ask.Types {
		if t != "platform" && t != "function" && t != "extension" {
			return s, fmt.Errorf("types: unknown type %q", t)
		}
	}
	s = subscription{schema: ask.Schema, types: ask.Types, items: defaultItems, bytes: defaultBytes, wait: defaultWait}
	ms := int(defaultWait / time.Millisecond)
	for _, b := range []struct {
		name     string
		to       *int
		ask      *int
		min, max int
	}{
		{"maxItems", &s.items, ask.Buffer.Items, minItems, maxItems},
		{"maxBytes", &s.bytes, ask.Buffer.Bytes, minBytes, maxBytes},
		{"timeoutMs", &ms, ask.Buffer.Wait, int(minWait / time.Millisecond), int(maxWait / time.Millisecond)},
	} {
		if b.ask == nil {
			continue
		}
		if *b.ask < b.min || *b.ask > b.max {
			return s, fmt.Errorf("buffering.%s: %d is not in %d to %d", b.name, *b.ask, b.min, b.max)
		}
		*b.to = *b.ask
	}
	s.wait = time.Duration(ms) * time.Millisecond
	return s, s.reach(ask.To.Protocol, ask.To.URI, ask.To.Port)
}

// reach sets the destination.
func (s *subscription) reach(protocol, uri string, port int) error {
	switch protocol {
	case "HTTP":
		u, err := url.Parse(uri)
		if err != nil || u.Scheme != "http" {
			return fmt.Errorf("destination.URI: want http://%s:PORT", sandboxHost)
		}
		if h := u.Hostname(); h != sandboxHost && h != "sandbox" && h != "localhost" && h != "127.0.0.1" {
			return fmt.Errorf("destination.URI: host %q is not %s", h, sandboxHost)
		}
		if port, err = strconv.Atoi(u.Port()); err != nil && u.Port() != "" {
			return errors.New("destination.URI: no port")
		} else if u.Port() == "" {
			port = 80
		}
		if s.path = u.RequestURI(); s.path == "" {
			s.path = "/"
		}
	case "TCP":
		s.tcp = true
	default:
		return fmt.Errorf("destination.protocol: %q is not HTTP or TCP", protocol)
	}
	if port < 1 || port > 65535 {
		return fmt.Errorf("destination: port %d", port)
	}
	s.address = "127.0.0.1:" + strconv.Itoa(port)
	return nil
}

// subscribe handles PUT telemetry and PUT logs, by an extension before init has
// ended. A second one takes the place of the first.
func (c *conn) subscribe(req *http.Request) error {
	e := c.env
	body, err := io.ReadAll(io.LimitReader(&c.body, 64<<10))
	if err != nil {
		return c.refuse(errTruncated)
	}
	e.mu.Lock()
	x, no := e.caller(req)
	closed := e.announced
	e.mu.Unlock()
	name := "Telemetry"
	if strings.HasPrefix(req.URL.Path, "/2020-08-15/") {
		name = "Logs"
	}
	switch {
	case no != nil:
		return c.refuse(*no)
	case e.config.Dial == nil:
		return c.refuse(refusal{http.StatusAccepted, name + ".NotSupported", name + " API is not supported"})
	case closed:
		return c.refuse(refusal{http.StatusForbidden, name + ".SubscriptionClosed", name + " API subscription is closed already"})
	}
	s, err := parseSubscription(body)
	if err != nil {
		return c.refuse(refusal{http.StatusBadRequest, "ValidationError", err.Error()})
	}
	s.extension = x.name
	e.telemetry.add(s, e.config.Dial)
	if e.config.Subscribed != nil {
		e.config.Subscribed()
	}
	e.Emit("platform.telemetrySubscription", time.Now(), map[string]any{"name": s.extension, "state": "Subscribed", "types": s.types})
	return c.reply(http.StatusOK, contentJSON, "", `"OK"`)
}

// wants reports whether an event of this type is asked for.
func (s *subscription) wants(kind string) bool {
	group, _, _ := strings.Cut(kind, ".")
	return slices.Contains(s.types, group)
}
