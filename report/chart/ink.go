package chart

import (
	"image/color"
	"sort"
	"strings"
	"unicode"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The colours of every chart. Each is also a sentinel: in a page it becomes
// the CSS variable of its name in variables, which is how a drawing follows
// the reader's light or dark theme. No two may be equal.
var (
	ink    = color.NRGBA{0x1A, 0x1D, 0x21, 0xFF}
	muted  = color.NRGBA{0x5A, 0x62, 0x6B, 0xFF}
	grid   = color.NRGBA{0xE3, 0xE6, 0xEA, 0xFF}
	paper  = color.NRGBA{0xFE, 0xFE, 0xFE, 0xFF}
	faint  = color.NRGBA{0xA9, 0xB0, 0xB8, 0xFF}
	blue   = color.NRGBA{0x00, 0x72, 0xB2, 0xFF} // warm starts; the Lambda family
	red    = color.NRGBA{0xD5, 0x5E, 0x00, 0xFF} // cold starts; the Fargate family
	green  = color.NRGBA{0x00, 0x9E, 0x73, 0xFF} // ready starts; the EC2 family
	pink   = color.NRGBA{0xCC, 0x79, 0xA7, 0xFF} // the objective
	orange = color.NRGBA{0xE6, 0x9F, 0x00, 0xFF} // fills only: too light for lines
	sky    = color.NRGBA{0x56, 0xB4, 0xE9, 0xFF} // fills only
)

// variables names the CSS variable that stands for each colour in a page.
var variables = []struct {
	colour color.NRGBA
	name   string
}{
	{ink, "--ink"},
	{muted, "--muted"},
	{grid, "--grid"},
	{paper, "--paper"},
	{faint, "--faint"},
	{blue, "--blue"},
	{red, "--red"},
	{green, "--green"},
	{pink, "--pink"},
	{orange, "--orange"},
	{sky, "--sky"},
}

// pale returns c at the given opacity, 0..1.
func pale(c color.NRGBA, opacity float64) color.NRGBA {
	c.A = uint8(opacity * 255)
	return c
}

// plain lays out text in Liberation Sans, whose metrics Arial and Helvetica
// share. Only the two faces in use are linked.
var plain = func() text.Plain {
	faces := font.Collection{}
	for weight, ttf := range map[xfont.Weight][]byte{
		xfont.WeightNormal: liberationsansregular.TTF,
		xfont.WeightBold:   liberationsansbold.TTF,
	} {
		face, err := opentype.Parse(ttf)
		if err != nil {
			panic("font of package liberation: " + err.Error()) // linked in: can't happen
		}
		faces = append(faces, font.Face{Font: font.Font{Typeface: "Liberation", Variant: "Sans", Weight: weight}, Face: face})
	}
	return text.Plain{Fonts: font.NewCache(faces)}
}()

// words is a way of writing: size in points, colour, weight.
type words struct {
	size   vg.Length
	colour color.NRGBA
	bold   bool
}

var (
	tickWords  = words{11, muted, false}
	axisWords  = words{11, muted, false}
	labelWords = words{12, ink, false}
	strong     = words{12, ink, true}
	titleWords = words{15, ink, true}
)

// in returns w in another colour.
func (w words) in(c color.NRGBA) words { w.colour = c; return w }

func (w words) style() draw.TextStyle {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: w.size}
	if w.bold {
		f.Weight = xfont.WeightBold
	}
	return draw.TextStyle{Color: w.colour, Font: f, Handler: plain}
}

// width returns the width of s in points.
func (w words) width(s string) vg.Length { return w.style().Width(clean(s)) }

// height is that of a line, from the top of a capital to the baseline.
func (w words) height() vg.Length { return w.size * 0.72 }

// clean makes one printable line of s: names come from users.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// short cuts s to a width, with an ellipsis.
func (w words) short(s string, width vg.Length) string {
	s = clean(s)
	if w.width(s) <= width {
		return s
	}
	runes := []rune(s)
	n := sort.Search(len(runes), func(n int) bool { return w.width(string(runes[:n+1])+"…") > width })
	return string(runes[:max(n, 1)]) + "…"
}

func solid(c color.NRGBA, width vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: width}
}

func dashed(c color.NRGBA, width vg.Length, dashes ...vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: width, Dashes: dashes}
}
