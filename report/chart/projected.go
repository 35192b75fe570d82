package chart

import (
	"fmt"
	"time"

	"gonum.org/v1/plot/vg/draw"

	"coldstorm/results"
)

// ProjectedSpectrum draws the latency of one storm under every offered model,
// cold and warm starts together: what a caller would see.
func ProjectedSpectrum(storm string, ps []results.Projection, objective time.Duration) Chart {
	var curves []percentiles
	for _, p := range ps {
		for _, s := range p.Storms {
			if !p.Offered || s.Name != storm {
				continue
			}
			curve := percentiles{label: p.Model, style: modelLine(p.Model), q: s.All}
			curve.set(s.Spectrum)
			curves = append(curves, curve)
		}
	}
	c := spectrum(curves, objective)
	same := coinciding(curves)
	c.Name = name("spectrum-projected", storm)
	c.Basis = Projected
	c.Title = fmt.Sprintf("Latency under %s on each model, %s", quoted(storm), Projected)
	c.Note = "Cold and warm starts together, of what was served. A line ends where fewer than one sample lies beyond it and is thin where fewer than ten do."
	if same != "" {
		c.Note += " The same line, drawn in turns: " + same + "."
	}
	c.Table.Header[0] = "model"
	return c
}

// modelLine is a model's line: its family's colour, a dash of its own within
// the family.
func modelLine(model string) draw.LineStyle {
	c := lookOf(model).colour
	switch model {
	case "lambda-provisioned", "eks-fargate", "eks-ec2":
		return dashed(c, 2, 7, 4)
	case "lambda-snapstart":
		return dashed(c, 2, 2, 3)
	case "lambda-managed":
		return dashed(c, 2, 12, 3)
	}
	return solid(c, 2)
}
