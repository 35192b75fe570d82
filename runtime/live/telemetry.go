package live

import (
	"bytes"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/api"
)

// Telemetry events (AWS documentation: "Lambda Telemetry API Event schema
// reference"). They are made where an extension has subscribed alone.

type record = map[string]any

func metrics(d time.Duration) record { return record{"durationMs": ms(d)} }

// phaseName is the init's as events name it.
func (p initPhase) phaseName() string {
	if p == initOwn {
		return "init"
	}
	return "invoke"
}

func (u *unit) registered(name string, events []string) {
	if events == nil {
		events = []string{}
	}
	u.f.mu.Lock()
	env := u.api
	u.f.mu.Unlock()
	env.Emit("platform.extension", time.Now(), record{"name": name, "state": "Registered", "events": events})
}

// subscribed tells a new subscriber of the init that it is in.
func (u *unit) subscribed() {
	u.f.mu.Lock()
	env, at := u.api, u.began
	u.f.mu.Unlock()
	env.Emit("platform.initStart", at.Time(), u.config.initStartRecord(u.id, u.phase))
}

func (c Config) initStartRecord(id string, p initPhase) record {
	return c.version(record{
		"initializationType": c.InitializationType, "phase": p.phaseName(), "functionName": c.Name, "functionVersion": c.Version,
		"instanceId": id, "instanceMaxMemory": c.MemoryMB << 20,
	})
}

// emitReady tells of an init that has ended well.
func (u *unit) emitReady(env *api.Environment, at results.Stamp) {
	env.Emit("platform.initRuntimeDone", at.Time(), u.config.initRecord(u.phase, nil))
	r := u.config.initRecord(u.phase, nil)
	r["metrics"] = metrics(at.Sub(u.began))
	env.Emit("platform.initReport", at.Time(), r)
}

func (c Config) startRecord(r Request) record {
	rec := record{"requestId": r.ID, "version": c.Version}
	if r.TraceID != "" {
		rec["tracing"] = record{"type": "X-Amzn-Trace-Id", "value": r.TraceID}
	}
	return rec
}

// eventStatus is how events call what became of an invocation.
func eventStatus(res Result) string {
	switch {
	case res.Outcome == results.OutcomeServed:
		return "success"
	case res.Outcome == results.OutcomeTimedOut:
		return "timeout"
	case res.fatal:
		return "failure"
	}
	return "error"
}

// emitEnd tells of the end of an invocation.
func (u *unit) emitEnd(res Result, a api.Response) {
	at := res.Evidence.Responded.Time()
	if !u.config.managed() {
		u.api.Emit("platform.runtimeDone", at, u.config.doneRecord(res, a))
	}
	u.api.Emit("platform.report", at, u.config.reportRecord(res))
}

// doneRecord is of an invocation that has ended, of whose answer a is known.
func (c Config) doneRecord(res Result, a api.Response) record {
	e := res.Evidence
	done := record{"requestId": res.RequestID, "status": eventStatus(res)}
	m := metrics(e.Phases.Invoke + res.within)
	if a.Size > 0 {
		m["producedBytes"] = a.Size
	}
	done["metrics"] = m
	if a.Begun != 0 {
		span := func(name string, from, to results.Stamp) record {
			return record{"name": name, "start": from.Time().UTC().Format("2006-01-02T15:04:05.000Z"), "durationMs": ms(to.Sub(from))}
		}
		done["spans"] = []record{span("responseLatency", a.Delivered, a.Begun), span("responseDuration", a.Begun, a.Received)}
	}
	if res.ErrorType != "" {
		done["errorType"] = res.ErrorType
	}
	return done
}

// reportRecord is of an invocation that has ended. On Managed Instances, which have no
// runtimeDone, nothing is billed by its duration or memory.
func (c Config) reportRecord(res Result) record {
	e := res.Evidence
	rm := record{
		"durationMs": ms(e.Phases.Invoke + res.within), "billedDurationMs": e.Billed.Milliseconds(),
		"memorySizeMB": c.MemoryMB, "maxMemoryUsedMB": (e.MaxMemory + 1<<20 - 1) >> 20,
	}
	if d := res.initDuration(); d > 0 {
		rm["initDurationMs"] = ms(d)
	}
	if c.managed() {
		rm = metrics(e.Phases.Invoke + res.within)
	}
	r := record{"requestId": res.RequestID, "status": eventStatus(res), "metrics": rm}
	if res.ErrorType != "" {
		r["errorType"] = res.ErrorType
	}
	return r
}

// tellLines passes on what the function wrote. What extensions write comes by the
// same pipes, and can't be told apart.
func (u *unit) tellLines(lines []byte) {
	env := u.lines.Load()
	if env == nil || !env.Telemetry() {
		return
	}
	now := time.Now()
	for line := range bytes.Lines(lines) {
		env.Emit("function", now, string(line))
	}
}
