// Package coldstorm_test holds the rules of the house as tests: which package
// may import which, and that each says what it is for.
package coldstorm_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath string
	Name       string
	Doc        string
	Imports    []string
}

// packages lists every package of the module.
func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Name,Doc,Imports", "coldstorm/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages, want the whole module", len(all))
	}
	return all
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath == "coldstorm" {
			continue // tests alone
		}
		if len(p.Doc) < 40 {
			t.Errorf("%s: package doc %q says too little", p.ImportPath, p.Doc)
		}
	}
}

func TestNoPackageHasANameThatSaysNothing(t *testing.T) {
	for _, p := range packages(t) {
		switch p.Name {
		case "util", "utils", "common", "helpers", "types", "manager", "runtime", "misc":
			t.Errorf("%s: a package is a noun that a reader would say", p.ImportPath)
		}
	}
}
