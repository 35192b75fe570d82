package results

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

// pour sets every field below v to a value of its own, so that a key that is
// lost on the way shows.
func pour(v reflect.Value, next *int64) {
	*next++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(1_800_000_000+*next, 0).UTC()))
		return
	case v.Type() == reflect.TypeFor[Status]():
		v.SetString(string(StatusComplete))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			pour(v.Field(i), next)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		pour(v.Elem(), next)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		pour(v.Index(0), next)
		pour(v.Index(1), next)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			pour(key, next)
			pour(value, next)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		v.SetString(fmt.Sprint("text ", *next))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(float64(*next) + 0.1)
	case reflect.Int, reflect.Int64:
		v.SetInt(*next)
	default:
		panic("no filling for " + v.Type().String())
	}
}

func filled() (Run, Manifest) {
	var run Run
	var manifest Manifest
	next := int64(0)
	pour(reflect.ValueOf(&run).Elem(), &next)
	pour(reflect.ValueOf(&manifest).Elem(), &next)
	run.Schema, manifest.Schema = Schema, Schema
	return run, manifest
}

func TestEveryFieldOfARunReadsBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "run")
	run, manifest := filled()
	if err := Write(dir, run, manifest); err != nil {
		t.Fatal(err)
	}
	gotRun, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	gotManifest, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(run, gotRun); diff != "" {
		t.Errorf("run, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(manifest, gotManifest); diff != "" {
		t.Errorf("manifest, -want +got:\n%s", diff)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%d files in the folder, error %v, want result.json and manifest.json alone", len(entries), err)
	}
}

func TestWriteFillsInSchemaAndID(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "monday")
	if err := Write(dir, Run{}, Manifest{}); err != nil {
		t.Fatal(err)
	}
	run, err := Read(dir)
	if err != nil || run.ID != "monday" || run.Schema != Schema {
		t.Errorf("id %q, schema %q, error %v", run.ID, run.Schema, err)
	}
	if err := Write(dir, Run{Schema: "coldstorm/0"}, Manifest{}); err == nil {
		t.Error("wrote a run of another schema")
	}
}

func TestAFigureThatIsNoNumberIsRefusedAndTheRunKept(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, Run{Scenario: "first"}, Manifest{}); err != nil {
		t.Fatal(err)
	}
	err := Write(dir, Run{BreakEven: []BreakEven{{Rate: math.NaN()}}}, Manifest{})
	if err == nil || !strings.Contains(err.Error(), ResultFile) {
		t.Errorf("error %v, want one that names %s", err, ResultFile)
	}
	if run, err := Read(dir); err != nil || run.Scenario != "first" {
		t.Errorf("scenario %q, error %v, want the run before", run.Scenario, err)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ rule, json, want string }{
		{"an empty file", ``, "unexpected end of JSON"},
		{"no object", `[]`, "line 1: json: cannot unmarshal array"},
		{"no schema", `{"id": "a"}`, "it names no schema"},
		{"another schema", `{"schema": "coldstorm/2", "what": 1}`, `schema "coldstorm/2" is not the one that this version reads`},
		{"an unknown key", `{"schema": "coldstorm/1", "latency": 1}`, "unknown key latency"},
		{"an unknown key below", `{"schema": "coldstorm/1", "series": [{}, {"latency": {"cold": {"n": 1, "p95_ns": 3}}}]}`, "unknown key series[1].latency.cold.p95_ns"},
		{"a key in capitals", `{"schema": "coldstorm/1", "ID": "a"}`, "unknown key ID"},
		{"text for a number", "{\"schema\": \"coldstorm/1\",\n\"took_ns\": \"3s\"}", "line 2: json: cannot unmarshal string"},
		{"a fraction of a nanosecond", `{"schema": "coldstorm/1", "took_ns": 1.5}`, "cannot unmarshal number 1.5"},
		{"a list for an object", `{"schema": "coldstorm/1", "host": []}`, "cannot unmarshal array"},
		{"more after the end", "{\"schema\": \"coldstorm/1\"}\n{}", "line 2: invalid character"},
		{"a cut file", "{\"schema\": \"coldstorm/1\",\n\"series\": [", "unexpected end of JSON"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, ResultFile)
			if err := os.WriteFile(path, []byte(c.json), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want %q and the file's name", err, c.want)
			}
		})
	}
	if _, err := Read(t.TempDir()); !errors.Is(err, ErrNotARun) {
		t.Errorf("an empty folder: error %v, want ErrNotARun", err)
	}
}

