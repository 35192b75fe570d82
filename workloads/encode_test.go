package workloads

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// again parses what Canonical writes and compares.
func again(t *testing.T, s Scenario) {
	t.Helper()
	got, err := Parse("again.yaml", s.Canonical())
	if err != nil {
		t.Fatalf("canonical form is refused: %v\n%s", err, s.Canonical())
	}
	s.Source, got.Source, s.Dir, got.Dir = nil, nil, "", ""
	if diff := cmp.Diff(s, got); diff != "" {
		t.Errorf("read back from the canonical form, -want +got:\n%s", diff)
	}
}

func TestCanonicalReadsBack(t *testing.T) {
	for _, name := range Scenarios() {
		t.Run(name, func(t *testing.T) {
			s, err := Embedded(name)
			if err != nil {
				t.Fatal(err)
			}
			again(t, s)
		})
	}
}

func TestCanonicalQuotesWhatYAMLWouldTakeApart(t *testing.T) {
	s := Default()
	s.Name = "2026"
	s.Function.Env = map[string]string{
		"NUMBER": "08", "TRUTH": "no", "EMPTY": "", "LINES": "a\nb\n\n", "QUOTES": `"'\`, "TABS": "\t x \t",
		"WIDE": "été ☃ 🌩\u2028\u0085\u00a0", "BELL": "\a\v\x01\x7f", "COLON": "a: b # c", "NULL": "~",
	}
	keep := time.Duration(0)
	s.Storms[0].KeepAlive = &keep
	again(t, s)
}

func TestCanonicalReadsBackEveryShape(t *testing.T) {
	var src strings.Builder
	src.WriteString("function: {path: f}\nstorms:\n")
	for _, c := range shapeCases {
		src.WriteString("  - {" + c.yaml + ", warm: 4}\n")
	}
	s, err := Parse("shapes.yaml", []byte(src.String()))
	if err != nil {
		t.Fatal(err)
	}
	again(t, s)
}

func TestPercentReadsBackToTheBit(t *testing.T) {
	for i := range 100_000 {
		share := float64(i+1) / 1000 / 100
		n, err := strconv.ParseFloat(strings.TrimSuffix(percent(share), "%"), 64)
		if err != nil || n/100 != share {
			t.Fatalf("%v is written as %s", share, percent(share))
		}
	}
}

// FuzzParse holds that Parse never panics, that what it refuses it refuses with
// a place in the file, and that what it accepts reads back from Canonical.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "scenarios/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %d files, error %v", pattern, len(files), err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	for _, c := range shapeCases {
		f.Add([]byte("function: {path: f}\nstorms: [{" + c.yaml + ", warm: 4}]\n"))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		s, err := Parse("fuzz.yaml", src)
		if err != nil {
			p, ok := err.(*Problem)
			if !ok || p.Line < 1 || p.Column < 1 || p.What == "" {
				t.Fatalf("not a Problem with a place: %#v", err)
			}
			if p.Error() == "" {
				t.Fatal("a problem without words")
			}
			return
		}
		again(t, s)
	})
}
