package chart

import (
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"
)

// Style is the style sheet that a page with drawings of Inline needs. It gives
// the colours' variables for a light and a dark theme, the font, and the
// classes that stand for the commonest styles.
const Style = `:root{--ink:#1a1d21;--muted:#5a626b;--grid:#e3e6ea;--paper:#fff;--faint:#a9b0b8;--blue:#0072b2;--red:#d55e00;--green:#009e73;--pink:#cc79a7;--orange:#e69f00;--sky:#56b4e9}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e8eaed;--muted:#a2abb5;--grid:#2a3038;--paper:#14171b;--faint:#5d6670;--blue:#4aa8e0;--red:#f08a3c;--green:#2fc79a;--pink:#e29cc3;--orange:#c98a00;--sky:#3d88b5}}
svg.chart{display:block;width:100%;height:auto;overflow:visible;font-family:"Liberation Sans",Arial,Helvetica,sans-serif}
svg.chart text{transform:scale(1,-1);font-size:11px;fill:var(--muted)}svg.chart path{fill:none}
svg.chart .g{stroke:var(--grid)}svg.chart .f{stroke:var(--faint)}svg.chart .l{font-size:12px;fill:var(--ink)}svg.chart .s{font-size:12px;font-weight:bold;fill:var(--ink)}
svg.glyph{display:inline-block;width:14px;height:14px}
`

var (
	viewBox = regexp.MustCompile(`viewBox="([^"]*)"`)
	font400 = regexp.MustCompile(`font-family:[^;"]*;font-variant:normal;font-weight:normal;font-style:normal;`)
	font700 = regexp.MustCompile(`font-family:[^;"]*;font-variant:normal;font-weight:bold;font-style:normal;`)
	pathD   = regexp.MustCompile(`<path d="([^"]*)"`)
	textAt  = regexp.MustCompile(`<text x="([^"]*)" y="([^"]*)" transform="scale\(1, -1\)"\s+`)
	segment = regexp.MustCompile(`[MLACQZ][^MLACQZ]*`)
)

// inline turns an SVG file into an element of a page whose style sheet holds
// Style. What it drops is a third of the bytes: the prologue, the font's name
// and the flip of every text, decimals that no screen shows, repeated styles.
func inline(svg string, c Chart) string {
	box := viewBox.FindStringSubmatch(svg)
	start := strings.Index(svg, "<g ")
	if box == nil || start < 0 {
		return ""
	}
	label := html.EscapeString(clean(c.Title + ". " + c.Alt))
	head := fmt.Sprintf(`<svg class="chart" viewBox="%s" role="img" aria-label="%s">`, box[1], label)
	return head + shorten(svg[start:])
}

func shorten(body string) string {
	body = font400.ReplaceAllString(body, "")
	body = font700.ReplaceAllString(body, "font-weight:bold;")
	body = pathD.ReplaceAllStringFunc(body, func(s string) string {
		return `<path d="` + shortPath(pathD.FindStringSubmatch(s)[1]) + `"`
	})
	body = textAt.ReplaceAllStringFunc(body, func(s string) string {
		m := textAt.FindStringSubmatch(s)
		return `<text x="` + shortNumber(m[1]) + `" y="` + shortNumber(m[2]) + `" `
	})
	return classes.Replace(themed(body))
}

// classes replaces the commonest styles by the classes of Style. Texts are
// escaped before, so what looks like markup is.
var classes = strings.NewReplacer(
	` style="font-size:11px;fill:var(--muted)"`, ``,
	` style="font-size:12px;fill:var(--ink)"`, ` class="l"`,
	` style="font-weight:bold;font-size:12px;fill:var(--ink)"`, ` class="s"`,
	` style="fill:none;stroke:var(--grid)"`, ` class="g"`,
	` style="fill:none;stroke:var(--faint)"`, ` class="f"`,
	` style="fill:none;`, ` style="`,
	` />`, `/>`, "/>\n", `/>`, "</text>\n", "</text>",
)

// shortPath writes path data with one decimal, and level and upright lines by
// their one coordinate.
func shortPath(d string) string {
	var b strings.Builder
	var x, y string
	for _, s := range segment.FindAllString(d, -1) {
		op := s[:1]
		fields := strings.FieldsFunc(s[1:], func(r rune) bool { return r == ',' || r == ' ' })
		for i, f := range fields {
			fields[i] = shortNumber(f)
		}
		n := len(fields)
		switch {
		case op == "L" && n == 2 && fields[1] == y:
			if fields[0] != x {
				b.WriteString("H" + fields[0])
			}
		case op == "L" && n == 2 && fields[0] == x:
			b.WriteString("V" + fields[1])
		default:
			b.WriteString(op + strings.Join(fields, " "))
		}
		if n >= 2 {
			x, y = fields[n-2], fields[n-1]
		}
	}
	return b.String()
}

func shortNumber(s string) string {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	s = strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
	if s == "-0" {
		return "0"
	}
	return s
}

var hexColour = regexp.MustCompile(`(fill|stroke):#([0-9A-F]{6})`)

// themed replaces each colour by its CSS variable. The SVG backend truncates
// the channels of a translucent colour, so a colour is known by the nearest of
// ours.
func themed(svg string) string {
	return hexColour.ReplaceAllStringFunc(svg, func(s string) string {
		property, code, _ := strings.Cut(s, ":#")
		v, err := strconv.ParseUint(code, 16, 32)
		if err != nil {
			return s
		}
		return property + ":var(" + nearest(int(v>>16), int(v>>8&0xFF), int(v&0xFF)) + ")"
	})
}

// nearest names the variable of the colour that is closest to r, g, b.
func nearest(r, g, b int) string {
	name, least := "", 1<<30
	for _, v := range variables {
		dr, dg, db := r-int(v.colour.R), g-int(v.colour.G), b-int(v.colour.B)
		if d := dr*dr + dg*dg + db*db; d < least {
			name, least = v.name, d
		}
	}
	return name
}
