package chart

import (
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"
)

// glyph is a mark: the corners of a shape of radius 1 about the origin, y up.
type glyph [][2]float64

// regular returns a polygon of n corners, the first at the given turn from the
// top, with every other corner drawn in to the given share (1: not).
func regular(n int, turn, inner float64) glyph {
	var g glyph
	for i := range n {
		a := math.Pi/2 + 2*math.Pi*(turn+float64(i)/float64(n))
		r := 1.0
		if i%2 == 1 {
			r = inner
		}
		g = append(g, [2]float64{r * math.Cos(a), r * math.Sin(a)})
	}
	return g
}

var (
	glyphCircle   = regular(20, 0, 1)
	glyphSquare   = regular(4, 1.0/8, 1)
	glyphDiamond  = regular(4, 0, 1)
	glyphUp       = regular(3, 0, 1)
	glyphDown     = regular(3, 0.5, 1)
	glyphStar     = regular(10, 0, 0.45)
	glyphPentagon = regular(5, 0, 1)
	glyphHexagon  = regular(6, 0, 1)
	glyphBox      = glyph{{-0.55, 1}, {-0.55, -1}, {0.55, -1}, {0.55, 1}}
)

// look is how a compute model is drawn in every chart: a glyph of its own and
// the colour of its family.
type look struct {
	glyph  glyph
	colour color.NRGBA
}

var looks = map[string]look{
	"lambda":             {glyphCircle, blue},
	"lambda-provisioned": {glyphSquare, blue},
	"lambda-snapstart":   {glyphDiamond, blue},
	"lambda-managed":     {glyphPentagon, blue},
	"ecs-fargate":        {glyphUp, red},
	"eks-fargate":        {glyphDown, red},
	"ecs-ec2":            {glyphHexagon, green},
	"eks-ec2":            {glyphStar, green},
	"ec2":                {glyphBox, ink},
}

// lookOf returns a model's look; one that is not known is a grey circle.
func lookOf(model string) look {
	if l, ok := looks[model]; ok {
		return l
	}
	return look{glyphCircle, muted}
}

// mark draws a glyph at each point; an open one is filled with the paper's colour, so that
// lines don't run through it.
func (s *sheet) mark(g glyph, r vg.Length, c color.NRGBA, filled bool, at ...vg.Point) {
	var path vg.Path
	for _, pt := range at {
		path = append(path, g.path(pt, r)...)
	}
	if len(path) == 0 {
		return
	}
	body := c
	if !filled {
		body = paper
	}
	s.SetColor(body)
	s.Fill(path)
	s.SetColor(c)
	s.SetLineWidth(1.3)
	s.SetLineDash(nil, 0)
	s.Stroke(path)
}

// path returns the outline of a glyph; a circle's is an arc, which takes a
// fifth of the bytes of its corners.
func (g glyph) path(at vg.Point, r vg.Length) vg.Path {
	var path vg.Path
	if len(g) == len(glyphCircle) {
		path.Move(vg.Point{X: at.X + r, Y: at.Y})
		path.Arc(at, r, 0, 2*math.Pi)
		path.Close()
		return path
	}
	for i, p := range g {
		pt := vg.Point{X: at.X + r*vg.Length(p[0]), Y: at.Y + r*vg.Length(p[1])}
		if i == 0 {
			path.Move(pt)
		} else {
			path.Line(pt)
		}
	}
	path.Close()
	return path
}

// Glyph returns a model's mark as a small <svg> element for a table or a
// legend: filled if it is on the Pareto front, open otherwise.
func Glyph(model string, filled bool) string {
	l := lookOf(model)
	var d strings.Builder
	for i, p := range l.glyph {
		op := "L"
		if i == 0 {
			op = "M"
		}
		fmt.Fprintf(&d, "%s%.3g,%.3g", op, 7+5*p[0], 7-5*p[1])
	}
	stroke := "var(" + nearest(int(l.colour.R), int(l.colour.G), int(l.colour.B)) + ")"
	fill := stroke
	if !filled {
		fill = "none"
	}
	return fmt.Sprintf(`<svg class="glyph" viewBox="0 0 14 14" aria-hidden="true"><path d="%sZ" style="fill:%s;stroke:%s;stroke-width:1.5"/></svg>`,
		d.String(), fill, stroke)
}
