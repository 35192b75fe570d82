package launch

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// shortRun is a scenario that shows a bundled function start and serve.
const shortRun = `name: hello
function: {workload: hello, memory: 512MB}
payloads: [{name: small, size: small}]
storms:
  - {name: cold, shape: sequence, n: 2, keep_alive: 0}
  - {name: warm, shape: sequence, n: 3}
`

// addColdstorm adds what make build makes for the machine, a scenario for it, and
// the sources that tell TestProbeFromInside a call's number.
func (m vm) addColdstorm(c *cpio, dir string) error {
	build := exec.Command("make", "-C", "../..", "build", "GOARCH="+m.arch, "BIN="+dir)
	build.Env = append(os.Environ(), "MAKEFLAGS=") // of a make that runs this test
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", build, err, text)
	}
	calls, err := callsDir()
	if err != nil {
		return err
	}
	c.add("root/test/hello.yaml", 0o644, []byte(shortRun))
	files := map[string]string{"root/usr/bin/coldstorm": filepath.Join(dir, "coldstorm")}
	for _, arch := range []string{"amd64", "arm64"} {
		files["root/test/allow_"+arch+".go"] = "allow_" + arch + ".go"
		name := "zsysnum_linux_" + arch + ".go"
		files["root/test/calls/"+name] = filepath.Join(calls, name)
	}
	for to, from := range files {
		if err := c.addFile(to, from); err != nil {
			return err
		}
	}
	return nil
}

// callsEnv names the folder that callsDir is to return, for a test binary on a
// machine without Go.
const callsEnv = "COLDSTORM_TEST_CALLS"

// callsDir is the folder with the sources that number each processor's calls.
func callsDir() (string, error) {
	if dir := os.Getenv(callsEnv); dir != "" {
		return dir, nil
	}
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	return filepath.Join(strings.TrimSpace(string(dir)), "unix"), err
}
