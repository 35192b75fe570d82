package workloads

import (
	"errors"
	"go/build"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
)

func TestBundledWorkloadsMakeTheirPayloads(t *testing.T) {
	for _, w := range Catalogue() {
		if w.Doc == "" || len(w.Sizes) == 0 {
			t.Errorf("%s: doc %q, sizes %v", w.Name, w.Doc, w.Sizes)
		}
		size := w.Sizes[0]
		one, err := w.Payload(size, 1)
		if err != nil {
			t.Fatal(err)
		}
		same, _ := w.Payload(size, 1)
		other, _ := w.Payload(size, 2)
		if string(one) != string(same) || string(one) == string(other) {
			t.Errorf("%s: payloads do not follow their seed", w.Name)
		}
		if _, err := w.Payload("gigantic", 1); err == nil {
			t.Errorf("%s: made a payload of size gigantic", w.Name)
		}
		if err := w.Check(size, 1, []byte("{}")); err == nil {
			t.Errorf("%s: an empty response passes", w.Name)
		}
	}
	if _, ok := Bundled("absent"); ok {
		t.Error("found a workload named absent")
	}
}

func TestBinaryIsThereOrSaysHow(t *testing.T) {
	w, ok := Bundled("thumbnail")
	if !ok {
		t.Fatal("no workload thumbnail")
	}
	built := fstest.MapFS{"bin/" + runtime.GOARCH + "/thumbnail": {Data: []byte("\x7fELF")}}
	if b, err := w.binary(built); string(b) != "\x7fELF" || err != nil {
		t.Errorf("binary %q, error %v", b, err)
	}
	_, err := w.binary(fstest.MapFS{})
	if !errors.Is(err, ErrNotBuilt) || !strings.Contains(err.Error(), "make build") {
		t.Errorf("without the program: error %v, want ErrNotBuilt and how to build", err)
	}
}

// workloads is at the left of the flow, and coldstorm must not carry the Lambda
// client that bundled functions do.
func TestImportsStayAtTheLeft(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	allowed := []string{"coldstorm/workloads", "github.com/goccy/go-yaml/"}
	for _, path := range strings.Fields(string(out)) {
		if !strings.Contains(strings.Split(path, "/")[0], ".") && !strings.HasPrefix(path, "coldstorm") {
			continue // of the standard library
		}
		if !strings.HasPrefix(path, allowed[0]) && !strings.HasPrefix(path, allowed[1]) {
			t.Errorf("workloads depends on %s", path)
		}
	}
	if _, err := build.ImportDir("thumbnail", 0); err != nil {
		t.Errorf("the thumbnail function: %v", err)
	}
}
