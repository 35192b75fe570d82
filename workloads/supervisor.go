package workloads

import (
	"fmt"
	"io/fs"
	"runtime"
)

// Supervisor is the program that starts a function's extensions and then the
// function in one sandbox: a binary of its own, as the bundled functions are.
func Supervisor() ([]byte, error) {
	b, err := fs.ReadFile(bin, "bin/"+runtime.GOARCH+"/supervisor")
	if err != nil {
		return nil, fmt.Errorf("supervisor: %w; build coldstorm with: make build", ErrNotBuilt)
	}
	return b, nil
}
