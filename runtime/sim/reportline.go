package sim

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// ReportLine is what Lambda logs of an invocation at its end.
type ReportLine struct {
	Duration, Billed time.Duration
	MemoryMB         int
	MaxMemoryMB      int           // 0 if it is not told
	Init             time.Duration // of a cold start; 0 of a warm one
	Restore          time.Duration // of a restored start; 0 of another
}

// Warm reports whether the invocation met a ready environment.
func (l ReportLine) Warm() bool { return l.Init == 0 && l.Restore == 0 }

// ReadReportLines reads the REPORT lines of a log, and leaves out all others: the
// text format, also with something before it and with tabs written as \t, as exports of
// CloudWatch have it, and the JSON format's platform.report. A REPORT line that does
// not say duration and memory size is an error, with its number.
func ReadReportLines(r io.Reader) ([]ReportLine, error) {
	var out []ReportLine
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for n := 1; in.Scan(); n++ {
		l, is, err := reportLine(in.Text())
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if is {
			out = append(out, l)
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("read REPORT lines: %w", err)
	}
	return out, nil
}

// reportLine reads a line of a log, and says whether it is a REPORT line.
func reportLine(s string) (l ReportLine, is bool, err error) {
	if strings.HasPrefix(strings.TrimSpace(s), "{") && strings.Contains(s, `"platform.report"`) {
		return platformReport(s)
	}
	_, fields, found := strings.Cut(s, "REPORT RequestId:")
	if !found {
		return l, false, nil
	}
	for _, f := range strings.Split(strings.ReplaceAll(fields, `\t`, "\t"), "\t") {
		name, value, _ := strings.Cut(f, ":")
		into, mb := l.field(strings.TrimSpace(name))
		if into == nil && mb == nil {
			continue
		}
		number, unit, _ := strings.Cut(strings.TrimSpace(value), " ")
		v, err := strconv.ParseFloat(number, 64)
		if err != nil || !(v >= 0 && v <= 1e9) {
			return l, true, fmt.Errorf("REPORT line: %s of %q", strings.TrimSpace(name), strings.TrimSpace(value))
		}
		switch {
		case into != nil && strings.HasPrefix(unit, "ms"):
			*into = fromMS(v)
		case mb != nil && strings.HasPrefix(unit, "MB"):
			*mb = int(v)
		default:
			return l, true, fmt.Errorf("REPORT line: %s in %q", strings.TrimSpace(name), unit)
		}
	}
	return l, true, l.check()
}

// field is where a field of a REPORT line belongs: a time or a size.
func (l *ReportLine) field(name string) (*time.Duration, *int) {
	switch name {
	case "Duration":
		return &l.Duration, nil
	case "Billed Duration":
		return &l.Billed, nil
	case "Init Duration":
		return &l.Init, nil
	case "Restore Duration":
		return &l.Restore, nil
	case "Memory Size":
		return nil, &l.MemoryMB
	case "Max Memory Used":
		return nil, &l.MaxMemoryMB
	}
	return nil, nil
}

func (l *ReportLine) check() error {
	if l.Duration <= 0 || l.MemoryMB <= 0 {
		return fmt.Errorf("REPORT line without Duration and Memory Size")
	}
	return nil
}

func fromMS(v float64) time.Duration { return time.Duration(math.Round(v * 1e6)) }

// platformReport reads the JSON log format (Telemetry API, schema of December 2022).
func platformReport(s string) (l ReportLine, is bool, err error) {
	var line struct {
		Type   string `json:"type"`
		Record struct {
			Metrics struct {
				Duration  float64 `json:"durationMs"`
				Billed    float64 `json:"billedDurationMs"`
				Memory    float64 `json:"memorySizeMB"`
				MaxMemory float64 `json:"maxMemoryUsedMB"`
				Init      float64 `json:"initDurationMs"`
				Restore   float64 `json:"restoreDurationMs"`
			} `json:"metrics"`
		} `json:"record"`
	}
	if err := json.Unmarshal([]byte(s), &line); err != nil {
		return l, true, fmt.Errorf("platform.report: %w", err)
	}
	if line.Type != "platform.report" {
		return l, false, nil
	}
	m := line.Record.Metrics
	for _, v := range []float64{m.Duration, m.Billed, m.Memory, m.MaxMemory, m.Init, m.Restore} {
		if !(v >= 0 && v <= 1e9) {
			return l, true, fmt.Errorf("platform.report: a metric of %v", v)
		}
	}
	l = ReportLine{
		Duration: fromMS(m.Duration), Billed: fromMS(m.Billed), Init: fromMS(m.Init), Restore: fromMS(m.Restore),
		MemoryMB: int(m.Memory), MaxMemoryMB: int(m.MaxMemory),
	}
	return l, true, l.check()
}
