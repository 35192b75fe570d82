package trace

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// one names the function of a file that names none.
const one = "function"

// lines calls do with each line that is not blank, and says which failed.
func lines(r *bufio.Reader, do func(line []byte) error) error {
	var long []byte
	for n := 1; ; n++ {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long[:0], line...)
			for errors.Is(err, bufio.ErrBufferFull) {
				line, err = r.ReadSlice('\n')
				long = append(long, line...)
			}
			line = long
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if text := bytes.TrimSpace(line); len(text) > 0 {
			if err := do(text); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
		}
		if err != nil {
			return nil
		}
	}
}

// logTime is the form of times in the common log format.
const logTime = "02/Jan/2006:15:04:05 -0700"

// accessLog reads the common and the combined log format. A function is a method
// and a path, without its query.
func accessLog(m *maker, r *bufio.Reader) error {
	return lines(r, func(line []byte) error {
		before, rest, ok := strings.Cut(string(line), " [")
		stamp, request, ok2 := strings.Cut(rest, `] "`)
		if !ok || !ok2 || before == "" {
			return fmt.Errorf("no line of an access log: %.60q", line)
		}
		at, err := time.Parse(logTime, stamp)
		if err != nil {
			return fmt.Errorf("time %q is not written as %s", stamp, logTime)
		}
		request, _, _ = strings.Cut(request, `"`)
		m.arrive(endpoint(request), clock(at), 0)
		return nil
	})
}

// endpoint is the function that a request line is sent to.
func endpoint(request string) string {
	words := strings.Fields(request)
	if len(words) < 2 {
		return one
	}
	path, _, _ := strings.Cut(words[1], "?")
	return words[0] + " " + path
}

// clock is a time as one of a trace, which begins with its first.
func clock(t time.Time) time.Duration { return time.Duration(t.UnixNano()) }

// timeNames are keys and columns that hold a time, the most telling first.
var timeNames = []string{"timestamp", "@timestamp", "time", "ts", "date", "at", "arrival", "start", "seconds", "s"}

func timeColumn(columns []string) int {
	for _, n := range timeNames {
		for i, c := range columns {
			if strings.EqualFold(c, n) {
				return i
			}
		}
	}
	return -1
}

// jsonLog reads JSON lines with a time: a number of seconds, or of milliseconds,
// microseconds or nanoseconds since 1970 by its size, or text in RFC 3339.
func jsonLog(m *maker, r *bufio.Reader) error {
	return lines(r, func(line []byte) error {
		var row map[string]json.RawMessage
		if err := json.Unmarshal(line, &row); err != nil {
			return fmt.Errorf("no JSON object: %w", err)
		}
		for _, name := range timeNames {
			raw, ok := row[name]
			if !ok {
				continue
			}
			at, err := parseTime(strings.Trim(string(raw), `"`))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			m.arrive(jsonEndpoint(row), at, 0)
			return nil
		}
		return fmt.Errorf("no time: none of %s", strings.Join(timeNames, ", "))
	})
}

func jsonEndpoint(row map[string]json.RawMessage) string {
	text := func(names ...string) string {
		for _, n := range names {
			var s string
			if json.Unmarshal(row[n], &s) == nil && s != "" {
				return s
			}
		}
		return ""
	}
	if f := text("function", "func", "functionName"); f != "" {
		return f
	}
	method, path := text("method", "verb", "request_method"), text("path", "uri", "url", "request_uri")
	if method == "" && path == "" {
		return one
	}
	return endpoint(method + " " + path)
}

