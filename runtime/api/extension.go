package api

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"coldstorm/results"
)

// An extension is internal, a part of the runtime's process, or external, a
// process of its own that is named in Config.Extensions. States and their names
// are as in the AWS Runtime Interface Emulator (core/externalagent_states.go).
type extension struct {
	name, id string
	external bool
	invoke   bool // subscribed to events of this kind
	shutdown bool
	state    extensionState
	waiting  *conn    // its event/next blocks
	events   [][]byte // that it hasn't asked for yet, whole responses
}

type extensionState uint8

const (
	extensionStarted extensionState = iota
	extensionRegistered
	extensionReady   // waits in event/next
	extensionRunning // has an event
	extensionInitFailed
	extensionExitFailed
)

func (s extensionState) String() string {
	return [...]string{"Started", "Registered", "Ready", "Running", "InitError", "ExitError"}[s]
}

// ExtensionError is what ended an extension, and with it the environment.
type ExtensionError struct {
	Name string
	Kind string // Extension.InitError or Extension.ExitError
	Type string // as the extension calls it
}

const (
	headerExtensionID   = "Lambda-Extension-Identifier"
	headerExtensionType = "Lambda-Extension-Function-Error-Type"
)

func forbidden(kind, message string) refusal {
	return refusal{http.StatusForbidden, "Extension." + kind, message}
}

func errExtensionTransition(x *extension, to extensionState) refusal {
	return forbidden("InvalidExtensionState", "State transition from "+x.state.String()+" to "+to.String()+
		" failed for extension "+x.name+". Error: State transition is not allowed")
}

// maxExtensions is Lambda's limit (AWS documentation: "Using the Lambda
// extensions API").
const maxExtensions = 10

// register handles the registration of an extension. One without events is how
// aws-lambda-go asks for SIGTERM (GoLangEnableSIGTERM).
func (c *conn) register(req *http.Request) error {
	name := req.Header.Get("Lambda-Extension-Name")
	if name == "" {
		return c.refuse(forbidden("InvalidExtensionName", "Empty extension name"))
	}
	var ask struct {
		Events []string `json:"events"`
		Keys   []string `json:"configurationKeys"`
	}
	if err := json.NewDecoder(io.LimitReader(&c.body, 64<<10)).Decode(&ask); err != nil || len(ask.Keys) > 0 {
		return c.refuse(refusal{http.StatusForbidden, "InvalidRequestFormat", "Invalid request format"})
	}
	x, no := c.env.extend(name, ask.Events)
	if no != nil {
		return c.refuse(*no)
	}
	cfg := c.env.config
	told := map[string]string{"functionName": cfg.FunctionName, "functionVersion": cfg.Version, "handler": cfg.Handler}
	if accepts(req.Header.Get("Lambda-Extension-Accept-Feature"), "accountId") && cfg.AccountID != "" {
		told["accountId"] = cfg.AccountID
	}
	body, err := json.Marshal(told)
	if err != nil {
		return err
	}
	if cfg.Registered != nil {
		cfg.Registered(name, ask.Events)
	}
	return c.reply(http.StatusOK, contentJSON, headerExtensionID+": "+x.id+"\r\n", string(body))
}

func accepts(features, want string) bool {
	for f := range strings.SplitSeq(features, ",") {
		if strings.TrimSpace(f) == want {
			return true
		}
	}
	return false
}

