package workloads

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed scenarios/*.yaml
var scenarios embed.FS

// DefaultScenario is the name of the scenario that Default returns.
const DefaultScenario = "thumbnail"

// Default is the bundled scenario that runs when none is named.
func Default() Scenario {
	s, err := Embedded(DefaultScenario)
	if err != nil {
		panic(err) // it is embedded, and a test parses it
	}
	return s
}

// Scenarios names the bundled scenarios.
func Scenarios() []string {
	files, err := fs.Glob(scenarios, "scenarios/*.yaml")
	if err != nil {
		panic(err) // the pattern is constant
	}
	var all []string
	for _, f := range files {
		all = append(all, strings.TrimSuffix(path.Base(f), ".yaml"))
	}
	return all
}

// Embedded is a bundled scenario. Paths in it start from the working directory.
func Embedded(name string) (Scenario, error) {
	if !has(Scenarios(), name) {
		return Scenario{}, fmt.Errorf("no bundled scenario is named %q (%s)", name, suggest(name, "scenarios", Scenarios()))
	}
	src, err := scenarios.ReadFile("scenarios/" + name + ".yaml")
	if err != nil {
		return Scenario{}, err
	}
	s, err := Parse(name+".yaml", src)
	s.Dir = "."
	return s, err
}

// ForFunction is the default scenario for a function of one's own: the same
// storms, sweep and projection. Of own, Path, Runtime and Handler are taken,
// payloadFile is the JSON file that every trigger carries; without one that is the
// empty event {}. Both are taken from the working directory and have to be
// there.
func ForFunction(own Function, payloadFile string) (Scenario, error) {
	path := own.Path
	switch {
	case path == "":
		return Scenario{}, errors.New("function: no path is given")
	case own.Runtime != "" && !runtimeNaming.MatchString(own.Runtime):
		return Scenario{}, fmt.Errorf("function: runtime cannot be %q (%s)", own.Runtime, runtimeHint)
	case own.Handler != "" && !handlerNaming.MatchString(own.Handler):
		return Scenario{}, fmt.Errorf("function: handler cannot be %q (%s)", own.Handler, handlerHint)
	}
	s := Default()
	f := defaultFunction()
	f.Path, f.Runtime, f.Handler = path, own.Runtime, own.Handler
	f.Name = f.defaultName()
	if strings.Trim(filepath.ToSlash(filepath.Clean(path)), "./") == "" { // such as "." and ".."
		if whole, err := filepath.Abs(path); err == nil {
			f.Name = Function{Path: whole}.defaultName()
		}
	}
	s.Name, s.Function = f.Name, f
	if !naming.MatchString(s.Name) {
		s.Name = "function"
	}
	s.Project.Instance = "" // of whatever size this function needs
	p := Payload{Name: "empty", Inline: "{}", Weight: 1}
	if payloadFile != "" {
		p = Payload{File: payloadFile, Weight: 1}
		p.Name = p.defaultName()
	}
	s.Payloads = []Payload{p}
	s.Storms = slices.Clone(s.Storms)
	for i := range s.Storms {
		s.Storms[i].Payloads = nil
	}
	s.Sweep.Payload = p.Name
	s.Source, s.Dir = s.Canonical(), "."
	return s, s.absent()
}

// absent says what a scenario made in code names that is not there.
func (s Scenario) absent() error {
	if what, hint := s.functionProblem(); what != "" {
		return fmt.Errorf("function: %s", hinted(what, hint))
	}
	for _, p := range s.Payloads {
		if p.File == "" {
			continue
		}
		if what, hint := s.fileProblem(p); what != "" {
			return fmt.Errorf("payload: %s", hinted(what, hint))
		}
	}
	return nil
}

func hinted(what, hint string) string {
	if hint == "" {
		return what
	}
	return what + " (" + hint + ")"
}
