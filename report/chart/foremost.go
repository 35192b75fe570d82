package chart

import (
	"fmt"

	"coldstorm/results"
)

// Foremost returns the storm whose samples of a kind of start carry the most:
// the one with the most of them, before all among those in which neither the
// load generator nor the host was the limit. Storms of requests come before those
// of events, whose latency is their source's too. It returns false if no storm has
// any.
func Foremost(series []results.Series, start results.Start) (results.Series, bool) {
	best, found := results.Series{}, false
	for _, class := range []struct{ events, limited bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
		for _, s := range series {
			if (s.Trigger != "") == class.events && s.Generator.Limited == class.limited && s.Latency[start].N > best.Latency[start].N {
				best, found = s, true
			}
		}
		if found {
			break
		}
	}
	return best, found
}

// ColdAgainstWarm draws the latency of cold starts beside that of warm ones
// (and of provisioned, restored and unknown ones, where there are any), each
// from the storm that Foremost chooses for it.
func ColdAgainstWarm(run results.Run) Chart {
	var curves []percentiles
	from := ""
	for _, k := range starts {
		s, ok := Foremost(run.Series, k.start)
		if !ok {
			continue
		}
		curve := percentiles{label: string(k.start) + ", " + quoted(s.Name), style: k.style, q: s.Latency[k.start], band: true}
		curve.set(s.Spectra[k.start])
		curves = append(curves, curve)
		if from != "" {
			from += "; "
		}
		from += fmt.Sprintf("%s from %s (%s)", k.start, quoted(s.Name), s.Shape)
		if s.Generator.Limited {
			from += ", which this machine limited"
		}
	}
	c := spectrum(curves, run.Objective)
	c.Name, c.Basis = "cold-against-warm", Measured
	c.Title = fmt.Sprintf("Cold against warm, %s", Measured)
	if from != "" {
		c.Note = "Each from the storm with the most samples of it that nothing here limited: " + from + ". " + c.Note
	}
	return c
}
