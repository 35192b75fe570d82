package html_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"coldstorm/report/chart/random"
	"coldstorm/report/html"
	"coldstorm/results"
)

// most is the size that a report stays under.
const most = 400_000

func write(t *testing.T, run results.Run, samples []results.Sample, m results.Manifest) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.Write(&b, run, samples, m); err != nil {
		t.Fatal(err)
	}
	if path := os.Getenv("COLDSTORM_KEEP_REPORT"); path != "" { // to look at it
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func ExampleWrite() {
	run, samples, manifest := random.Run(1)
	var page bytes.Buffer
	if err := html.Write(&page, run, samples, manifest); err != nil {
		fmt.Println(err)
	}
	title, _, _ := strings.Cut(page.String()[strings.Index(page.String(), "<title>"):], "\n")
	fmt.Println(title)
	// Output: <title>thumbnail: cold and warm starts, 2025-01-02T03-04-05Z-thumbnail</title>
}

func TestPageStandsAlone(t *testing.T) {
	run, samples, m := random.Run(1)
	page := write(t, run, samples, m)
	if len(page) > most {
		t.Errorf("%d bytes, want at most %d", len(page), most)
	}
	for _, bad := range []string{"http://", "https://", "src=", "@import", "url(", "<link", "onclick", "ZgotmplZ"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	scripts := regexp.MustCompile(`<script[^>]*>`).FindAllString(page, -1)
	if want := []string{`<script type="application/json" id="result">`}; !slices.Equal(scripts, want) {
		t.Errorf("scripts %q, want data alone, %q", scripts, want)
	}
	for _, id := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if strings.Count(page, ` id="`+id[1]+`"`) != 1 {
			t.Errorf("a link leads to #%s, of which there is not exactly one", id[1])
		}
	}
}

func TestEveryElementIsClosed(t *testing.T) {
	run, samples, m := random.Run(1)
	page := write(t, run, samples, m)
	page = regexp.MustCompile(`(?s)<script.*?</script>|<style.*?</style>`).ReplaceAllString(page, "")
	var open []string
	for _, tag := range regexp.MustCompile(`<(/?)([a-z0-9]+)((?:"[^"]*"|[^">])*)>`).FindAllStringSubmatch(page, -1) {
		switch name := tag[2]; {
		case name == "meta" || strings.HasSuffix(tag[3], "/"):
		case tag[1] == "":
			open = append(open, name)
		case len(open) == 0 || open[len(open)-1] != name:
			t.Fatalf("</%s> closes %v", name, open)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("left open: %v", open)
	}
}

func TestLargeRunsStaySmall(t *testing.T) {
	run, samples, m := random.Run(1)
	for i := range 5 {
		s := run.Series[i%3]
		s.Name = fmt.Sprint("again-", i)
		run.Series = append(run.Series, s)
	}
	long := make([]results.TimelinePoint, 4000)
	for i := range long {
		long[i] = results.TimelinePoint{At: time.Duration(i) * time.Second, Every: time.Second, Offered: i * 7919 % 1013, Completed: i * 104729 % 997, Busy: i * 31 % 211, Throttled: i % 13}
	}
	for i := range run.Series {
		run.Series[i].Timeline = long
	}
	for i := range run.Projections {
		for k := range run.Projections[i].Storms {
			run.Projections[i].Storms[k].Timeline = long
		}
	}
	if n := len(write(t, run, samples, m)); n > most {
		t.Errorf("%d bytes, want at most %d", n, most)
	}
}

func TestNamesOfUsersStayText(t *testing.T) {
	const hostile = `</script><script>alert("x")</script><img src=x onerror=alert(1)>'"&`
	run, samples, m := random.Run(1)
	run.Function.Name, run.ID, run.Command, run.Scenario = hostile, hostile, hostile, hostile
	run.Host.CPU = hostile
	run.Notes = append(run.Notes, results.Note{Level: results.LevelSpoil, Text: hostile, About: hostile})
	run.Series[0].Name, run.Series[0].Shape = hostile, hostile
	run.Series[1].Counts.Reasons = map[string]int{hostile: 3}
	run.Projections[0].Model, run.Projections[0].Config = hostile, hostile
	run.Projections[0].Storms[0].Name = hostile
	run.Projections[2].Reason = hostile
	run.Fidelity[0].Metric = hostile
	m.ScenarioYAML, m.Version = hostile, hostile
	page := write(t, run, samples, m)
	for _, bad := range []string{"<script>", "<img", "</script><"} {
		if strings.Contains(page, bad) {
			t.Errorf("a name became markup: the page holds %q", bad)
		}
	}
	if !strings.Contains(page, "&lt;img src=x onerror=alert(1)&gt;") {
		t.Error("the hostile name is not shown as text")
	}
}

func TestWhatSpoilsFiguresComesFirst(t *testing.T) {
	run, samples, m := random.Run(1)
	run.Notes = append(run.Notes, results.Note{Level: results.LevelSpoil, Text: "the clock went backwards"})
	run.Status = results.StatusAborted
	page := write(t, run, samples, m)
	last := 0
	for _, s := range []string{"<h1>", "Aborted</strong>", "the clock went backwards", "Read with care", `class="tile"`, `<h2>Measured here`, `<h2>Compute models`, `<h2>What it costs`, `<h2>Bills`, `<h2>How it was obtained`} {
		at := strings.Index(page, s)
		if at < last {
			t.Errorf("%q stands at %d, want it after %d", s, at, last)
		}
		last = at
	}
}

func TestEveryPictureStandsOnceWithItsTable(t *testing.T) {
	run, samples, m := random.Run(1)
	page := write(t, run, samples, m)
	seen := map[string]bool{}
	for _, f := range regexp.MustCompile(`(?s)<figure id="([^"]*)">.*?</figure>`).FindAllStringSubmatch(page, -1) {
		if seen[f[1]] {
			t.Errorf("%s stands twice", f[1])
		}
		seen[f[1]] = true
		if !strings.Contains(f[0], "<table") {
			t.Errorf("%s has no table", f[1])
		}
	}
	want := []string{"cold-against-warm", "cold-starts", "scaling", "cost-latency", "break-even", "fidelity"}
	for _, s := range run.Series {
		want = append(want, "spectrum-"+s.Name, "timeline-"+s.Name, "phases-"+s.Name, "parts-"+s.Name)
	}
	for _, s := range run.Projections[0].Storms {
		want = append(want, "spectrum-projected-"+s.Name)
	}
	for _, id := range want {
		if !seen[id] {
			t.Errorf("%s is missing", id)
		}
	}
}

func TestTheMainFiguresComeBeforeTheHardestStorm(t *testing.T) {
	run, samples, m := random.Run(1) // its burst is limited by the host
	page := write(t, run, samples, m)
	last := 0
	for _, s := range []string{`id="cold-against-warm"`, `id="phases-ramp"`, `id="phases-burst"`, `id="timeline-burst"`, `id="scaling"`, `<details class="more">`, `id="spectrum-steady"`} {
		at := strings.Index(page, s)
		if at < last {
			t.Errorf("%s stands at %d, want it after %d", s, at, last)
		}
		last = at
	}
}

func TestEveryModelHasARow(t *testing.T) {
	run, samples, m := random.Run(1)
	page := write(t, run, samples, m)
	for _, p := range run.Projections {
		if !strings.Contains(page, "</svg>"+p.Model+"</span>") {
			t.Errorf("%s has no row", p.Model)
		}
	}
	if !strings.Contains(page, "not offered: "+run.Projections[2].Reason) {
		t.Error("the model that is not offered is shown without its reason")
	}
}

func TestWhatIsNotKnownIsNotZero(t *testing.T) {
	run, samples, m := random.Run(1)
	run.Series[2].Latency[results.StartCold] = results.Quantiles{N: 3, Min: 1, Max: 2}
	run.Series[0].Latency[results.StartCold] = results.Quantiles{}
	run.Series[1].Latency[results.StartCold] = results.Quantiles{}
	page := write(t, run, samples, m)
	if !strings.Contains(page, `<p class="value">n too small</p>`) {
		t.Error("the tile of a median that n can't carry doesn't say so")
	}
	if strings.Contains(page, ">0 s<") && !strings.Contains(page, "<th scope=\"row\">0 s<") {
		t.Error("an absent quantile is shown as 0 s")
	}
}

func TestPoorRunsHaveAPage(t *testing.T) {
	full, _, _ := random.Run(1)
	for name, run := range map[string]results.Run{
		"zero":             {},
		"measured alone":   {Series: full.Series, Sweep: full.Sweep},
		"projected alone":  {Projections: full.Projections, BreakEven: full.BreakEven},
		"nothing offered":  {Projections: full.Projections[2:3]},
		"a storm unserved": {Series: []results.Series{{Name: "s", Counts: results.Counts{Offered: 3, Throttled: 3}}}},
	} {
		page := write(t, run, nil, results.Manifest{})
		if !strings.HasSuffix(page, "</html>\n") {
			t.Errorf("%s: the page breaks off", name)
		}
	}
}

func TestTheRunLiesInThePage(t *testing.T) {
	run, samples, m := random.Run(1)
	page := write(t, run, samples, m)
	_, data, _ := strings.Cut(page, `id="result">`)
	data, _, _ = strings.Cut(data, "</script>")
	var got results.Run
	if err := json.Unmarshal([]byte(data), &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != run.ID || len(got.Series) != len(run.Series) || got.Series[0].Counts.Offered != run.Series[0].Counts.Offered {
		t.Errorf("the page's data is of run %q with %d series", got.ID, len(got.Series))
	}
}

func TestAnEndpointWithoutEvidenceHasNoColdStartsToDeny(t *testing.T) {
	run, _, m := random.Run(1)
	s := run.Series[0]
	s.Latency = map[results.Start]results.Quantiles{results.StartUnknown: s.Latency[results.StartWarm]}
	s.Spectra = map[results.Start]results.Spectrum{results.StartUnknown: s.Spectra[results.StartWarm]}
	s.Counts = results.Counts{Offered: 600, Served: 600, Unknown: 600}
	s.Phases, s.Total = nil, results.Quantiles{}
	page := write(t, results.Run{Scenario: "endpoint", Series: []results.Series{s}}, nil, m)
	for _, want := range []string{"latency, start unknown, p50", "the endpoint gave no evidence", "<em>endpoint</em>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page doesn't say %q", want)
		}
	}
	for _, bad := range []string{"met a cold start", "0 MB", "with 0 cores"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page says %q", bad)
		}
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteReportsItsWriter(t *testing.T) {
	if err := html.Write(full{}, results.Run{}, nil, results.Manifest{}); !errors.Is(err, errFull) {
		t.Errorf("error %v, want that of the writer", err)
	}
}

func TestTheStartOfASandboxStandsOpenWhereItIsKnown(t *testing.T) {
	run, samples, m := random.Run(1)
	page := write(t, run, samples, m)
	_, figure, _ := strings.Cut(page, `<figure id="parts-ramp">`)
	figure, _, _ = strings.Cut(figure, "</figure>")
	for _, s := range []string{"<details open>", "cold, n", "pooled, n", "hand-over", "rootfs", "to first instruction", "left over (transport)", "total, by the client"} {
		if !strings.Contains(figure, s) {
			t.Errorf("no %q in the figure", s)
		}
	}
	for i := range run.Series {
		run.Series[i].Breakdown = nil // as in a run from before there were parts
	}
	if strings.Contains(write(t, run, samples, m), `id="parts-`) {
		t.Error("a run without stamps shows parts")
	}
}

func TestEventsHaveTheirWayInATable(t *testing.T) {
	run, samples, m := random.Run(1)
	if page := write(t, run, samples, m); strings.Contains(page, `id="way"`) {
		t.Error("requests have a way of events")
	}
	run.Series[1].Trigger, run.Series[1].Invocations = "queue, batches of up to 10", 7
	run.Series[1].Way = []results.WayPart{
		{Start: results.StartCold, Part: "poll to invoke", Time: results.Quantiles{N: 120, P50: 4 * time.Millisecond, P99: 5 * time.Millisecond}},
		{Start: results.StartWarm, Part: "poll to invoke", Time: results.Quantiles{N: 30, P50: 30 * time.Microsecond}},
	}
	page := write(t, run, samples, m)
	for _, want := range []string{
		`<td>cold</td><td>poll to invoke</td><td>120</td><td>4.00 ms</td><td>5.00 ms</td>`,
		`<td>warm</td><td>poll to invoke</td><td>30</td><td>30.0 µs</td><td>n too small</td>`,
		"queue, batches of up to 10; ", " in 7 invocations, 0 of them cold (cold and warm are counts of events); measured here",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
