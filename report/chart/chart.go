package chart

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Basis says where the figures of a chart come from. A chart has one.
type Basis string

// The two kinds of figures, which are never mixed.
const (
	Measured  Basis = "measured here"
	Projected Basis = "projected on AWS"
)

// Chart is one picture and what goes with it. The zero Chart is empty.
type Chart struct {
	Name  string // of its files, without extension: letters, digits and dashes
	Title string // ends in its basis
	Alt   string // what the picture shows, in a sentence or two, with its main figures
	Note  string // how to read it; may be empty
	Basis Basis
	Table Table // the numbers that are drawn

	// Empty says why there is nothing to draw; "" if there is. An empty chart
	// draws a blank sheet with these words.
	Empty string

	height func(width vg.Length) vg.Length
	paint  func(*sheet)
}

// Table is a chart's data as text, ready to be shown. Cells are not escaped.
type Table struct {
	Header []string
	Rows   [][]string
	Text   int // how many of the first columns are words; the others are numbers
}

// add appends a row.
func (t *Table) add(cells ...string) { t.Rows = append(t.Rows, cells) }

const (
	fileWidth           = 760 // points, of an SVG or PNG file
	titleBar  vg.Length = 44
	edge      vg.Length = 12 // around the drawing in a file
	pngDPI              = 192
)

// SVG returns the drawing as a file, with its title.
func (c Chart) SVG() []byte {
	canvas := vgsvg.New(fileWidth, c.tall(fileWidth-2*edge)+titleBar+edge)
	c.titled(canvas)
	var b bytes.Buffer
	canvas.WriteTo(&b) // a bytes.Buffer returns no error
	return []byte(described(b.String(), c))
}

// PNG returns the drawing as an image at 192 dots per inch, with its title.
func (c Chart) PNG() ([]byte, error) {
	canvas := vgimg.NewWith(vgimg.UseWH(fileWidth, c.tall(fileWidth-2*edge)+titleBar+edge), vgimg.UseDPI(pngDPI))
	c.titled(canvas)
	var b bytes.Buffer
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(&b); err != nil {
		return nil, fmt.Errorf("draw %s: %w", c.Name, err)
	}
	return b.Bytes(), nil
}

// Inline returns an <svg> element, safe to place in a page: without size, so
// that it takes the width it is given, without title, which the page sets, and
// with CSS variables for colours. Width in points chooses the layout: under
// 520 it is that of a phone.
func (c Chart) Inline(width int) string {
	width = max(width, 120)
	w := vg.Length(width)
	canvas := vgsvg.New(w, c.tall(w))
	c.draw(draw.New(canvas), w, c.tall(w))
	var b bytes.Buffer
	canvas.WriteTo(&b) // a bytes.Buffer returns no error
	return inline(b.String(), c)
}

func (c Chart) tall(width vg.Length) vg.Length {
	if c.Empty != "" || c.height == nil {
		return 60
	}
	return c.height(width)
}

// quoted sets a storm's name apart from the words around it: people call their
// storms cold, warm and storm.
func quoted(storm string) string { return "“" + storm + "”" }

// titled draws the chart under its title on a white sheet.
func (c Chart) titled(canvas vg.CanvasSizer) {
	dc := draw.New(canvas)
	w, h := canvas.Size()
	dc.SetColor(paper)
	dc.Fill(dc.Rectangle.Path())
	s := &sheet{dc, w, h}
	s.write(titleWords, edge, h-26, left, titleWords.short(c.Title, w-2*edge))
	dc.Push()
	dc.Translate(vg.Point{X: edge, Y: edge})
	c.draw(dc, w-2*edge, h-titleBar-edge)
	dc.Pop()
}

// draw paints the chart on the lower left w x h of dc.
func (c Chart) draw(dc draw.Canvas, w, h vg.Length) {
	dc.Max = vg.Point{X: dc.Min.X + w, Y: dc.Min.Y + h}
	s := &sheet{dc, w, h}
	if c.Empty != "" || c.paint == nil {
		s.write(labelWords.in(muted), 0, h/2, left, labelWords.short(c.Empty, w))
		return
	}
	c.paint(s)
}

// described gives a drawing a role and a text for those who can't see it.
func described(svg string, c Chart) string {
	label := html.EscapeString(clean(c.Title + ". " + c.Alt))
	return strings.Replace(svg, "<svg ", `<svg role="img" aria-label="`+label+`" `, 1)
}
