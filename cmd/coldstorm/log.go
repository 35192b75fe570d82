package main

import (
	"os"
	"strings"
)

// lastLines are the last n lines of function.log that say something of their
// own, indented: the platform's START, END and REPORT lines are left out.
func lastLines(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	var kept []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if line == "" || strings.HasPrefix(line, "START ") || strings.HasPrefix(line, "END ") || strings.HasPrefix(line, "REPORT ") {
			continue
		}
		kept = append(kept, "    "+line)
	}
	return strings.Join(kept[max(0, len(kept)-n):], "\n")
}
