package html

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"

	"coldstorm/results"
)

var (
	//go:embed page.html
	source string
	//go:embed page.css
	style string

	page = template.Must(template.New("page").Parse(source))
)

// Write writes the report of a run. samples may be nil: then the page shows no
// single cold starts, and says so. It returns an error only if w does, or if
// the page can't be made, in which case nothing is written.
func Write(w io.Writer, run results.Run, samples []results.Sample, m results.Manifest) error {
	v := newView(run, samples, m)
	var b bytes.Buffer
	for i := 0; ; i++ {
		b.Reset()
		if err := page.Execute(&b, v); err != nil {
			return fmt.Errorf("make the page of run %s: %w", run.ID, err)
		}
		if b.Len() <= most || i == len(savings) {
			break
		}
		savings[i].save(&v)
		v.LeftOut = append(v.LeftOut, savings[i].what)
	}
	_, err := b.WriteTo(w)
	return err
}

// most is the size that a page stays under, in bytes, as long as savings are
// left.
const most = 390_000

// savings are what a page of a large run leaves out, in this order, until it
// is small enough. The page names each.
var savings = []struct {
	what string
	save func(*view)
}{
	{"projected timelines", func(v *view) { v.ProjectedTimelines.Pictures = nil }},
	{"latencies under each model of all storms but the first", func(v *view) {
		v.ProjectedSpectra.Pictures = v.ProjectedSpectra.Pictures[:min(1, len(v.ProjectedSpectra.Pictures))]
	}},
	{"drawings of all storms but the first six", func(v *view) { v.Rest = v.Rest[:min(6, len(v.Rest))] }},
	{"tables of more than 15 rows under drawings", func(v *view) { v.eachPicture(dropLongTable) }},
	{"drawings of all storms but the hardest", func(v *view) { v.Rest = nil }},
	{"the run as data", func(v *view) { v.JSON = "null" }},
}

func dropLongTable(p *picture) {
	if len(p.Table.Rows) > 15 {
		p.Table.Rows = nil
	}
}

// embedded returns the run as JSON without what the charts' tables hold
// already: spectra, timelines, states and cost curves. Should a value have no JSON (a
// figure that is not a number), it is null.
func embedded(run results.Run) template.JS {
	series := make([]results.Series, len(run.Series))
	for i, s := range run.Series {
		s.Spectra, s.Timeline, s.States = nil, nil, nil
		series[i] = s
	}
	projections := make([]results.Projection, len(run.Projections))
	for i, p := range run.Projections {
		storms := make([]results.ProjectedStorm, len(p.Storms))
		for k, s := range p.Storms {
			s.Spectrum, s.Timeline, s.States = nil, nil, nil
			storms[k] = s
		}
		p.Storms, p.Curve = storms, nil
		projections[i] = p
	}
	run.Series, run.Projections = series, projections
	b, err := json.Marshal(run) // escapes <, > and &, so it can't end the script element
	if err != nil {
		return "null"
	}
	return template.JS(b)
}
