package launch

import (
	"context"
	"strings"
	"testing"
)

// TestFirstOfTheMute says that a program that closes stdout and lives on is no start.
func TestFirstOfTheMute(t *testing.T) {
	l := start(t, Config{})
	_, _, _, err := l.First(context.Background(), Spec{ID: "mute-1", Image: insideImage(t), Argv: []string{TaskDir + "/bootstrap", "mute"}})
	if err == nil || !strings.Contains(err.Error(), "first byte of sandbox mute-1: EOF (signal: killed)") {
		t.Errorf("error %v", err)
	}
}
