package chart

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"coldstorm/report/chart/random"
	"coldstorm/results"
)

var update = flag.Bool("update", false, "write testdata/*.svg anew")

// all draws every chart of a run.
func all(run results.Run, samples []results.Sample) []Chart {
	var out []Chart
	for _, s := range run.Series {
		out = append(out, Spectrum(s, run.Objective), Timeline(s), Waterfall(s), Breakdown(s))
	}
	out = append(out, ColdAgainstWarm(run), ColdDots(run, samples), Scaling(run.Sweep), Fidelity(run.Fidelity), CostLatency(run), BreakEven(run))
	for _, cv := range run.Curves {
		out = append(out, Curve(cv))
	}
	for _, p := range run.Projections {
		for _, s := range p.Storms {
			out = append(out, ProjectedSpectrum(s.Name, run.Projections, run.Objective), ProjectedTimeline(p.Model, s))
		}
	}
	return out
}

func TestDrawingsDoNotChangeByThemselves(t *testing.T) {
	run, samples, _ := random.Run(1)
	for _, c := range []Chart{
		Spectrum(run.Series[1], run.Objective), ColdDots(run, samples), Waterfall(run.Series[1]), Breakdown(run.Series[1]), Timeline(run.Series[1]), Scaling(run.Sweep),
		Fidelity(run.Fidelity), CostLatency(run), BreakEven(run), ProjectedSpectrum("burst", run.Projections, run.Objective), ColdAgainstWarm(run),
		Curve(run.Curves[0]), Curve(run.Curves[1]),
	} {
		path := filepath.Join("testdata", c.Name+".svg")
		got := c.SVG()
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from %s; look at both, then run go test -update", c.Name, path)
		}
	}
}

func TestEveryChartSaysWhatItRestsOn(t *testing.T) {
	run, samples, _ := random.Run(1)
	for _, c := range all(run, samples) {
		if !strings.HasSuffix(c.Title, ", "+string(c.Basis)) || c.Basis != Measured && c.Basis != Projected {
			t.Errorf("%s: title %q, basis %q", c.Name, c.Title, c.Basis)
		}
		if c.Empty == "" && (c.Alt == "" || len(c.Table.Rows) == 0) {
			t.Errorf("%s has no text or no table beside its picture", c.Name)
		}
		for _, r := range c.Table.Rows {
			if len(r) != len(c.Table.Header) {
				t.Errorf("%s: row %q under header %q", c.Name, r, c.Table.Header)
			}
		}
		if !regexp.MustCompile(`^[A-Za-z0-9-]+$`).MatchString(c.Name) {
			t.Errorf("name %q isn't a file name", c.Name)
		}
	}
}

func TestPNGIsDrawnAt192DotsPerInch(t *testing.T) {
	run, _, _ := random.Run(1)
	b, err := CostLatency(run).PNG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := img.Bounds().Dx(), (fileWidth*pngDPI+36)/72; got != want {
		t.Errorf("%d pixels wide, want %d", got, want)
	}
}

// check draws c in every way and looks for what no drawing may hold.
func check(t *testing.T, what string, c Chart) {
	t.Helper()
	drawings := map[string]string{"file": string(c.SVG()), "wide": c.Inline(900), "narrow": c.Inline(370), "tiny": c.Inline(1)}
	for kind, svg := range drawings {
		for _, bad := range []string{"NaN", "Inf", "e+1", "e+2"} {
			if strings.Contains(coordinates(svg), bad) {
				t.Errorf("%s: %s %s holds a coordinate with %s", what, kind, c.Name, bad)
			}
		}
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %s %s is not well formed: %v", what, kind, c.Name, err)
			}
		}
	}
	if fixed := regexp.MustCompile(`(fill|stroke):#`).FindString(drawings["wide"]); fixed != "" {
		t.Errorf("%s: %s in a page holds a colour that doesn't follow the theme", what, c.Name)
	}
}

// coordinates returns the parts of a drawing that are numbers.
func coordinates(svg string) string {
	return strings.Join(regexp.MustCompile(` (d|x|y)="[^"]*"`).FindAllString(svg, -1), "\n")
}

