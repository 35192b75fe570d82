package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"coldstorm/results"
)

func TestAnAxisTakesNumbersThatAscend(t *testing.T) {
	for text, want := range map[string][]float64{
		"burst=1,10,100":           {1, 10, 100},
		"rate=0.5,2":               {0.5, 2},
		"memory=128, 1769":         {128, 1769},
		"package=0,1KB,2 mb,1GB":   {0, 1 << 10, 2 << 20, 1 << 30},
		"payload=100,1000B,0.5MB":  {100, 1000, 512 << 10},
		"concurrency=1,2":          {1, 2},
		"burst=":                   nil,
		"burst=2,1":                nil,
		"burst=1,1":                nil,
		"burst=1.5":                nil,
		"burst=0":                  nil,
		"burst=NaN":                nil,
		"burst=1e300":              nil,
		"memory=127":               nil,
		"memory=1KB":               nil,
		"payload=7MB":              nil,
		"payload=big":              nil,
		"rate=-1":                  nil,
		"colour=1":                 nil,
		"":                         nil,
		"burst=1,10,100,1000,x":    nil,
		"package=0.3":              nil,
		"concurrency=2,1000000000": nil,
	} {
		a, err := parseAxis(text)
		if err != nil && want != nil || err == nil && !slices.Equal(a.values, want) {
			t.Errorf("%q: %v, %v; want %v", text, a.values, err, want)
		}
	}
}

func TestEveryAxisHasValuesThatItTakesItself(t *testing.T) {
	for _, a := range axes() {
		if b, err := parseAxis(a.name + "=" + a.example()); err != nil || !slices.Equal(a.values, b.values) {
			t.Errorf("%s: %v, %v", a.name, b.values, err)
		}
	}
}

func TestAPaddedEventHasTheSizeAndKeepsItsKeys(t *testing.T) {
	event := []byte(`{"a": 1, "b": {"c": "d"}}`)
	for _, n := range []int{len(event), 60, 61, 1000, 1 << 20} {
		padded, err := padEvent(event, n)
		if err != nil || len(padded) != n {
			t.Fatalf("%d: %d bytes, %v", n, len(padded), err)
		}
		var got struct {
			A int
			B struct{ C string }
		}
		if err := json.Unmarshal(padded, &got); err != nil || got.A != 1 || got.B.C != "d" {
			t.Errorf("%d: %+v, %v", n, got, err)
		}
	}
	for _, bad := range []string{`[1]`, `null`, `"x"`, `{`, ``} {
		if _, err := padEvent([]byte(bad), 100); err == nil {
			t.Errorf("%q was padded", bad)
		}
	}
	if _, err := padEvent(event, 20); err == nil {
		t.Error("an event was cut short")
	}
}

func TestAPaddedPackageIsTheSameBesideItsPadding(t *testing.T) {
	from := t.TempDir()
	if err := os.WriteFile(filepath.Join(from, "bootstrap"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	to, err := pad(from, t.TempDir(), 1<<16, 1)
	if err != nil {
		t.Fatal(err)
	}
	noise, err := os.ReadFile(filepath.Join(to, padding))
	if err != nil || len(noise) != 1<<16 {
		t.Fatalf("%d bytes, %v", len(noise), err)
	}
	if info, err := os.Stat(filepath.Join(to, "bootstrap")); err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Errorf("bootstrap: %v, %v", info, err)
	}

	path := filepath.Join(t.TempDir(), "fn.zip")
	writeZip(t, path)
	to, err = pad(path, t.TempDir(), 1<<16, 1)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(to)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 2 || z.File[0].Name != "bootstrap" || z.File[0].Mode() != 0o755 {
		t.Fatalf("%+v", z.File)
	}
	r, err := z.Open(padding)
	if err != nil {
		t.Fatal(err)
	}
	again, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(again, noise) {
		t.Errorf("the zip's padding is another: %d bytes, %v", len(again), err)
	}
	if _, err := pad(filepath.Join(from, "bootstrap"), t.TempDir(), 1, 1); err == nil {
		t.Error("a file that is no zip was padded")
	}
}

func writeZip(t *testing.T, path string) {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	h.SetMode(0o755)
	w, err := z.CreateHeader(h)
	if err == nil {
		_, err = w.Write([]byte("#!/bin/sh\n"))
	}
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		err = os.WriteFile(path, b.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestGrowthIsTheMostColdStartsWithinAWindow(t *testing.T) {
	cold := func(ats ...time.Duration) []results.Sample {
		var all []results.Sample
		for _, at := range ats {
			all = append(all, answered(results.StartCold, results.Stamp(at)))
		}
		return append(all, answered(results.StartWarm, 1))
	}
	for _, c := range []struct {
		samples []results.Sample
		want    int
	}{
		{nil, 0},
		{cold(), 0},
		{cold(5 * time.Second), 1},
		{cold(20*time.Second, 1*time.Second, 11*time.Second, 12*time.Second), 3}, // 11, 12, 20
		{cold(1*time.Second, 11*time.Second, 22*time.Second), 2},
	} {
		if got := growth(slices.Values(c.samples), 10*time.Second); got != c.want {
			t.Errorf("growth = %d, want %d", got, c.want)
		}
	}
}

func answered(start results.Start, done results.Stamp) results.Sample {
	x := results.Sample{Outcome: results.OutcomeServed, Done: done}
	x.Start = start
	return x
}
