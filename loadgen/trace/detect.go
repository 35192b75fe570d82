package trace

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return strings.TrimSpace(string(line))
}

var (
	logLine   = regexp.MustCompile(`^\S+ \S+ .+? \[[^\]]+\] "`)
	resultRow = regexp.MustCompile(`^[0-9]{16,19},[0-9]{3},[0-9]+,`)
)

// detect tells the format from the first line, which may be cut short; empty if it is
// none that is known.
func detect(b []byte) Format {
	line := strings.TrimPrefix(firstLine(b), "\ufeff")
	columns := strings.Split(line, ",")
	for i := range columns {
		columns[i] = strings.Trim(columns[i], `" `)
	}
	has := func(names ...string) bool {
		for _, n := range names {
			if index(columns, n) < 0 {
				return false
			}
		}
		return true
	}
	switch {
	case has("HashOwner", "HashApp", "HashFunction", "Trigger"):
		return Azure2019
	case has("app", "func", "end_timestamp", "duration"):
		return Azure2021
	case has("funcName", "podID"):
		return Huawei2025
	case len(columns) > 2 && columns[0] == "day" && columns[1] == "time":
		return Huawei2023
	case resultRow.MatchString(line):
		return Vegeta
	case strings.HasPrefix(line, "{"):
		return detectJSON(line)
	case logLine.MatchString(line):
		return Log
	case timeColumn(columns) >= 0:
		return CSV
	}
	if _, err := parseTime(columns[0]); err == nil {
		return CSV
	}
	return ""
}

func detectJSON(line string) Format {
	if strings.Contains(line, `"InvocationTimes"`) {
		return IBM
	}
	var row map[string]any
	if json.Unmarshal([]byte(line), &row) != nil {
		return JSON // cut short: its reader says what is wrong
	}
	if row["attack"] != nil && row["latency"] != nil && row["timestamp"] != nil {
		return Vegeta
	}
	return JSON
}

func index(columns []string, name string) int {
	for i, c := range columns {
		if c == name {
			return i
		}
	}
	return -1
}
