package chart

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// entry is a line in a key: its name, how it is drawn, and where it ends.
type entry struct {
	name  string
	line  draw.LineStyle
	glyph glyph // nil for a line without one
	end   vg.Point
}

const (
	keyRow    vg.Length = 18 // of a key under a narrow drawing
	keySwatch vg.Length = 18
)

// keyHeight is the room that a key of n lines takes under a narrow drawing.
func keyHeight(n int) vg.Length { return vg.Length((n+1)/2) * keyRow }

// keyed returns the data area that leaves room for a key: behind the lines'
// ends, or, on a narrow sheet, underneath.
func (s *sheet) keyed(gutter vg.Length, entries []entry) vg.Rectangle {
	if s.narrow() {
		return rect(gutter, footer+keyHeight(len(entries)), s.w-14, s.h-header)
	}
	var widest vg.Length
	for _, e := range entries {
		widest = max(widest, min(150, labelWords.width(e.name)))
	}
	return rect(gutter, footer, s.w-widest-keySwatch-22, s.h-header)
}

// key names lines behind their ends, apart from each other and joined to them
// by leaders; on a narrow sheet in two columns under the drawing.
func (p *panel) key(entries []entry) {
	if p.narrow() {
		for i, e := range entries {
			x := vg.Length(i%2) * p.w / 2
			y := p.box.Min.Y - footer - 10 - vg.Length(i/2)*keyRow
			p.keyEntry(e, x, y, p.w/2-8)
		}
		return
	}
	wanted := make([]vg.Length, len(entries))
	for i, e := range entries {
		wanted[i] = e.end.Y
	}
	x := p.box.Max.X + 14
	for i, y := range spread(wanted, 15, p.box.Min.Y+4, p.box.Max.Y-2) {
		e := entries[i]
		p.line(solid(pale(lineColour(e.line), 0.6), 0.8), vg.Point{X: e.end.X + 2, Y: e.end.Y}, vg.Point{X: x - 1, Y: y})
		p.keyEntry(e, x, y, p.w-x)
	}
}

// keyEntry draws one line of a key about the height y.
func (p *panel) keyEntry(e entry, x, y, width vg.Length) {
	p.line(e.line, vg.Point{X: x, Y: y}, vg.Point{X: x + keySwatch, Y: y})
	if e.glyph != nil {
		p.mark(e.glyph, 4, lineColour(e.line), true, vg.Point{X: x + keySwatch/2, Y: y})
	}
	p.write(labelWords, x+keySwatch+5, y-4, left, labelWords.short(e.name, width-keySwatch-6))
}
