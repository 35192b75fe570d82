package results

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// EvidenceHeader carries an Evidence with each response of the engine.
const EvidenceHeader = "Coldstorm-Evidence"

// ReasonHeader names what a response that was not served counts as, where its
// body can't: such as OutOfMemory, for which Lambda's error type is the same as
// for any crash.
const ReasonHeader = "Coldstorm-Reason"

// Evidence is the proof of how an invocation started, as its endpoint stamped
// it. Its zero value, with Start set to StartUnknown, is what an endpoint that
// gives none leaves.
type Evidence struct {
	Environment string // id of the execution environment
	Node        string // that it is placed on; empty: on none that the endpoint tells. Not in a run's samples
	Served      int    // invocations that it had served before this one
	Start       Start
	Cause       Cause  // of a cold start
	Mode        string // how the sandbox was started: cold, pooled or parked; empty when warm
	Phases      Phases // all but transport, which only the client knows

	Moments Moments // of a cold start; none where the endpoint tells phases alone

	Received  Stamp // request at the engine
	Responded Stamp // function's response at the engine

	Billed    time.Duration // billed duration, a whole number of milliseconds, init included
	MaxMemory int64         // bytes, highest use of the environment so far; 0 if not known
	CPU       time.Duration // processor time of the environment during this invocation (and its init, when cold); 0 if not known
}

// momentKey leads the name of a moment in EvidenceHeader.
const momentKey = "at_"

// String encodes the evidence for EvidenceHeader: key=value pairs joined by
// ";", durations and stamps in nanoseconds, zero values left out, values
// escaped as in a URL query.
func (e Evidence) String() string {
	var b strings.Builder
	put := func(k, v string) {
		if v == "" {
			return
		}
		if b.Len() > 0 {
			b.WriteByte(';')
		}
		b.WriteString(k)
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(v))
	}
	num := func(k string, v int64) {
		if v != 0 {
			put(k, strconv.FormatInt(v, 10))
		}
	}
	put("environment", e.Environment)
	put("node", e.Node)
	num("served", int64(e.Served))
	put("start", string(e.Start))
	put("cause", string(e.Cause))
	put("mode", e.Mode)
	for _, p := range PhaseNames {
		num(string(p), int64(e.Phases.Get(p)))
	}
	for m := range moments {
		num(momentKey+m.String(), int64(e.Moments[m]))
	}
	num("received", int64(e.Received))
	num("responded", int64(e.Responded))
	num("billed", int64(e.Billed))
	num("max_memory", e.MaxMemory)
	num("cpu", int64(e.CPU))
	return b.String()
}

// ParseEvidence decodes what String encoded. The empty string is no evidence:
// Start is StartUnknown and the error nil. A key that it doesn't know, a value
// that isn't a number where one belongs, or an unknown start is an error.
func ParseEvidence(s string) (Evidence, error) {
	e := Evidence{Start: StartUnknown}
	if s == "" {
		return e, nil
	}
	for pair := range strings.SplitSeq(s, ";") {
		k, v, ok := strings.Cut(pair, "=")
		if !ok {
			return Evidence{Start: StartUnknown}, fmt.Errorf("evidence: %q is not key=value", pair)
		}
		if err := e.set(k, v); err != nil {
			return Evidence{Start: StartUnknown}, fmt.Errorf("evidence: %s: %w", k, err)
		}
	}
	return e, nil
}

func (e *Evidence) set(k, v string) error {
	switch k {
	case "environment", "node", "start", "cause", "mode":
		text, err := url.QueryUnescape(v)
		if err != nil {
			return err
		}
		switch k {
		case "environment":
			e.Environment = text
		case "node":
			e.Node = text
		case "cause":
			e.Cause = Cause(text)
		case "mode":
			e.Mode = text
		default:
			e.Start = Start(text)
			switch e.Start {
			case StartCold, StartWarm, StartProvisioned, StartRestored, StartUnknown:
			default:
				return fmt.Errorf("unknown start %q", text)
			}
		}
		return nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not a whole number", v)
	}
	switch k {
	case "served":
		e.Served = int(n)
	case "received":
		e.Received = Stamp(n)
	case "responded":
		e.Responded = Stamp(n)
	case "billed":
		e.Billed = time.Duration(n)
	case "max_memory":
		e.MaxMemory = n
	case "cpu":
		e.CPU = time.Duration(n)
	default:
		if name, ok := strings.CutPrefix(k, momentKey); ok && slices.Contains(momentNames[:], name) {
			e.Moments[slices.Index(momentNames[:], name)] = Stamp(n)
			return nil
		}
		if e.Phases.at(Phase(k)) == nil {
			return fmt.Errorf("unknown key")
		}
		e.Phases.Set(Phase(k), time.Duration(n))
	}
	return nil
}
