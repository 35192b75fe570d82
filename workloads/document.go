package workloads

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The YAML of a scenario is read from its syntax tree rather than into structs
// by reflection: what is wrong with a value, be it a key, a unit or a name that
// nothing has, is then said at the place where it stands. The parser's own
// strict mode knows places of unknown keys only.

// maxSource bounds a scenario: it is written by hand, and bodies of any size
// go into files beside it.
const maxSource = 256 << 10

// maxDepth bounds nesting; a scenario needs six.
const maxDepth = 32

// document is a scenario file: its name and lines, for problems.
type document struct {
	name  string
	lines []string
}

// value is a node of the document's tree.
type value struct {
	doc  *document
	node ast.Node
}

// open parses src and returns the top of its tree.
func open(name string, src []byte) (top value, err error) {
	doc := &document{name: name, lines: strings.Split(string(src), "\n")}
	if err := doc.sound(src); err != nil {
		return value{}, err
	}
	defer func() { // the tree comes from another's parser, the bytes from anyone
		if p := recover(); p != nil {
			top, err = value{}, doc.problem(1, 1, 1, "not YAML that can be read", fmt.Sprint(p))
		}
	}()
	file, err := parser.ParseBytes(src, 0)
	if err != nil {
		return value{}, doc.syntax(err)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return value{}, doc.problem(1, 1, 1, "the scenario is empty", "it needs at least function and storms")
	}
	for _, d := range file.Docs[1:] {
		if d.Body != nil {
			return value{}, value{doc, d.Body}.problem("a second document", "a scenario is one document; remove the --- before it")
		}
	}
	return value{doc, file.Docs[0].Body}, nil
}

// sound refuses sources that no person wrote, and on which the YAML parser
// would take minutes. Brackets are counted without a look at quotes, which is
// close enough at this many: a key at the start of a line closes all.
func (d *document) sound(src []byte) error {
	if len(src) > maxSource {
		d.lines = nil // nothing of them is worth showing
		return d.problem(1, 1, 1, fmt.Sprintf("the scenario has more than %d bytes", maxSource), "put large bodies into files beside the scenario and name them with file")
	}
	if !utf8.Valid(src) {
		d.lines = nil
		return d.problem(1, 1, 1, "the scenario is not UTF-8 text", "")
	}
	depth := 0
	for n, line := range d.lines {
		if line != "" && !strings.ContainsRune(" \t\r[]{}", rune(line[0])) {
			depth = 0
		}
		for i, r := range line {
			switch r {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(0, depth-1)
			case '\t', '\r':
			default:
				if r < ' ' || r == 0x7f {
					return d.problem(n+1, utf8.RuneCountInString(line[:i])+1, 1, fmt.Sprintf("control character %U", r), "")
				}
			}
			if depth > 4*maxDepth {
				return d.problem(n+1, utf8.RuneCountInString(line[:i])+1, 1, "brackets are nested too deep", "put large bodies into files beside the scenario and name them with file")
			}
		}
		if strings.Count(line, "- - -") > maxDepth || strings.Count(line, "? ? ?") > maxDepth {
			return d.problem(n+1, 1, 1, "lists are nested too deep", "")
		}
	}
	return nil
}

// syntax places an error of the YAML parser.
func (d *document) syntax(err error) error {
	var at interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if !errors.As(err, &at) || at.GetToken() == nil || at.GetToken().Position == nil {
		return d.problem(1, 1, 1, err.Error(), "")
	}
	pos, hint := at.GetToken().Position, ""
	if strings.Contains(at.GetMessage(), "'\\t'") || strings.Contains(at.GetMessage(), "'\t'") {
		hint = "indent with spaces; YAML allows no tabs"
	}
	return d.problem(pos.Line, pos.Column, 1, strings.ReplaceAll(at.GetMessage(), "\t", `\t`), hint)
}

// problem makes a Problem at a place of the document.
func (d *document) problem(line, column, width int, what, hint string) error {
	p := &Problem{File: d.name, Line: max(line, 1), Column: max(column, 1), Width: width, What: what, Hint: hint}
	if p.Line <= len(d.lines) {
		p.Text = strings.TrimRight(d.lines[p.Line-1], "\r")
	}
	return p
}

// problem makes a Problem at the value.
func (v value) problem(what, hint string) error {
	return v.doc.at(start(v.node), what, hint)
}

// at makes a Problem at a token.
func (d *document) at(tk *token.Token, what, hint string) error {
	if tk == nil || tk.Position == nil {
		return d.problem(1, 1, 1, what, hint)
	}
	width := utf8.RuneCountInString(strings.TrimSpace(tk.Origin))
	if strings.Contains(strings.TrimSpace(tk.Origin), "\n") {
		width = 1
	}
	return d.problem(tk.Position.Line, tk.Position.Column, width, what, hint)
}

// start is the first token of a node. A mapping's own token is the colon of
// its first key, which is not where a person looks.
func start(n ast.Node) *token.Token {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken()
	}
	return n.GetToken()
}