// parseTime reads a time: a number, or RFC 3339. A number is of seconds unless it is
// so large that it can only be a time since 1970 in a smaller unit.
func parseTime(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
		switch {
		case n >= 1e17:
			return time.Duration(n), nil
		case n >= 1e14:
			return time.Duration(n) * time.Microsecond, nil
		case n >= 1e11:
			return time.Duration(n) * time.Millisecond, nil
		case n <= maxTime:
			return time.Duration(n) * time.Second, nil
		}
		return 0, fmt.Errorf("time %s is over a century", text)
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		switch {
		case v < 0 || math.IsNaN(v) || v > 1e15:
			return 0, fmt.Errorf("time %s is not within a century from 0", text)
		case v >= 1e14:
			v /= 1e6
		case v >= 1e11:
			v /= 1e3
		}
		if v > maxTime {
			return 0, fmt.Errorf("time %s is over a century", text)
		}
		return toDuration(v), nil
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(form, text); err == nil && t.Year() >= 1970 && t.Year() < 2200 {
			return clock(t), nil
		}
	}
	return 0, fmt.Errorf("%.40q is no time: write seconds, or RFC 3339", text)
}

// timesCSV reads times: the column that is named so, or else the first. A column
// named function, func or app tells functions apart.
func timesCSV(m *maker, r *bufio.Reader) error {
	t, err := newTable(r)
	if err != nil {
		return err
	}
	when, who := timeColumn(t.head), -1
	for _, n := range []string{"function", "func", "name", "app", "path", "url"} {
		if i := index(t.head, n); i >= 0 {
			who = i
			break
		}
	}
	if when < 0 {
		when = 0
		at, err := parseTime(t.head[0])
		if err != nil {
			return fmt.Errorf("line 1: %w", err)
		}
		m.arrive(one, at, 0)
		who = -1
	}
	for {
		ok, err := t.next(max(when, who) + 1)
		if !ok || err != nil {
			return err
		}
		at, err := parseTime(t.row[when])
		if err != nil {
			return t.wrong("%w", err)
		}
		name := one
		if who >= 0 && t.row[who] != "" {
			name = t.row[who]
		}
		m.arrive(name, at, 0)
	}
}

// vegeta reads results that 'vegeta encode' wrote as JSON or CSV. A function is a
// method and a path.
func vegeta(m *maker, r *bufio.Reader) error {
	return lines(r, func(line []byte) error {
		if line[0] == '{' {
			var row struct {
				Timestamp   time.Time
				Method, URL string
			}
			if err := json.Unmarshal(line, &row); err != nil {
				return fmt.Errorf("no result of vegeta: %w", err)
			}
			if row.Timestamp.Year() < 1970 || row.Timestamp.Year() >= 2200 {
				return errors.New("no result of vegeta: it has no timestamp")
			}
			m.arrive(endpoint(row.Method+" "+row.URL), clock(row.Timestamp), 0)
			return nil
		}
		// timestamp_ns,code,latency_ns,bytes out,bytes in,error,body,attack,seq,method,url,headers
		columns := strings.Split(string(line), ",")
		ns, err := strconv.ParseInt(columns[0], 10, 64)
		if err != nil || ns < 0 {
			return fmt.Errorf("no result of vegeta: %.40q is no time in nanoseconds", columns[0])
		}
		name := one
		if len(columns) >= 11 {
			name = endpoint(columns[9] + " " + columns[10])
		}
		m.arrive(name, time.Duration(ns), 0)
		return nil
	})
}

// ibm reads lines of IBM's frames: an application's NamespaceHash and AppHash, its
// InvocationTimes in seconds and its AppExecTimes in milliseconds.
func ibm(m *maker, r *bufio.Reader) error {
	return lines(r, func(line []byte) error {
		var row struct {
			NamespaceHash, AppHash        string
			InvocationTimes, AppExecTimes []float64
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return fmt.Errorf("no line of IBM's trace: %w", err)
		}
		if row.AppHash == "" {
			return errors.New("no line of IBM's trace: it has no AppHash")
		}
		timed := len(row.AppExecTimes) == len(row.InvocationTimes)
		for i, v := range row.InvocationTimes {
			if v < 0 || v > maxTime {
				return fmt.Errorf("InvocationTimes: %v is not within a century from 0", v)
			}
			var took time.Duration
			if timed && row.AppExecTimes[i] > 0 && row.AppExecTimes[i] < 1000*maxTime {
				took = toDuration(row.AppExecTimes[i] / 1000)
			}
			m.arrive(row.NamespaceHash+"/"+row.AppHash, toDuration(v), took)
		}
		return nil
	})
}
