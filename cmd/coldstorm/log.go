package main

import (
	"os"
	"slices"
	"strings"
)

// logFile is the file of a run's folder that holds the START, END and REPORT
// lines and what the function wrote.
const logFile = "function.log"

// lastLines are the last n lines of function.log that say something of their
// own, indented: the platform's lines are left out.
func lastLines(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	var kept []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if line == "" || slices.ContainsFunc(platformLines, func(p string) bool { return strings.HasPrefix(line, p) }) {
			continue
		}
		kept = append(kept, "    "+line)
	}
	return strings.Join(kept[max(0, len(kept)-n):], "\n")
}

// platformLines are the beginnings of the lines that Lambda writes.
var platformLines = []string{"START ", "END ", "REPORT ", "INIT_REPORT ", "INIT_START ", "RESTORE_REPORT ", "RequestId: "}
