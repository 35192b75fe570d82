package chart

import (
	"image/color"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// narrow is the width in points under which a drawing is laid out for a phone.
const narrow vg.Length = 520

// sheet is what a chart is drawn on. Its origin is at the bottom left.
type sheet struct {
	draw.Canvas
	w, h vg.Length
}

func (s *sheet) narrow() bool { return s.w < narrow }

// align is the part of a text's width that lies left of its anchor.
type align float64

const (
	left   align = 0
	centre align = 0.5
	right  align = 1
)

// write puts str on the baseline y.
func (s *sheet) write(w words, x, y vg.Length, a align, str string) {
	str = clean(str)
	if str == "" {
		return
	}
	st := w.style()
	face := plain.Fonts.Lookup(st.Font, w.size)
	s.SetColor(w.colour)
	s.FillString(font.Face(face), vg.Point{X: x - vg.Length(a)*w.width(str), Y: y}, str)
}

func (s *sheet) line(st draw.LineStyle, pts ...vg.Point) {
	if len(pts) > 1 {
		s.StrokeLines(st, pts)
	}
}

func (s *sheet) fill(c color.Color, r vg.Rectangle) {
	if r.Max.X <= r.Min.X || r.Max.Y <= r.Min.Y {
		return
	}
	s.SetColor(c)
	s.Fill(r.Path())
}

// rect makes a rectangle from its corners, in any order.
func rect(x0, y0, x1, y1 vg.Length) vg.Rectangle {
	return vg.Rectangle{
		Min: vg.Point{X: min(x0, x1), Y: min(y0, y1)},
		Max: vg.Point{X: max(x0, x1), Y: max(y0, y1)},
	}
}

// panel is a data area with its two scales.
type panel struct {
	*sheet
	box  vg.Rectangle
	x, y scale
}

func (p *panel) px(x float64) vg.Length {
	return p.box.Min.X + vg.Length(p.x.at(x))*(p.box.Max.X-p.box.Min.X)
}

func (p *panel) py(y float64) vg.Length {
	return p.box.Min.Y + vg.Length(p.y.at(y))*(p.box.Max.Y-p.box.Min.Y)
}

func (p *panel) at(x, y float64) vg.Point { return vg.Point{X: p.px(x), Y: p.py(y)} }

// margin returns the room that the labels of a vertical scale need.
func margin(scales ...scale) vg.Length {
	var w vg.Length
	for _, s := range scales {
		for _, t := range s.ticks() {
			w = max(w, tickWords.width(t.label))
		}
	}
	return w + 8
}

// gridY draws the horizontal grid, the labels left of it, and the axis' title
// over its top left corner, where it reads without turning one's head.
func (p *panel) gridY(title string) {
	last := vg.Length(-1e9)
	ticks := p.y.ticks()
	tight := p.tight(ticks)
	for _, t := range ticks {
		y := p.py(t.v)
		p.line(solid(grid, 1), vg.Point{X: p.box.Min.X, Y: y}, vg.Point{X: p.box.Max.X, Y: y})
		if y-last < tickWords.size*1.2 || tight && t.minor {
			continue
		}
		last = y
		p.write(tickWords, p.box.Min.X-7, y-tickWords.height()/2, right, t.label)
	}
	p.write(axisWords, 0, p.box.Max.Y+12, left, axisWords.short(title, p.w-4))
}

// tight tells whether the labels of a vertical axis don't all have room while
// the major ones are enough to read it by.
func (p *panel) tight(ticks []tick) bool {
	majors, crowded := 0, false
	for i, t := range ticks {
		if !t.minor {
			majors++
		}
		crowded = crowded || i > 0 && p.py(t.v)-p.py(ticks[i-1].v) < tickWords.size*1.2
	}
	return crowded && majors > 1
}

// gridX draws the base line, the ticks and their labels under it, as many as
// there is room for, and the axis' title under the right end.
func (p *panel) gridX(title string, lines bool) {
	p.line(solid(faint, 1), p.box.Min, vg.Point{X: p.box.Max.X, Y: p.box.Min.Y})
	end := vg.Length(-1e9)
	for _, t := range p.x.ticks() {
		x := p.px(t.v)
		top := p.box.Min.Y
		if lines {
			top = p.box.Max.Y
		}
		half := tickWords.width(t.label) / 2
		if x-half < end {
			continue
		}
		if lines {
			p.line(solid(grid, 1), vg.Point{X: x, Y: p.box.Min.Y}, vg.Point{X: x, Y: top})
		}
		p.line(solid(faint, 1), vg.Point{X: x, Y: p.box.Min.Y}, vg.Point{X: x, Y: p.box.Min.Y - 4})
		at := min(x, p.w-half-1) // the last label stays on the sheet
		p.write(tickWords, at, p.box.Min.Y-16, centre, t.label)
		end = at + half + 9
	}
	p.write(axisWords, p.box.Max.X, p.box.Min.Y-33, right, axisWords.short(title, p.w-4))
}

// header is the room over a panel for its title.
const header vg.Length = 26

// footer is the room that gridX needs under a panel.
const footer vg.Length = 38
