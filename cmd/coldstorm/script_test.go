package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "__") {
		main() // a process that coldstorm started of itself, by /proc/self/exe
	}
	testscript.Main(m, map[string]func(){"coldstorm": main, "interrupt": interrupt, "beheaded": beheaded, "killed": killed, "leftovers": leftovers, "imagetool": imagetool, "served": served, "awaited": awaited, "post": post, "photo": takePhoto, "pixels": pixels, "endpoint": endpoint, "attacked": attacked})
}

// function builds the program that behaves well or badly as a variable says,
// in a folder that any user can read.
func function(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "bootstrap"), "./testdata/function")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the function: %v\n%s", err, out)
	}
	return dir
}

// TestScripts runs the command line as a person would: each file of
// testdata/script reads like a page of the manual.
func TestScripts(t *testing.T) {
	fn := function(t)
	reference := serveImage(t, filepath.Join(fn, "bootstrap"))
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			case "ci":
				return os.Getenv("CI") == "true", nil
			}
			if file, ok := strings.CutPrefix(cond, "exists:"); ok {
				_, err := os.Stat(file)
				return err == nil, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Setup: func(e *testscript.Env) error {
			for _, name := range []string{"CI", "GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY"} {
				e.Setenv(name, os.Getenv(name))
			}
			e.Setenv("FUNCTION", fn)
			e.Setenv("REFERENCE", reference)
			return nil
		},
	})
}
