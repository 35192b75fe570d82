package workloads

import (
	"fmt"
	"strings"
	"unicode"
)

// Problem is what is wrong with a scenario and where. Error prints it for a
// person: the place, what is wrong, the line with a caret under the value, and
// a hint.
type Problem struct {
	File   string // as it was named to Load or Parse
	Line   int    // from 1
	Column int    // in characters, from 1
	Width  int    // characters to underline; at least 1 is shown
	Text   string // the line of the source; empty where there is none
	What   string
	Hint   string // what to do; may be empty
}

// Error prints the problem over several lines, without a final line break.
func (p *Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s", p.File, p.Line, p.Column, p.What)
	if text, column := p.excerpt(); len(text) > 0 {
		gutter := fmt.Sprintf("%5d | ", p.Line)
		fmt.Fprintf(&b, "\n%s%s\n%s", gutter, string(text), p.caret(text, column, len(gutter)))
	}
	if p.Hint != "" {
		fmt.Fprintf(&b, "\n  hint: %s", p.Hint)
	}
	return b.String()
}

// excerpt is what of the line fits a terminal, and the column in it. Control
// characters, which a terminal would obey, are shown as replaced.
func (p *Problem) excerpt() (text []rune, column int) {
	const around = 70
	text, column = []rune(p.Text), p.Column
	if len(text) > 2*around {
		from := min(max(0, column-1-around), len(text))
		text, column = text[from:min(from+2*around, len(text))], column-from
	}
	for i, r := range text {
		if r != '\t' && !unicode.IsPrint(r) {
			text[i] = unicode.ReplacementChar
		}
	}
	return text, column
}

// caret is the line that underlines the value. Tabs of the source are kept, so
// that it lines up at any width of tab.
func (p *Problem) caret(text []rune, column, gutter int) string {
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", gutter-2) + "| ")
	for i := range column - 1 {
		if i < len(text) && text[i] == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	width := min(max(p.Width, 1), max(len(text)-column+1, 1))
	b.WriteString(strings.Repeat("^", width))
	return b.String()
}

// nearest returns the candidate that a person most likely meant by word, or ""
// if none is near: at most one edit in three characters.
func nearest(word string, candidates []string) string {
	best, at := "", max(1, len(word)/3)+1
	for _, c := range candidates {
		if d := edits(strings.ToLower(word), c); d < at {
			best, at = c, d
		}
	}
	return best
}

// edits counts the insertions, deletions, replacements and swaps of neighbours
// that make b of a.
func edits(a, b string) int {
	s, t := []rune(a), []rune(b)
	if len(s) > 64 || len(t) > 64 {
		return max(len(s), len(t)) // nobody mistyped that
	}
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = make([]int, len(t)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(s)][len(t)]
}

// suggest words a hint: the candidate that was probably meant, and all there
// are. kind is their plural, such as "shapes".
func suggest(word, kind string, candidates []string) string {
	all := kind + ": " + strings.Join(candidates, ", ")
	if c := nearest(word, candidates); c != "" {
		return fmt.Sprintf("did you mean %s? (%s)", c, all)
	}
	return all
}
