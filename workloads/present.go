package workloads

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// present checks the files that the scenario names, each at its place.
func (s Scenario) present(top value) error {
	function := child(top, "function")
	if s.Function.Path != "" {
		if what, hint := s.functionProblem(); what != "" {
			return child(function, "path").problem(what, hint)
		}
	}
	payloads := child(top, "payloads")
	for i, p := range s.Payloads {
		if p.File == "" {
			continue
		}
		if what, hint := s.fileProblem(p); what != "" {
			entries, _ := payloads.list("payloads")
			return child(entries[i], "file").problem(what, hint)
		}
	}
	return nil
}

// child finds a key's value in a mapping that was read before.
func child(v value, name string) value {
	if m, ok := v.node.(*ast.MappingNode); ok {
		for _, kv := range m.Values {
			if kv.Key.GetToken().Value == name {
				return value{v.doc, kv.Value}
			}
		}
	}
	return v
}

// functionProblem says what keeps the function's path from being one.
func (s Scenario) functionProblem() (what, hint string) {
	path := s.Resolve(s.Function.Path)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.Function.Reference():
		return "", "" // whether there is such an image, its registry knows
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("there is no function at %s", path), "path names a directory, a zip or a saved image, from the scenario's folder, or an image as registry.example/team/fn:tag"
	case err != nil:
		return err.Error(), ""
	case !info.IsDir() && !strings.EqualFold(filepath.Ext(path), ".zip") && !strings.EqualFold(filepath.Ext(path), ".tar"):
		return fmt.Sprintf("%s is neither a directory nor a zip, nor a tar of an image", path), "name the directory that holds the bootstrap, or end the name of an image in .tar"
	}
	if _, err := os.Stat(filepath.Join(path, "oci-layout")); err == nil {
		return "", ""
	}
	if info.IsDir() && strings.HasPrefix(s.Function.Runtime, "provided") {
		if _, err := os.Stat(filepath.Join(path, "bootstrap")); errors.Is(err, fs.ErrNotExist) {
			return fmt.Sprintf("%s has no bootstrap, which runtime %s executes", path, s.Function.Runtime),
				"a Go function is built with CGO_ENABLED=0 go build -o " + filepath.Join(path, "bootstrap")
		}
	}
	return "", ""
}

// fileProblem says what keeps a payload's file from being an event.
func (s Scenario) fileProblem(p Payload) (what, hint string) {
	_, err := s.readFile(p)
	var bad *badFile
	switch {
	case errors.As(err, &bad):
		return bad.what, bad.hint
	case err != nil:
		return err.Error(), ""
	}
	return "", ""
}

// badFile is a payload's file that can't be an event.
type badFile struct{ what, hint string }

func (b *badFile) Error() string { return b.what }

// object reports whether a payload is an object of a bucket wherever it is used, which may
// hold anything: an image, say. Elsewhere it is an event, or the body of one, in JSON.
func (s Scenario) object(p Payload) bool {
	used := false
	for _, st := range s.Storms {
		if st.Trigger.Kind == TriggerSchedule || len(st.Payloads) > 0 && !slices.Contains(st.Payloads, p.Name) {
			continue
		}
		if used = true; st.Trigger.Kind != TriggerBucket {
			return false
		}
	}
	return used && (len(s.Sweep.Burst) == 0 || s.Sweep.Payload != p.Name)
}

// readFile reads a payload's file.
func (s Scenario) readFile(p Payload) ([]byte, error) {
	path := s.Resolve(p.File)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &badFile{fmt.Sprintf("there is no payload file %s", path), "file names a JSON file, from the scenario's folder"}
	case err != nil:
		return nil, &badFile{err.Error(), ""}
	case !info.Mode().IsRegular():
		return nil, &badFile{fmt.Sprintf("%s is not a file", path), ""}
	case info.Size() > MaxPayload:
		return nil, &badFile{fmt.Sprintf("%s has %d bytes", path, info.Size()), fmt.Sprintf("AWS Lambda takes events of up to %d bytes (6 MB)", MaxPayload)}
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, &badFile{err.Error(), ""}
	}
	if !json.Valid(body) && !s.object(p) {
		return nil, &badFile{path + " is not JSON, which an event has to be", "put other data into a JSON string, in base64; what only storms of trigger bucket use may be any file"}
	}
	return body, nil
}

// Resolve is a path of the scenario, from its folder unless it is absolute.
func (s Scenario) Resolve(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.Dir, path)
}

// Body is the event that the payload stands for: its file's content, its
// inline text, or what the workload's generator makes of size and seed.
func (s Scenario) Body(p Payload) ([]byte, error) {
	switch {
	case p.File != "":
		return s.readFile(p)
	case p.Size != "":
		w, ok := Bundled(s.Function.Workload)
		if !ok {
			return nil, fmt.Errorf("payload %s: size %s without a bundled workload", p.Name, p.Size)
		}
		return w.Payload(p.Size, s.Seed)
	}
	return []byte(p.Inline), nil
}
