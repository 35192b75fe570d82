package export

import (
	"bufio"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"coldstorm/report/chart"
	"coldstorm/results"
)

// Terminal says what a terminal can show. The zero Terminal is 80 columns of
// UTF-8 without colour.
type Terminal struct {
	Width  int  // columns; 0 for 80. Sentences are wrapped to it, and tables lose their last columns
	ASCII  bool // nothing beyond ASCII
	Colour bool // headings bold, warnings in colour; words say the same
}

// Text writes the summary of a run for a terminal.
func Text(w io.Writer, run results.Run, t Terminal) error {
	if t.Width <= 0 {
		t.Width = 80
	}
	p := &printer{Terminal: t, w: bufio.NewWriter(w)}
	p.sentence(bold, title(run))
	for _, s := range remarks(run) {
		p.sentence(warning, "! "+s)
	}
	for _, b := range blocks(run) {
		p.line("")
		p.sentence(bold, b.title+" ("+string(b.basis)+")")
		p.table(b.table)
	}
	if s := append(reasons(run), verdict(run)); len(s) > 1 || s[0] != "" {
		p.line("")
		for _, s := range s {
			p.sentence("", s)
		}
	}
	return p.w.Flush()
}

// The escapes of a colour terminal.
const (
	bold    = "\x1b[1m"
	warning = "\x1b[33m"
	reset   = "\x1b[0m"
)

// printer writes lines; its writer keeps the first error for Flush.
type printer struct {
	Terminal
	w *bufio.Writer
}

func (p *printer) line(s string) { p.styled("", s) }

func (p *printer) styled(style, s string) {
	s = strings.TrimRight(s, " ")
	if p.Colour && style != "" && s != "" {
		s = style + s + reset
	}
	p.w.WriteString(s + "\n")
}

// sentence wraps s between words.
func (p *printer) sentence(style, s string) {
	line := ""
	for _, word := range strings.Fields(p.clean(s)) {
		if line != "" && columns(line)+1+columns(word) > p.Width {
			p.styled(style, line)
			line = "   "
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	p.styled(style, line)
}

// ascii writes what ASCII lacks.
var ascii = strings.NewReplacer("µ", "u", "−", "-", "–", "-", "…", "...", "×", "x", "≤", "<=", "≥", ">=", "→", "->", "±", "+-")

// clean makes s safe and legible: no control characters, and no letters that
// the terminal lacks.
func (p *printer) clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if !p.ASCII {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, ascii.Replace(s))
}

func columns(s string) int { return utf8.RuneCountInString(s) }

// table aligns words left and numbers right, two spaces apart. Columns that
// the width has no room for are left out, the last first, and named below.
func (p *printer) table(t chart.Table) {
	rows := append([][]string{t.Header}, t.Rows...)
	widths := make([]int, len(t.Header))
	for r, cells := range rows {
		rows[r] = make([]string, len(cells))
		for i, c := range cells {
			rows[r][i] = p.short(p.clean(c))
			if i < len(widths) {
				widths[i] = max(widths[i], columns(rows[r][i]))
			}
		}
	}
	fit, total := 0, 2
	for fit < len(widths) && (fit == 0 || total+widths[fit] <= p.Width) {
		total += widths[fit] + 2
		fit++
	}
	for _, cells := range rows {
		line := "  "
		for i, c := range cells[:min(fit, len(cells))] {
			pad := strings.Repeat(" ", widths[i]-columns(c))
			if i < t.Text {
				line += c + pad + "  "
			} else {
				line += pad + c + "  "
			}
		}
		p.line(line)
	}
	if fit < len(widths) {
		p.sentence("", "left out, for want of width: "+strings.Join(t.Header[fit:], ", "))
	}
}

// maxCell keeps a long name from taking the whole width.
const maxCell = 28

func (p *printer) short(s string) string {
	if columns(s) <= maxCell {
		return s
	}
	end := "…"
	if p.ASCII {
		end = "..."
	}
	return string([]rune(s)[:maxCell-columns(end)]) + end
}
