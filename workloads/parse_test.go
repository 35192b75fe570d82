package workloads

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

// Each testdata/bad/NAME.yaml has one mistake, which its name says, and beside
// it NAME.err: what a person is told.
func TestMistakesAreShownWhereTheyStand(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d bad scenarios, error %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(name+".yaml", src)
			if err == nil {
				t.Fatal("was read without an error")
			}
			if p := (*Problem)(nil); !errors.As(err, &p) {
				t.Fatalf("not a Problem: %v", err)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".err"
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if diff := cmp.Diff(string(want), err.Error()+"\n"); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestShortestScenarioHasTheDocumentedDefaults(t *testing.T) {
	src := []byte("function: {path: ./dir/my.function.zip, architecture: arm64}\nstorms: [{shape: burst, n: 3}]\n")
	got, err := Parse("here/short.yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	want := Scenario{
		Name: "short",
		Function: Function{
			Path: "./dir/my.function.zip", Name: "my-function", MemoryMB: 1769, Timeout: 30 * time.Second,
			KeepAlive: 5 * time.Minute, Architecture: "arm64", Freeze: true,
		},
		Payloads: []Payload{{Name: "empty", Inline: "{}", Weight: 1}},
		Storms:   []Storm{{Name: "burst", Shape: ShapeBurst, N: 3, Fresh: true}},
		Models:   AllModels,
		Project: Project{
			Rate: 10, Region: "us-east-1", Rates: []float64{0.01, 0.1, 1, 10, 100, 1000, 10_000},
			CPUFactor: 1,
		},
		Seed: 1, Source: src, Dir: "here",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestEveryKeyIsRead(t *testing.T) {
	got, err := Parse("full.yaml", []byte(`
seed: -7
models: [ec2, lambda]
storms: # before the payloads that they name
  - {name: a, shape: burst, n: 1_000, payloads: [x], concurrency: 5, warm: 2, fresh: false, keep_alive: 10 min}
  - {name: b, shape: constant, rate: 600/min, for: 1h30m}
  - {name: c, shape: ramp, from: 0, to: 2.5/s, for: 10s}
  - {name: d, shape: gap, n: 3, gap: 200ms, keep_alive: 0}
  - {name: e, shape: sequence, n: 4}
payloads:
  - {name: x, inline: '{"a": 1}', weight: 3}
  - {file: bodies/y.json}
sweep: {burst: [1, 10], repeats: 2, payload: y}
project: {rate: 36/h, objective: 250ms, region: eu-central-1, rates: [1/s, 120/min], instance: m7g.xlarge, cpu_factor: 1.25}
name: full
function:
  path: fn
  name: fn_1
  memory: 1.5 GB
  timeout: 15 min
  concurrency: 20
  keep_alive: 90s
  architecture: x86_64
  freeze: false
  snapstart: true
  runtime: python3.13
  env: {LEVEL: debug, COUNT: 08, "ON": true}
`))
	if err != nil {
		t.Fatal(err)
	}
	zero, ten, five := time.Duration(0), 10*time.Minute, 5
	want := Scenario{
		Name: "full",
		Function: Function{
			Path: "fn", Name: "fn_1", MemoryMB: 1536, Timeout: 15 * time.Minute, Concurrency: 20, KeepAlive: 90 * time.Second,
			Architecture: "x86_64", SnapStart: true, Runtime: "python3.13", Env: map[string]string{"LEVEL": "debug", "COUNT": "08", "ON": "true"},
		},
		Payloads: []Payload{{Name: "x", Inline: `{"a": 1}`, Weight: 3}, {Name: "y", File: "bodies/y.json", Weight: 1}},
		Storms: []Storm{
			{Name: "a", Shape: ShapeBurst, N: 1000, Payloads: []string{"x"}, KeepAlive: &ten, Concurrency: &five, Warm: 2},
			{Name: "b", Shape: ShapeConstant, Rate: 10, For: 90 * time.Minute, Fresh: true},
			{Name: "c", Shape: ShapeRamp, To: 2.5, For: 10 * time.Second, Fresh: true},
			{Name: "d", Shape: ShapeGap, N: 3, Gap: 200 * time.Millisecond, KeepAlive: &zero, Fresh: true},
			{Name: "e", Shape: ShapeSequence, N: 4, Fresh: true},
		},
		Sweep:  Sweep{Burst: []int{1, 10}, Repeats: 2, Payload: "y"},
		Models: []Model{ModelEC2, ModelLambda},
		Project: Project{
			Rate: 0.01, Objective: 250 * time.Millisecond, Region: "eu-central-1", Rates: []float64{1, 2},
			Instance: "m7g.xlarge", CPUFactor: 1.25,
		},
		Seed: -7, Dir: ".",
	}
	got.Source = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTriggers(t *testing.T) {
	for _, c := range []struct {
		rule  string
		storm Storm
		want  int
	}{
		{"a burst has n", Storm{Shape: ShapeBurst, N: 7}, 7},
		{"a constant has rate times time", Storm{Shape: ShapeConstant, Rate: 20, For: 10 * time.Second}, 200},
		{"rounding of a rate loses none", Storm{Shape: ShapeConstant, Rate: 0.1, For: 30 * time.Second}, 3},
		{"a remainder is one more", Storm{Shape: ShapeConstant, Rate: 1, For: 1900 * time.Millisecond}, 2},
		{"the first is sent at once", Storm{Shape: ShapeConstant, Rate: 0.01, For: 30 * time.Second}, 1},
		{"a rate of none has none", Storm{Shape: ShapeRamp, For: time.Minute}, 0},
		{"a ramp has its mean rate times time", Storm{Shape: ShapeRamp, From: 0, To: 10, For: 10 * time.Second}, 50},
	} {
		if got := c.storm.Triggers(); got != c.want {
			t.Errorf("%s: %d triggers, want %d", c.rule, got, c.want)
		}
	}
}

func TestHashIsThatOfTheFile(t *testing.T) {
	a, err := Parse("a.yaml", []byte("function: {path: f}\nstorms: [{shape: burst, n: 1}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	// sha256sum of the line above.
	if got, want := a.Hash(), "95449d190fd524e344221b407934b3ada194053743c9041673b1f9e59b00da17"; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

func TestSourcesThatNoPersonWroteAreRefusedAtOnce(t *testing.T) {
	for _, c := range []struct{ rule, src, want string }{
		{"too large", strings.Repeat("# x\n", maxSource/4+1), "more than 262144"},
		{"brackets in brackets", "a: " + strings.Repeat("[", 100_000), "brackets are nested too deep"},
		{"brackets over lines", "a:\n" + strings.Repeat(" [\n", 50_000), "brackets are nested too deep"},
		{"dashes after dashes", strings.Repeat("- ", 100_000), "lists are nested too deep"},
		{"bytes that are no text", "name: \xff\xfe", "not UTF-8"},
	} {
		if _, err := Parse("odd.yaml", []byte(c.src)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %.200v, want %q", c.rule, err, c.want)
		}
	}
	many := "# " + strings.Repeat("[", 100) + "\n"
	src := many + many + "function: {path: f}\n" + many + "storms: [{shape: burst, n: 1}]\n"
	if _, err := Parse("ascii-art.yaml", []byte(src)); err != nil {
		t.Errorf("brackets in comments: %v", err)
	}
}

func TestALongLineIsShownAroundItsMistake(t *testing.T) {
	src := "function: {path: f}\nstorms: [" + strings.Repeat("{shape: burst, n: 1}, ", 50) + "]\n"
	_, err := Parse("long.yaml", []byte(src))
	if err == nil || !strings.Contains(err.Error(), "two storms are named burst") {
		t.Fatal(err)
	}
	lines := strings.Split(err.Error(), "\n")
	column := strings.Index(lines[2], "^")
	if len(lines[1]) > 160 || !strings.HasPrefix(lines[1][column:], "{shape: burst") {
		t.Errorf("caret at column %d:\n%s", column, err)
	}
}
