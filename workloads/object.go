package workloads

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// key is one key of a mapping: its name and how its value is read into a T.
// The tables of keys in keys.go are the whole form of a scenario; the order in
// them is the order of reading, whatever the order in the file.
type key[T any] struct {
	name string
	read func(into *T, v value) error
}

// field is a key of the file with its value.
type field struct {
	name *token.Token
	value
}

// object is a mapping that was read: which keys it has and where.
type object struct {
	value
	what   string // such as "function"
	fields map[string]field
}

// has reports whether the file gives the key.
func (o object) has(name string) bool { _, ok := o.fields[name]; return ok }

// problem places what at the value of a key, or at the mapping without it.
func (o object) problem(name, what, hint string) error {
	if f, ok := o.fields[name]; ok {
		return f.problem(what, hint)
	}
	return o.value.problem(what, hint)
}

// needs refuses a mapping without one of the keys.
func (o object) needs(names ...string) error {
	for _, n := range names {
		if !o.has(n) {
			return o.value.problem(fmt.Sprintf("%s has no %s", o.what, n), "")
		}
	}
	return nil
}

// one refuses a mapping that has none, or more than one, of the keys.
func (o object) one(names ...string) error {
	list := strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
	found := ""
	for _, n := range names {
		if !o.has(n) {
			continue
		}
		if found != "" {
			return o.doc.at(o.fields[n].name, fmt.Sprintf("%s has both %s and %s", o.what, found, n), "give one of "+list)
		}
		found = n
	}
	if found == "" {
		return o.value.problem(fmt.Sprintf("%s has neither %s", o.what, strings.Join(names, " nor ")), "give one of "+list)
	}
	return nil
}

// read reads the mapping v into a T by its table of keys, of which some are
// required.
func read[T any](v value, what string, keys []key[T], into *T, required ...string) (object, error) {
	o, err := v.object(what, names(keys))
	if err != nil {
		return o, err
	}
	if err := o.needs(required...); err != nil {
		return o, err
	}
	for _, k := range keys {
		if f, ok := o.fields[k.name]; ok && k.read != nil {
			if err := k.read(into, f.value); err != nil {
				return o, err
			}
		}
	}
	return o, nil
}

func names[T any](keys []key[T]) []string {
	var list []string
	for _, k := range keys {
		list = append(list, k.name)
	}
	return list
}

// object finds the keys of a mapping. allowed nil allows any.
func (v value) object(what string, allowed []string) (object, error) {
	o := object{value: v, what: what, fields: map[string]field{}}
	m, ok := v.node.(*ast.MappingNode)
	if !ok {
		return o, v.kind(what, "a mapping of keys to values")
	}
	for _, kv := range m.Values {
		name, ok := kv.Key.(*ast.StringNode)
		if !ok {
			return o, v.doc.at(kv.Key.GetToken(), "a key has to be a plain word", "put a word such as null or true in quotes")
		}
		if allowed != nil && !slices.Contains(allowed, name.Value) {
			return o, v.doc.at(name.Token, fmt.Sprintf("%s has no key %q", what, name.Value), suggest(name.Value, "keys", allowed))
		}
		if first, twice := o.fields[name.Value]; twice {
			return o, v.doc.at(name.Token, fmt.Sprintf("%s is given twice", name.Value), fmt.Sprintf("first in line %d", first.name.Position.Line))
		}
		if empty(kv.Value) {
			return o, v.doc.at(name.Token, fmt.Sprintf("%s has no value", name.Value), "remove the key to get its default")
		}
		o.fields[name.Value] = field{name.Token, value{v.doc, kv.Value}}
	}
	return o, nil
}

// empty reports whether the file gives no value, or null.
func empty(n ast.Node) bool {
	_, null := n.(*ast.NullNode)
	return n == nil || null
}

// list returns the entries of a sequence.
func (v value) list(what string) ([]value, error) {
	s, ok := v.node.(*ast.SequenceNode)
	if !ok {
		return nil, v.kind(what, "a list")
	}
	var all []value
	for _, n := range s.Values {
		if empty(n) {
			return nil, v.problem(what+" has an empty entry", "")
		}
		all = append(all, value{v.doc, n})
	}
	return all, nil
}

// kind is the problem of a value that is of another kind than what needs.
func (v value) kind(what, want string) error {
	switch v.node.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return v.problem("anchors and aliases are not read", "write the value out")
	case *ast.TagNode:
		return v.problem("tags are not read", "remove it")
	case *ast.MappingNode:
		return v.problem(fmt.Sprintf("%s has to be %s, not a mapping", what, want), "")
	case *ast.SequenceNode:
		return v.problem(fmt.Sprintf("%s has to be %s, not a list", what, want), "")
	}
	return v.problem(fmt.Sprintf("%s has to be %s", what, want), "")
}