// extend takes an extension in.
func (e *Environment) extend(name string, events []string) (*extension, *refusal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var x *extension
	for _, y := range e.extensions {
		if y.name == name {
			x = y
		}
	}
	external := x != nil && x.external
	for _, event := range events {
		if event != "INVOKE" && (event != "SHUTDOWN" || !external) || event == "INVOKE" && e.config.concurrency() > 1 {
			no := forbidden("InvalidEventType", event+": event type is not allowed")
			return nil, &no
		}
	}
	var no refusal
	switch {
	case external && x.state != extensionStarted:
		no = errExtensionTransition(x, extensionRegistered)
	case external:
	case e.state != started:
		no = forbidden("RegistrationClosed", "Extension registration closed already")
	case x != nil:
		no = forbidden("InvalidExtensionState", "Extension with this name already registered")
	case len(e.extensions) >= maxExtensions:
		no = forbidden("TooManyExtensions", "Extension limit (10) reached")
	default:
		x = &extension{name: name, id: NewID()}
		e.extensions = append(e.extensions, x)
	}
	if no.kind != "" {
		return nil, &no
	}
	x.state = extensionRegistered
	x.invoke, x.shutdown = slices.Contains(events, "INVOKE"), slices.Contains(events, "SHUTDOWN")
	return x, nil
}

