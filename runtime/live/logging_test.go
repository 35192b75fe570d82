package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// logged is one line of a log in JSON.
type logged struct {
	Time, Type, Level, Message string
	Record                     map[string]any
}

func readLog(t *testing.T, text string) (list []logged) {
	t.Helper()
	for line := range strings.Lines(text) {
		var x logged
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			x.Message = strings.TrimSuffix(line, "\n")
		}
		list = append(list, x)
	}
	return list
}

// names are the lines' types, or what the function wrote.
func names(list []logged) string {
	var all []string
	for _, x := range list {
		all = append(all, strings.TrimPrefix(x.Type, "platform.")+x.Message)
	}
	return strings.Join(all, " ")
}

// speaking writes a line of each kind, and fails or dies if it is told so.
var speaking = serve(func(g *guest, id, event string) *Exit {
	g.print(`{"level":"DEBUG","message":"detail"}` + "\n" + `{"level":"error","message":"trouble"}` + "\n" + `{"message":"unlevelled"}` + "\n" + "plain\n")
	switch event {
	case "die":
		return &Exit{Code: 1}
	case "fail":
		g.send("POST", "invocation/"+id+"/error", `{}`, "Lambda-Runtime-Function-Error-Type", "Function.Bad")
	default:
		g.post("invocation/"+id+"/response", "{}")
	}
	return nil
})

func TestLogInJSONByLevels(t *testing.T) {
	for _, tt := range []struct {
		system, own, event, want string
	}{
		{"", "", "x", "start trouble unlevelled plain report"},
		{"DEBUG", "TRACE", "x", "start detail trouble unlevelled plain runtimeDone report"},
		{"WARN", "ERROR", "x", "trouble plain"},
		{"WARN", "FATAL", "fail", "plain runtimeDone report"},
		{"WARN", "FATAL", "die", "plain runtimeDone report"},
	} {
		var log bytes.Buffer
		f, _ := deploy(t, speaking, Config{Log: &log, LogFormat: LogFormatJSON, SystemLogLevel: tt.system, LogLevel: tt.own})
		r := f.Invoke(Request{ID: "one", Payload: []byte(tt.event), Tail: true})
		if got := names(readLog(t, string(r.Tail))); got != tt.want {
			t.Errorf("%s, %s, %s: %s, want %s", tt.system, tt.own, tt.event, got, tt.want)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		begun := strings.Contains(log.String(), "platform.initStart") && strings.Contains(log.String(), "platform.initRuntimeDone") && strings.Contains(log.String(), "platform.initReport")
		if begun != (tt.system == "DEBUG") {
			t.Errorf("%s: of an init on demand: %v\n%s", tt.system, begun, log.String())
		}
	}
}

func TestReportInJSON(t *testing.T) {
	var log bytes.Buffer
	f, _ := deploy(t, speaking, Config{Log: &log, LogFormat: LogFormatJSON, MemoryMB: 256, Version: "3"})
	defer f.Close()
	r := f.Invoke(Request{ID: "one", Payload: []byte("x"), Tail: true, TraceID: "Root=1"})
	list := readLog(t, string(r.Tail))
	start, report := list[0], list[len(list)-1]
	if fmt.Sprint(start.Record) != "map[requestId:one tracing:map[type:X-Amzn-Trace-Id value:Root=1] version:3]" {
		t.Error(start.Record)
	}
	m := report.Record["metrics"].(map[string]any)
	if report.Record["status"] != "success" || m["memorySizeMB"] != 256.0 || m["initDurationMs"].(float64) <= 0 || m["billedDurationMs"] != float64(r.Evidence.Billed.Milliseconds()) {
		t.Error(report.Record)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", report.Time); err != nil {
		t.Error(err)
	}
	r = f.Invoke(Request{ID: "two", Payload: []byte("die"), Tail: true})
	list = readLog(t, string(r.Tail))
	if x := list[len(list)-1].Record; x["status"] != "failure" || x["errorType"] != "Runtime.ExitError" {
		t.Error(x)
	}
}

// An init that fails is told of in the same way, and no line of the text format is there.
func TestFailedInitInJSON(t *testing.T) {
	var log bytes.Buffer
	f, _ := deploy(t, func(*guest) Exit { return Exit{Code: 1} }, Config{Log: &log, LogFormat: LogFormatJSON, SystemLogLevel: "WARN"})
	f.Invoke(Request{ID: "one"})
	f.Close()
	list := readLog(t, log.String())
	if got := names(list); !strings.HasPrefix(got, "initRuntimeDone initReport") || !strings.HasSuffix(got, "runtimeDone report") {
		t.Errorf("%s:\n%s", got, log.String())
	}
	if x := list[0].Record; x["status"] != "error" || x["errorType"] != "Runtime.ExitError" || x["phase"] != "init" {
		t.Error(x)
	}
	for _, word := range []string{"RequestId:", "INIT_"} {
		if strings.Contains(log.String(), word) {
			t.Errorf("%s in a log of JSON:\n%s", word, log.String())
		}
	}
}

func TestLinesOfRestoresInJSON(t *testing.T) {
	c := Config{LogFormat: LogFormatJSON, SnapStart: true, RuntimeVersion: "python:3.12.v16"}.withDefaults()
	for name, lines := range map[string][]byte{
		"restoreStart":                     c.appendStart(nil, "id"),
		"restoreReport":                    c.appendRestoreEnd(nil, time.Second, nil),
		"restoreRuntimeDone restoreReport": c.appendRestoreEnd(nil, time.Second, exitFailure(Exit{Code: 1})),
		"initReport":                       c.appendPublished(nil, time.Second),
		"initRuntimeDone initReport":       c.appendInitEnd(nil, time.Second, initOwn, exitFailure(Exit{Code: 1})),
	} {
		if got := names(readLog(t, string(lines))); got != name {
			t.Errorf("%s, want %s", got, name)
		}
	}
}

func TestFunctionsAreToldOfTheirLog(t *testing.T) {
	c := Config{LogFormat: LogFormatJSON, LogLevel: "WARN", LogGroup: "/mine"}.withDefaults()
	got := "\n" + strings.Join(c.environ("s"), "\n") + "\n"
	for _, want := range []string{"AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=WARN", "AWS_LAMBDA_LOG_GROUP_NAME=/mine"} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("lacks %s:%s", want, got)
		}
	}
}