func TestPoorRunsAreDrawn(t *testing.T) {
	full, samples, _ := random.Run(1)
	one := full
	one.Series = []results.Series{{
		Name: "one", Latency: map[results.Start]results.Quantiles{results.StartCold: {N: 1, Min: 7, P50: 7, Max: 7}},
		Spectra:  map[results.Start]results.Spectrum{results.StartCold: {{Q: 0, Value: 7, Count: 1}, {Q: 1, Value: 7, Count: 1}}},
		Timeline: []results.TimelinePoint{{Every: time.Second, Offered: 1, Starting: -1, Idle: -1, Busy: -1}},
	}}
	one.Sweep = full.Sweep[:1]
	one.Projections = slices.Clone(full.Projections[:1])
	one.Projections[0].Curve = one.Projections[0].Curve[:1]
	onlySample := []results.Sample{samples[0]}
	onlySample[0].Series, onlySample[0].Start = "one", results.StartCold
	same := full
	same.Projections = slices.Clone(full.Projections)
	for i := range same.Projections {
		p := full.Projections[0]
		p.Model = fmt.Sprint("model-", i)
		same.Projections[i] = p
	}
	for name, run := range map[string]results.Run{"zero": {}, "a single point of each": one, "all models the same": same} {
		for _, c := range all(run, onlySample) {
			check(t, name, c)
		}
	}
	for _, c := range []Chart{{}, {Empty: "nothing"}} {
		check(t, "no chart", c)
	}
}

// TestAnyValuesAreDrawn draws runs whose every number is one that breaks
// drawings.
func TestAnyValuesAreDrawn(t *testing.T) {
	for seed := range uint64(15) {
		w := wild{rand.New(rand.NewPCG(seed, 1))}
		run, samples := w.run()
		for _, c := range all(run, samples) {
			check(t, fmt.Sprint("seed ", seed), c)
		}
	}
}

// FuzzNames draws charts that bear a name of any bytes.
func FuzzNames(f *testing.F) {
	f.Add("<script>alert(1)</script>", `"><svg onload=x>`)
	f.Add("\x00\xff\u202e", strings.Repeat("ж", 300))
	run, samples, _ := random.Run(1)
	f.Fuzz(func(t *testing.T, series, model string) {
		s := run.Series[0]
		s.Name = series
		p := run.Projections[0]
		p.Model = model
		r := run
		r.Series, r.Projections = []results.Series{s}, []results.Projection{p}
		for _, c := range []Chart{Timeline(s), Spectrum(s, 0), ColdDots(r, samples), CostLatency(r), BreakEven(r)} {
			svg := c.Inline(900)
			if strings.Contains(svg, "<script") || strings.Contains(svg, "<svg onload") {
				t.Errorf("%s: a name became markup", c.Name)
			}
			var into struct{}
			if err := xml.Unmarshal([]byte(svg), &into); err != nil {
				t.Errorf("%s is not well formed: %v", c.Name, err)
			}
		}
	})
}

// wild draws numbers from the edges of their ranges.
type wild struct{ *rand.Rand }

func (w wild) duration() time.Duration {
	edges := []time.Duration{0, -1, 1, time.Millisecond, 10 * time.Millisecond, time.Hour, math.MaxInt64, math.MinInt64}
	return edges[w.IntN(len(edges))]
}

func (w wild) count() int {
	edges := []int{0, -1, 1, 2, 100, 1000, math.MaxInt32, math.MaxInt64, math.MinInt64}
	return edges[w.IntN(len(edges))]
}

func (w wild) number() float64 {
	edges := []float64{0, -1, 1, 0.5, 1e-300, 1e300, 20, 100, math.NaN(), math.Inf(1), math.Inf(-1)}
	return edges[w.IntN(len(edges))]
}

func (w wild) quantiles() results.Quantiles {
	return results.Quantiles{
		N: w.count(), Min: w.duration(), P50: w.duration(), P90: w.duration(), P99: w.duration(), Max: w.duration(),
		P50Low: w.duration(), P50High: w.duration(), P99Low: w.duration(), P99High: w.duration(),
	}
}

func (w wild) spectrum() (out results.Spectrum) {
	for range w.IntN(6) {
		out = append(out, results.SpectrumPoint{Q: w.number(), Value: w.duration(), Count: int64(w.count())})
	}
	return out
}