// caller is the registered extension that sent a request. The caller of this
// holds the lock.
func (e *Environment) caller(req *http.Request) (*extension, *refusal) {
	id := req.Header.Get(headerExtensionID)
	var no refusal
	switch i := slices.IndexFunc(e.extensions, func(x *extension) bool { return x.id == id && x.state != extensionStarted }); {
	case id == "":
		no = forbidden("MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
	case i >= 0:
		return e.extensions[i], nil
	case !isID(id):
		no = forbidden("InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")
	default:
		no = forbidden("UnknownExtensionIdentifier", "Unknown extension "+id)
	}
	return nil, &no
}

// extensionNext blocks until there is an event, for ever if the extension
// subscribed to none. Its first ask ends the extension's part of init.
func (c *conn) extensionNext(req *http.Request) error {
	e := c.env
	at := results.Now()
	e.mu.Lock()
	x, no := e.caller(req)
	if no == nil && (x.state == extensionInitFailed || x.state == extensionExitFailed) {
		r := errExtensionTransition(x, extensionReady)
		no = &r
	}
	if no != nil {
		e.mu.Unlock()
		return c.refuse(*no)
	}
	if e.closed || e.left {
		e.mu.Unlock()
		return ErrClosed
	}
	if len(x.events) > 0 {
		b := x.events[0]
		x.events, x.state = x.events[1:], extensionRunning
		e.mu.Unlock()
		_, err := c.net.Write(b)
		return err
	}
	x.state = extensionReady
	if w := x.waiting; w != nil && w != c { // the extension has hung up
		close(w.wake)
	}
	x.waiting = c
	hook := e.quiet()
	e.mu.Unlock()
	if hook != nil {
		hook(at)
	}
	return c.await()
}

// extensionFails handles init/error and exit/error of an extension: the
// environment is of no more use.
func (c *conn) extensionFails(req *http.Request, to extensionState, kind string) error {
	e := c.env
	e.mu.Lock()
	x, no := e.caller(req)
	why := req.Header.Get(headerExtensionType)
	again := false
	if no == nil {
		again = x.state == to
		switch {
		case why == "":
			r := forbidden("MissingHeader", headerExtensionType+" not found")
			no = &r
		case again || x.state == extensionRegistered || to == extensionExitFailed && x.state != extensionInitFailed:
			x.state = to
		default:
			r := errExtensionTransition(x, to)
			no = &r
		}
	}
	e.mu.Unlock()
	if no != nil {
		return c.refuse(*no)
	}
	err := c.ok()
	if !again && e.config.ExtensionError != nil { // the first alone counts
		e.config.ExtensionError(ExtensionError{x.name, kind, why})
	}
	return err
}

// quiet is called when the runtime or an extension asks for work. It returns
// the hook to call once the lock is released, or nil: that init has finished, or
// that the environment may be frozen, which is so when all of them wait. The
// caller holds the lock.
func (e *Environment) quiet() (hook func(results.Stamp)) {
	for _, x := range e.extensions {
		if !e.announced && x.state < extensionReady || x.state == extensionRunning && x.invoke {
			return nil
		}
	}
	switch {
	case !e.announced && e.state == ready:
		e.announced = true
		return e.config.Ready
	case e.announced && e.asked > 0:
		e.asked--
		return e.config.Idle
	}
	return nil
}

// invokeEvent is what extensions are told of an invocation.
type invokeEvent struct {
	Type     string   `json:"eventType"`
	Deadline int64    `json:"deadlineMs"`
	Request  string   `json:"requestId"`
	ARN      string   `json:"invokedFunctionArn"`
	Tracing  *tracing `json:"tracing,omitempty"`
}

type tracing struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// tellInvoke queues an INVOKE event for those that want it. The caller holds the
// lock, and sends what is returned once it doesn't.
func (e *Environment) tellInvoke(p *pending) (send func()) {
	ev := invokeEvent{Type: "INVOKE", Deadline: p.Deadline.UnixMilli(), Request: p.ID, ARN: p.ARN}
	if p.TraceID != "" {
		ev.Tracing = &tracing{"X-Amzn-Trace-Id", p.TraceID}
	}
	return e.tell(ev, func(x *extension) bool { return x.invoke })
}

// Shutdown sends SHUTDOWN to the extensions that want it, with its reason
// (spindown, timeout or failure), and reports whether there are any.
func (e *Environment) Shutdown(reason string, deadline time.Time) bool {
	ev := struct {
		Type     string `json:"eventType"`
		Reason   string `json:"shutdownReason"`
		Deadline int64  `json:"deadlineMs"`
	}{"SHUTDOWN", reason, deadline.UnixMilli()}
	wants := func(x *extension) bool { return x.shutdown }
	e.mu.Lock()
	some := slices.ContainsFunc(e.extensions, wants)
	send := e.tell(ev, wants)
	e.mu.Unlock()
	send()
	return some
}

// tell queues an event for extensions. The caller holds the lock, and calls what
// is returned once it doesn't.
func (e *Environment) tell(event any, wants func(*extension) bool) (send func()) {
	body, err := json.Marshal(event)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	var to []*conn
	var what [][]byte
	for _, x := range e.extensions {
		if x.state == extensionStarted || !wants(x) {
			continue
		}
		var head conn
		b := head.head(http.StatusOK, contentJSON, len(body))
		b = header(b, "Lambda-Extension-Event-Identifier", NewID())
		b = append(append(b, "\r\n"...), body...)
		if x.waiting == nil {
			x.events = append(x.events, b)
			continue
		}
		to, what = append(to, x.waiting), append(what, b)
		x.waiting, x.state = nil, extensionRunning
	}
	return func() {
		for i, c := range to {
			c.wake <- woken{raw: what[i]}
		}
	}
}

// External reports whether an external extension has registered.
func (e *Environment) External() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(e.extensions, func(x *extension) bool { return x.external && x.state != extensionStarted })
}

// NewID returns a random version 4 UUID, as request ids are.
func NewID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[0:], b[0:4])
	hex.Encode(s[9:], b[4:6])
	hex.Encode(s[14:], b[6:8])
	hex.Encode(s[19:], b[8:10])
	hex.Encode(s[24:], b[10:16])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}

// isID reports whether s has the form of a UUID.
func isID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (s[i] == '-') || !dash && !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

// Exit is how a process ended that was started by the sandbox's supervisor.
type Exit struct {
	Name   string `json:"name"` // of an extension; empty for the runtime
	Code   int    `json:"code"`
	Signal int    `json:"signal"` // that ended it, or 0
	Why    string `json:"why"`    // it couldn't be started; else empty
}

// exited handles what the supervisor says: no part of Lambda's APIs.
func (c *conn) exited() error {
	var x Exit
	if json.NewDecoder(io.LimitReader(&c.body, 64<<10)).Decode(&x) != nil {
		return c.refuse(errTruncated)
	}
	if c.env.config.Exited != nil {
		c.env.config.Exited(x)
	}
	return c.ok()
}
