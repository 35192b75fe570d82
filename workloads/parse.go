package workloads

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Load reads the scenario file at path and checks that the files it names are
// there. What is wrong with the scenario is a *Problem; what is wrong with the
// file itself is the error of package os.
func Load(path string) (Scenario, error) {
	src, err := readBounded(path)
	if err != nil {
		return Scenario{}, fmt.Errorf("read scenario: %w", err)
	}
	s, top, err := parse(path, src)
	if err != nil {
		return Scenario{}, err
	}
	if err := s.present(top); err != nil {
		return Scenario{}, err
	}
	return s, nil
}

// readBounded reads a file, but no more of it than tells that it is too large:
// the size that a device or a pipe states says nothing of what comes.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSource+1))
}

// Parse reads a scenario. name stands in for the file's name: problems name
// it, paths in the scenario start from its folder, and the scenario is called
// by it unless it names itself. Parse opens no file.
func Parse(name string, src []byte) (Scenario, error) {
	s, _, err := parse(name, src)
	return s, err
}

func parse(name string, src []byte) (Scenario, value, error) {
	top, err := open(name, src)
	if err != nil {
		return Scenario{}, top, err
	}
	s := Scenario{Seed: DefaultSeed, Source: slices.Clone(src), Dir: filepath.Dir(name)}
	o, err := read(top, "scenario", scenarioKeys, &s)
	if err != nil {
		return Scenario{}, top, err
	}
	if !o.has("function") {
		return Scenario{}, top, o.problem("function", "scenario has no function", "name it: function: {path: ./fn}, or function: {workload: thumbnail}")
	}
	if len(s.Storms) == 0 && len(s.Sweep.Burst) == 0 {
		return Scenario{}, top, o.problem("storms", "the scenario has neither storms nor a sweep", "add a storm: {shape: burst, n: 10}")
	}
	s.complete(name)
	return s, top, nil
}

// complete gives what the file leaves out its default.
func (s *Scenario) complete(name string) {
	if s.Name == "" {
		s.Name = strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
		if !naming.MatchString(s.Name) {
			s.Name = "scenario"
		}
	}
	s.defaultPayload()
	if s.Models == nil {
		s.Models = slices.Clone(AllModels)
	}
	p := &s.Project
	if p.Rate == 0 {
		p.Rate = DefaultRate
	}
	if p.Region == "" {
		p.Region = DefaultRegion
	}
	if p.Rates == nil {
		p.Rates = DefaultRates()
	}
	if p.CPUFactor == 0 {
		p.CPUFactor = 1
	}
}

// Hash is the SHA-256 of Source, in hexadecimal.
func (s Scenario) Hash() string {
	sum := sha256.Sum256(s.Source)
	return hex.EncodeToString(sum[:])
}
