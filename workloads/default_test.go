package workloads

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestDefaultNeedsNothing(t *testing.T) {
	s := Default()
	if s.Name != DefaultScenario || s.Function.Workload == "" || len(s.Storms) == 0 {
		t.Errorf("default scenario %q of workload %q has %d storms", s.Name, s.Function.Workload, len(s.Storms))
	}
	for _, p := range s.Payloads {
		if p.File != "" {
			t.Errorf("payload %s needs file %s", p.Name, p.File)
		}
	}
}

func TestScenariosAreAllEmbedded(t *testing.T) {
	if got, want := Scenarios(), []string{"burst", "containers", "events", "own-function", "storms", "thumbnail"}; !slices.Equal(got, want) {
		t.Errorf("scenarios %v, want %v", got, want)
	}
	for _, name := range Scenarios() {
		if s, err := Embedded(name); err != nil || s.Name != name || s.Dir != "." {
			t.Errorf("%s: named %q, from %q, error %v", name, s.Name, s.Dir, err)
		}
	}
	if _, err := Embedded("bust"); err == nil || !strings.Contains(err.Error(), "did you mean burst?") {
		t.Errorf("scenario bust: error %v, want one that names burst", err)
	}
}

// folder makes a folder with the files, of which those named bootstrap can be
// executed, and makes it the working directory.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return dir
}

func TestForFunction(t *testing.T) {
	folder(t, map[string]string{"fn/bootstrap": "", "my.zip": "PK", "layout/oci-layout": "{}", "my-image.tar": "", "events/read.json": `{"op": "read"}`})
	for _, c := range []struct{ rule, path, payload, name, body string }{
		{"a directory without a payload gets the empty event", "fn", "", "fn", "{}"},
		{"an image layout", "layout", "", "layout", "{}"},
		{"a saved image", "my-image.tar", "", "my-image", "{}"},
		{"an image in a registry", "registry.example:5000/team/fn:1.2", "", "fn", "{}"},
		{"one that Docker's registry has", "team/fn@sha256:0123", "", "fn", "{}"},
		{"a zip with a payload", "./my.zip", "events/read.json", "my", `{"op": "read"}`},
	} {
		s, err := ForFunction(Function{Path: c.path}, c.payload)
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		body, err := s.Body(s.Payloads[0])
		if s.Name != c.name || s.Function.Path != c.path || string(body) != c.body || err != nil {
			t.Errorf("%s: named %q, path %q, body %q, error %v", c.rule, s.Name, s.Function.Path, body, err)
		}
		if len(s.Storms) != len(Default().Storms) || s.Sweep.Payload != s.Payloads[0].Name {
			t.Errorf("%s: %d storms, sweep of payload %q", c.rule, len(s.Storms), s.Sweep.Payload)
		}
		again(t, s)
	}
}

func TestForFunctionNamesAFunctionByItsFolder(t *testing.T) {
	dir := folder(t, map[string]string{"bootstrap": ""})
	s, err := ForFunction(Function{Path: "."}, "")
	want := Function{Path: dir}.defaultName()
	if err != nil || s.Function.Name != want {
		t.Errorf("name %q, error %v, want %q", s.Function.Name, err, want)
	}
}

func TestForFunctionSaysWhatIsMissing(t *testing.T) {
	folder(t, map[string]string{"fn/bootstrap": "", "empty/README": "", "notes.txt": "hello", "event.json": "{"})
	for _, c := range []struct {
		rule          string
		own           Function
		payload, want string
	}{
		{"no path", Function{}, "", "no path is given"},
		{"no such path", Function{Path: "fm"}, "", "there is no function at fm"},
		{"a directory without a bootstrap", Function{Path: "empty", Runtime: "provided.al2023"}, "", "empty has no bootstrap"},
		{"a text file", Function{Path: "notes.txt"}, "", "neither a directory nor a zip"},
		{"no such runtime", Function{Path: "fn", Runtime: "Python 3"}, "", `runtime cannot be "Python 3"`},
		{"no such handler", Function{Path: "fn", Handler: "a b"}, "", `handler cannot be "a b"`},
		{"no such payload", Function{Path: "fn"}, "evnt.json", "there is no payload file evnt.json"},
		{"a payload that is a folder", Function{Path: "fn"}, "empty", "empty is not a file"},
		{"a payload that is no JSON", Function{Path: "fn"}, "event.json", "event.json is not JSON"},
	} {
		if _, err := ForFunction(c.own, c.payload); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.rule, err, c.want)
		}
	}
}

func TestLoadChecksTheFilesAtTheirPlace(t *testing.T) {
	dir := folder(t, map[string]string{
		"fn/bootstrap": "",
		"good.yaml":    "function: {path: fn}\npayloads: [{file: good.json}]\nstorms: [{shape: burst, n: 1}]\n",
		"good.json":    "[1]",
		"path.yaml":    "function: {path: fm}\nstorms: [{shape: burst, n: 1}]\n",
		"file.yaml":    "function: {path: fn}\npayloads:\n  - {inline: '{}'}\n  - {name: b, file: bad.json}\nstorms: [{shape: burst, n: 1}]\n",
		"large.yaml":   "function: {path: fn}\npayloads: [{file: large.json}]\nstorms: [{shape: burst, n: 1}]\n",
		"large.json":   `"` + strings.Repeat("x", MaxPayload) + `"`,
	})
	s, err := Load(filepath.Join(dir, "good.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := s.Body(s.Payloads[0]); string(body) != "[1]" || err != nil {
		t.Errorf("body %q, error %v", body, err)
	}
	for file, want := range map[string]string{
		"path.yaml":  "path.yaml:1:18: there is no function at fm",
		"file.yaml":  "file.yaml:4:21: there is no payload file bad.json",
		"large.yaml": "large.yaml:2:19: large.json has 6291558 bytes",
	} {
		if _, err := Load(file); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", file, err, want)
		}
	}
	if _, err := Load("absent.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent scenario: error %v", err)
	}
}

func TestLoadReadsAnEndlessFileNoFurtherThanItsBound(t *testing.T) {
	_, err := Load("/dev/zero")
	var p *Problem
	if !errors.As(err, &p) || !strings.Contains(p.What, "more than") {
		t.Errorf("error %v, want one of the size", err)
	}
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: error %v", err)
	}
}
