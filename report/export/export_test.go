package export_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"coldstorm/report/chart/random"
	"coldstorm/report/export"
	"coldstorm/results"
)

var update = flag.Bool("update", false, "write testdata anew")

const hostile = "\x1b[2J\x1b]0;x\x07evil|`<img>`\n# heading\xff\u202e"

func text(t *testing.T, run results.Run, at export.Terminal) string {
	t.Helper()
	var b bytes.Buffer
	if err := export.Text(&b, run, at); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func Example() {
	run, _, _ := random.Run(1)
	run.Series, run.Projections = run.Series[:1], nil
	run.Notes, run.Curves = nil, nil
	export.Text(os.Stdout, run, export.Terminal{Width: 100})
	// Output:
	// thumbnail, scenario default, 2025-01-02 03:04:05 UTC, took 94.0 s
	//
	// latency, from the intended send (measured here)
	//   storm   start    n      p50       95 % interval          p90          p99
	//   steady  cold     9  21.8 ms                      n too small  n too small
	//   steady  warm   591  12.4 ms  [12.2 ms, 12.6 ms]      15.1 ms      18.7 ms
	//
	// cold starts of steady, part by part (measured here)
	//   part                   cold, n      p50          p99  pooled, n      p50          p99
	//   queue                        6  93.4 µs  n too small          3  91.7 µs  n too small
	//   hand-over                    6   142 µs  n too small          3   151 µs  n too small
	//   clone, namespaces            6   425 µs  n too small          –        –            –
	//   rootfs                       6  1.83 ms  n too small          –        –            –
	//   cgroups joined               6   227 µs  n too small          –        –            –
	//   network joined               6  56.7 µs  n too small          –        –            –
	//   wake                         –        –            –          3   151 µs  n too small
	//   security                     6   227 µs  n too small          3  2.95 ms  n too small
	//   last order                   6  56.7 µs  n too small          –        –            –
	//   to first instruction         6  2.70 ms  n too small          3  2.93 ms  n too small
	//   on to first ask              6  4.16 ms  n too small          3  3.67 ms  n too small
	//   invoke                       6  11.0 ms  n too small          3  11.2 ms  n too small
	//   left over (transport)        6   404 µs  n too small          3   301 µs  n too small
	//   sum of medians                  21.3 ms                          21.4 ms
	//   total, by the client         6  21.7 ms  n too small          3  21.5 ms  n too small
	//
	// what became of every trigger (measured here)
	//   storm   offered  served  throttled  failed  timed out  unsent  cold  warm
	//   steady      600     600          0       0          0       0     9   591
	//
	// the simulation held against live, on the same storms (measured here)
	//   storm   model   figure          live  simulated    error
	//   steady  lambda  cold starts       12         13   +8.3 %
	//   steady  lambda  p50          12.6 ms    12.4 ms   −1.6 %
	//   steady  lambda  p99          24.0 ms    21.1 ms  −12.1 %
	//   burst   lambda  cold starts      179        184   +2.8 %
	//   burst   lambda  p50          46.0 ms    44.0 ms   −4.3 %
}

func TestSummariesDoNotChangeByThemselves(t *testing.T) {
	run, _, _ := random.Run(1)
	var md, models, hgrm bytes.Buffer
	warm := run.Series[0]
	for _, err := range []error{
		export.Markdown(&md, run), export.ModelsCSV(&models, run),
		export.Hgrm(&hgrm, warm.Spectra[results.StartWarm], warm.Latency[results.StartWarm]),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, got := range map[string]string{
		"summary.txt": text(t, run, export.Terminal{}), "summary.md": md.String(), "models.csv": models.String(), "warm.hgrm": hgrm.String(),
	} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs; look at it, then run go test -update\n%s", path, got)
		}
	}
}

func TestTextKeepsToTheTerminal(t *testing.T) {
	run, _, _ := random.Run(1)
	run.Series[0].Name = strings.Repeat("long", 20)
	for _, width := range []int{40, 80, 120} {
		for _, line := range strings.Split(text(t, run, export.Terminal{Width: width, ASCII: true}), "\n") {
			if n := utf8.RuneCountInString(line); n > width {
				t.Errorf("%d columns in %d: %q", n, width, line)
			}
			if strings.IndexFunc(line, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
				t.Errorf("not ASCII: %q", line)
			}
		}
	}
}

