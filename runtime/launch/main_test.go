package launch

import (
	"os"
	"testing"
)

// TestMain lets the test binary stand in for coldstorm's hidden verb.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "__launcher" {
		os.Exit(Daemon())
	}
	os.Exit(m.Run())
}
