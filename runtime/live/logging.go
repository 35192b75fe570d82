package live

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/api"
)

// LogFormatJSON has system lines written as events of the Telemetry API, and the
// function's own filtered by their level (AWS Lambda Developer Guide: "Configuring
// advanced logging controls").
const LogFormatJSON = "JSON"

// LogLevels are those of the function's lines, from the least. The system's are DEBUG, INFO
// and WARN of them.
var LogLevels = []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}

// level is a level's place among LogLevels; of an unknown name, and of none, that of INFO.
func level(name string) int {
	if i := slices.Index(LogLevels, strings.ToUpper(name)); i >= 0 {
		return i
	}
	return slices.Index(LogLevels, "INFO")
}

func (c Config) inJSON() bool { return c.LogFormat == LogFormatJSON }

// event adds a system line in JSON, if its level is to be seen.
func (c Config) event(b []byte, of, kind string, at time.Time, r record) []byte {
	if level(of) < level(c.SystemLogLevel) {
		return b
	}
	line, err := json.Marshal(struct {
		Time   string `json:"time"`
		Type   string `json:"type"`
		Record record `json:"record"`
	}{at.UTC().Format("2006-01-02T15:04:05.000Z"), kind, r})
	if err != nil {
		return b
	}
	return append(append(b, line...), '\n')
}

// passes drops of whole lines those in JSON whose level the function's setting hides. One
// without a level counts as INFO; what is no JSON object stays.
func (c Config) passes(lines []byte) []byte {
	least := level(c.LogLevel)
	var kept []byte
	for line := range bytes.Lines(lines) {
		var x struct {
			Level json.RawMessage `json:"level"`
		}
		if bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("{")) && json.Unmarshal(line, &x) == nil {
			var name string
			json.Unmarshal(x.Level, &name)
			if level(name) < least {
				continue
			}
		}
		kept = append(kept, line...)
	}
	return kept
}

// filter is what an output keeps of the function's lines; nil: all.
func (c Config) filter() func([]byte) []byte {
	if !c.inJSON() {
		return nil
	}
	return c.passes
}

// versioned is the level of the line that begins an init or a restore.
func (c Config) versioned() string {
	if c.RuntimeVersion != "" {
		return "INFO"
	}
	return "DEBUG"
}

// version adds the runtime's to a record, if it is known.
func (c Config) version(r record) record {
	if c.RuntimeVersion != "" {
		r["runtimeVersion"], r["runtimeVersionArn"] = c.RuntimeVersion, c.RuntimeVersionARN
	}
	return r
}

// initRecord is what the lines of an init have in common.
func (c Config) initRecord(p initPhase, why *Failure) record {
	r := record{"initializationType": c.InitializationType, "phase": p.phaseName(), "status": "success"}
	why.tell(r)
	return r
}

// tell says in a record how something ended that failed. A nil why is one that went well.
func (f *Failure) tell(r record) {
	switch {
	case f == nil:
	case f.Outcome == results.OutcomeTimedOut:
		r["status"] = "timeout"
	default:
		r["status"], r["errorType"] = "error", f.Type
	}
}

// appendInitEnd is the lines of an init that has ended.
func (c Config) appendInitEnd(b []byte, took time.Duration, p initPhase, why *Failure) []byte {
	if !c.inJSON() {
		if why == nil {
			return b
		}
		return appendInitReport(b, took, p, why)
	}
	done, report := "DEBUG", "DEBUG"
	if c.InitializationType != onDemand {
		report = "INFO"
	}
	if why != nil {
		done, report = "WARN", "WARN"
	}
	now := time.Now()
	b = c.event(b, done, "platform.initRuntimeDone", now, c.initRecord(p, why))
	r := c.initRecord(p, why)
	r["metrics"] = metrics(took)
	return c.event(b, report, "platform.initReport", now, r)
}

// appendRestoreEnd is the lines of a restore that has ended.
func (c Config) appendRestoreEnd(b []byte, took time.Duration, why *Failure) []byte {
	if !c.inJSON() {
		return AppendRestoreReport(b, took, why)
	}
	done, report := "DEBUG", "INFO"
	if why != nil {
		done, report = "WARN", "WARN"
	}
	now, r := time.Now(), record{"status": "success"}
	why.tell(r)
	b = c.event(b, done, "platform.restoreRuntimeDone", now, r)
	r["metrics"] = metrics(took)
	return c.event(b, report, "platform.restoreReport", now, r)
}

// appendInvoke is the line that begins an invocation.
func (c Config) appendInvoke(b []byte, r Request) []byte {
	if !c.inJSON() {
		return append(b, "START RequestId: "+r.ID+" Version: "+c.Version+"\n"...)
	}
	return c.event(b, "INFO", "platform.start", time.Now(), c.startRecord(r))
}

// appendInvoked is the lines that end one.
func (c Config) appendInvoked(b []byte, res Result, a api.Response) []byte {
	done, report := "DEBUG", "INFO"
	if eventStatus(res) != "success" {
		done, report = "WARN", "WARN"
	}
	at := res.Evidence.Responded.Time()
	if !c.managed() {
		b = c.event(b, done, "platform.runtimeDone", at, c.doneRecord(res, a))
	}
	return c.event(b, report, "platform.report", at, c.reportRecord(res))
}