func TestColourOnlyIfAsked(t *testing.T) {
	run, _, _ := random.Run(1)
	if strings.Contains(text(t, run, export.Terminal{}), "\x1b") {
		t.Error("escapes without Colour")
	}
	coloured := text(t, run, export.Terminal{Colour: true})
	for _, escape := range []string{"\x1b[1m", "\x1b[33m", "\x1b[0m"} {
		if !strings.Contains(coloured, escape) {
			t.Errorf("no %q with Colour", escape)
		}
		coloured = strings.ReplaceAll(coloured, escape, "")
	}
	if coloured != text(t, run, export.Terminal{}) {
		t.Error("colour changes more than colour")
	}
}

func TestNamesOfUsersStayText(t *testing.T) {
	run, _, _ := random.Run(1)
	run.Function.Name, run.Scenario, run.Series[0].Name, run.Projections[0].Model = hostile, hostile, hostile, hostile
	run.Projections[2].Reason = hostile
	run.Notes = append(run.Notes, results.Note{Level: results.LevelSpoil, Text: hostile, About: hostile})
	if s := text(t, run, export.Terminal{}); strings.ContainsAny(s, "\x1b\x07\u202e") || !utf8.ValidString(s) {
		t.Errorf("a name reaches the terminal as it is: %q", s)
	}
	var b bytes.Buffer
	if err := export.Markdown(&b, run); err != nil {
		t.Fatal(err)
	}
	if md := b.String(); strings.Contains(md, "<img") || strings.Contains(md, "\n# heading") || strings.ContainsRune(md, 0x1b) {
		t.Errorf("a name became markup: %q", md)
	}
}

func TestAbortedAndSpoiltComeFirst(t *testing.T) {
	run, _, _ := random.Run(1)
	run.Status = results.StatusAborted
	run.Notes = append(run.Notes, results.Note{Level: results.LevelSpoil, Text: "the clock went backwards"})
	lines := strings.Split(text(t, run, export.Terminal{Width: 200}), "\n")
	for i, want := range []string{"thumbnail", "! aborted", "! spoilt: the clock", "! read with care, burst"} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d is %q, want %q", i, lines[i], want)
		}
	}
}

func TestEveryModelIsInTheCSV(t *testing.T) {
	run, _, _ := random.Run(1)
	run.Projections[0].Steady.Latency[results.StartCold] = results.Quantiles{N: 2}
	var models, curves bytes.Buffer
	if err := export.ModelsCSV(&models, run); err != nil {
		t.Fatal(err)
	}
	if err := export.CurvesCSV(&curves, run); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&models).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1+len(run.Projections) {
		t.Fatalf("%d rows for %d models", len(rows), len(run.Projections))
	}
	for i, h := range rows[0] {
		if h == "cold_p50_ns" && rows[1][i] != "" {
			t.Errorf("a median that n can't carry is %q, want an empty cell", rows[1][i])
		}
	}
	points, err := csv.NewReader(&curves).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := 1
	for _, p := range run.Projections {
		want += len(p.Curve)
	}
	if len(points) != want {
		t.Errorf("%d rows of curves, want %d", len(points), want)
	}
}

func TestAnEmptyRunIsWritten(t *testing.T) {
	var b bytes.Buffer
	for name, err := range map[string]error{
		"text": export.Text(&b, results.Run{}, export.Terminal{}), "markdown": export.Markdown(&b, results.Run{}),
		"csv": export.ModelsCSV(&b, results.Run{}), "hgrm": export.Hgrm(&b, nil, results.Quantiles{}),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b.Len() == 0 {
		t.Error("nothing was written")
	}
}

func TestEventsHaveTheirWayInTheSummary(t *testing.T) {
	run, _, _ := random.Run(1)
	run.Series[0].Trigger = "async, no retries"
	run.Series[0].Way = []results.WayPart{{Start: results.StartWarm, Part: "handler to done", Time: results.Quantiles{N: 200, P50: time.Millisecond, P99: 2 * time.Millisecond}}}
	got := text(t, run, export.Terminal{Width: 100})
	for _, want := range []string{
		"events, from the intended send to done (measured here)",
		run.Series[0].Name + "  warm   handler to done  200  1.00 ms  2.00 ms",
		run.Series[0].Name + " came as events: async, no retries; measured here",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the summary lacks %q:\n%s", want, got)
		}
	}
}