// The golden file is the schema: what changes it needs a new version in Schema
// once runs of the old one are kept somewhere.
func TestSchemaOfResultAndManifest(t *testing.T) {
	var b strings.Builder
	for _, part := range []struct {
		file string
		t    reflect.Type
	}{{ResultFile, reflect.TypeFor[Run]()}, {ManifestFile, reflect.TypeFor[Manifest]()}} {
		fmt.Fprintf(&b, "%s %s\n", part.file, Schema)
		describe(&b, part.t, "")
	}
	const golden = "testdata/schema.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("the schema changed (go test -update writes it), -want +got:\n%s", diff)
	}
}

func describe(b *strings.Builder, t reflect.Type, path string) {
	switch t.Kind() {
	case reflect.Slice:
		describe(b, t.Elem(), path+"[]")
	case reflect.Map:
		describe(b, t.Elem(), path+"{"+t.Key().Name()+"}")
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			fmt.Fprintf(b, "  %s %s\n", path, t)
			return
		}
		for i := range t.NumField() {
			f := t.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if options != "" {
				name += "?"
			}
			describe(b, f.Type, strings.TrimPrefix(path+"."+name, "."))
		}
	default:
		fmt.Fprintf(b, "  %s %s\n", path, t.Kind())
	}
}

func TestUnitsStandInKeys(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(t2 reflect.Type) {
		switch t2.Kind() {
		case reflect.Slice, reflect.Map:
			walk(t2.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if seen[t2] || t2 == reflect.TypeFor[time.Time]() {
			return
		}
		seen[t2] = true
		for i := range t2.NumField() {
			f := t2.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case name == "":
				t.Errorf("%s.%s has no key", t2, f.Name)
			case name != strings.ToLower(name):
				t.Errorf("%s.%s: key %s is not lower case", t2, f.Name, name)
			case f.Type == reflect.TypeFor[time.Duration]() && !strings.HasSuffix(name, "_ns"):
				t.Errorf("%s.%s: key %s of a duration does not end in _ns", t2, f.Name, name)
			case f.Type == reflect.TypeFor[USD]() && !strings.HasPrefix(name, "usd"):
				t.Errorf("%s.%s: key %s of an amount does not start with usd", t2, f.Name, name)
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[Run]())
	walk(reflect.TypeFor[Manifest]())
}

func FuzzRead(f *testing.F) {
	run, _ := filled()
	seed := f.TempDir()
	if err := Write(seed, run, Manifest{}); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(seed, ResultFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"schema": "coldstorm/1", "series": [{"latency": {"cold": {"p50_ns": 1}}}]}`))
	f.Add([]byte(`{"schema": "coldstorm/1", "series": {"a": []}, "host": null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var once Run
		if decode(b, &once) != nil {
			return
		}
		dir := t.TempDir()
		if err := Write(dir, once, Manifest{}); err != nil {
			t.Fatalf("what was read can't be written: %v", err)
		}
		twice, err := Read(dir)
		if err != nil {
			t.Fatalf("what was written can't be read: %v", err)
		}
		again := t.TempDir()
		if err := Write(again, twice, Manifest{}); err != nil {
			t.Fatal(err)
		}
		one, _ := os.ReadFile(filepath.Join(dir, ResultFile))
		two, _ := os.ReadFile(filepath.Join(again, ResultFile))
		if once.ID != "" && string(one) != string(two) {
			t.Errorf("not stable:\n%s\n%s", one, two)
		}
	})
}