func (w wild) timeline() (out []results.TimelinePoint) {
	for range w.IntN(300) {
		out = append(out, results.TimelinePoint{
			At: w.duration(), Every: w.duration(), Offered: w.count(), Completed: w.count(), Throttled: w.count(),
			Errors: w.count(), InFlight: w.count(), Starting: w.count(), Idle: w.count(), Busy: w.count(),
		})
	}
	return out
}

func (w wild) counts() results.Counts {
	return results.Counts{Offered: w.count(), Served: w.count(), Throttled: w.count(), Cold: w.count()}
}

func (w wild) curve() results.Curve {
	cv := results.Curve{Axis: []string{"burst", "memory", "package", "unheard-of"}[w.IntN(4)], Unit: []string{"bytes", "MB"}[w.IntN(2)]}
	if w.IntN(2) == 0 {
		cv.Knee = &results.Knee{Value: w.number(), Highest: w.number(), Reached: w.IntN(2) == 0}
	}
	for range w.IntN(7) {
		p := results.CurvePoint{Value: w.number(), Counts: w.counts(), Throughput: w.number(), Offered: w.number(), Limited: w.IntN(2) == 0, Latency: map[results.Start]results.Quantiles{}}
		for _, k := range starts {
			p.Latency[k.start] = w.quantiles()
		}
		cv.Points = append(cv.Points, p)
	}
	return cv
}

func (w wild) run() (results.Run, []results.Sample) {
	run := results.Run{Objective: w.duration()}
	var samples []results.Sample
	for i := range 1 + w.IntN(3) {
		s := results.Series{
			Name: fmt.Sprint("storm ", i), Counts: w.counts(), Timeline: w.timeline(), Total: w.quantiles(),
			Latency: map[results.Start]results.Quantiles{}, Spectra: map[results.Start]results.Spectrum{}, Phases: map[results.Phase]results.Quantiles{},
		}
		for _, k := range starts {
			s.Latency[k.start], s.Spectra[k.start] = w.quantiles(), w.spectrum()
		}
		for _, p := range results.PhaseNames {
			s.Phases[p] = w.quantiles()
		}
		for range w.IntN(4) {
			b := results.Breakdown{Mode: "cold", Total: w.quantiles()}
			for _, p := range append([]results.Part{"unheard-of"}, results.PartNames...) {
				b.Parts = append(b.Parts, results.PartTime{Part: p, Time: w.quantiles()})
			}
			s.Breakdown = append(s.Breakdown, b)
		}
		run.Series = append(run.Series, s)
		for range w.IntN(700) {
			x := results.Sample{Series: s.Name, Outcome: results.OutcomeServed, Intended: 1, Done: results.Stamp(w.duration())}
			x.Start = results.StartCold
			samples = append(samples, x)
		}
	}
	for range w.IntN(6) {
		run.Sweep = append(run.Sweep, results.SweepPoint{N: w.count(), Repeats: w.count(), Counts: w.counts(), Cold: w.quantiles(), Ready: w.duration()})
		run.Fidelity = append(run.Fidelity, results.Fidelity{Metric: []string{"p50", "cold_starts", "p"}[w.IntN(3)], Live: w.number(), Sim: w.number(), Error: w.number()})
		run.BreakEven = append(run.BreakEven, results.BreakEven{A: "lambda", B: "ec2", Rate: w.number(), Monthly: results.USD(w.number())})
	}
	for range w.IntN(4) {
		run.Curves = append(run.Curves, w.curve())
	}
	for _, m := range []string{"lambda", "ec2", "eks-ec2", "unheard-of"} {
		p := results.Projection{Model: m, Offered: w.IntN(4) > 0, Steady: results.Steady{
			Rate: w.number(), All: w.quantiles(), Counts: w.counts(),
			Monthly: results.Bill{Total: results.USD(w.number())},
		}}
		p.Storms = []results.ProjectedStorm{{Name: "s", All: w.quantiles(), Spectrum: w.spectrum(), Timeline: w.timeline()}}
		for range w.IntN(12) {
			p.Curve = append(p.Curve, results.RatePoint{Rate: w.number(), Monthly: results.USD(w.number()), P99: w.duration(), Units: w.number(), Feasible: w.IntN(2) == 0})
		}
		run.Projections = append(run.Projections, p)
	}
	return run, samples
}
