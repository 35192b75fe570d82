package trigger

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A rule says whether it takes a leaf: a string, a json.Number, a bool, nil, or absent.
type rule func(leaf any) bool

func readRules(list []any, where string) (all rules, err error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("%w %s: no rules", errPattern, where)
	}
	for _, v := range list {
		r, err := readRule(v)
		if err != nil {
			return nil, fmt.Errorf("%w %s: %v", errPattern, where, err)
		}
		all = append(all, r)
	}
	return all, nil
}

// readRule reads a value that is to be equal, or an object of one operator and its
// operand.
func readRule(v any) (rule, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return equal(v)
	}
	if len(m) != 1 {
		return nil, fmt.Errorf("want one operator in a rule, not %d", len(m))
	}
	for name, operand := range m {
		read := operators[name]
		if read == nil {
			return nil, fmt.Errorf("no operator %s: want anything-but, equals-ignore-case, exists, numeric, prefix or suffix", name)
		}
		r, err := read(operand)
		if err != nil {
			return nil, fmt.Errorf("%s: %v", name, err)
		}
		return r, nil
	}
	return nil, nil
}

// operators read the operand of a rule, by the operator's name.
var operators map[string]func(operand any) (rule, error)

func init() { // anythingBut reads rules itself
	operators = map[string]func(operand any) (rule, error){
		"prefix":             ofString(strings.HasPrefix),
		"suffix":             ofString(strings.HasSuffix),
		"equals-ignore-case": ofString(strings.EqualFold),
		"exists":             exists,
		"numeric":            numeric,
		"anything-but":       anythingBut,
	}
}

// equal takes strings, numbers (by their value), true, false and null.
func equal(want any) (rule, error) {
	switch w := want.(type) {
	case json.Number:
		n, err := w.Float64()
		return func(leaf any) bool { x, ok := number(leaf); return ok && x == n }, err
	case string, bool, nil:
		return func(leaf any) bool { return leaf == want }, nil
	}
	return nil, fmt.Errorf("want a string, a number, true, false, null or an operator")
}

func number(leaf any) (float64, bool) {
	n, ok := leaf.(json.Number)
	if !ok {
		return 0, false
	}
	x, err := n.Float64()
	return x, err == nil
}

func ofString(test func(s, operand string) bool) func(any) (rule, error) {
	return func(operand any) (rule, error) {
		want, ok := operand.(string)
		if !ok {
			return nil, fmt.Errorf("want a string")
		}
		return func(leaf any) bool {
			s, ok := leaf.(string)
			return ok && test(s, want)
		}, nil
	}
}

func exists(operand any) (rule, error) {
	want, ok := operand.(bool)
	if !ok {
		return nil, fmt.Errorf("want true or false")
	}
	return func(leaf any) bool { return (leaf != absent{}) == want }, nil
}

// comparisons of numbers, by their sign.
var comparisons = map[string]func(a, b float64) bool{
	"=":  func(a, b float64) bool { return a == b },
	"<":  func(a, b float64) bool { return a < b },
	"<=": func(a, b float64) bool { return a <= b },
	">":  func(a, b float64) bool { return a > b },
	">=": func(a, b float64) bool { return a >= b },
}

// numeric reads one comparison, or the two ends of a range.
func numeric(operand any) (rule, error) {
	list, ok := operand.([]any)
	if !ok || len(list) != 2 && len(list) != 4 {
		return nil, fmt.Errorf("want an array of a sign and a number, or of two of each")
	}
	var tests []func(float64) bool
	for i := 0; i < len(list); i += 2 {
		sign, _ := list[i].(string)
		compare := comparisons[sign]
		bound, ok := number(list[i+1])
		if compare == nil || !ok {
			return nil, fmt.Errorf("want =, <, <=, > or >= and a number, not %v and %v", list[i], list[i+1])
		}
		tests = append(tests, func(x float64) bool { return compare(x, bound) })
	}
	return func(leaf any) bool {
		x, ok := number(leaf)
		for _, t := range tests {
			ok = ok && t(x)
		}
		return ok
	}, nil
}

// anythingBut reads what a leaf must not be: a value, an array of them, or what a prefix
// or suffix takes. A leaf must be there.
func anythingBut(operand any) (rule, error) {
	list, ok := operand.([]any)
	if !ok {
		list = []any{operand}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no values")
	}
	var not rules
	for _, v := range list {
		if m, ok := v.(map[string]any); ok && m["prefix"] == nil && m["suffix"] == nil && m["equals-ignore-case"] == nil {
			return nil, fmt.Errorf("want values, or a prefix, suffix or equals-ignore-case")
		}
		r, err := readRule(v)
		if err != nil {
			return nil, err
		}
		not = append(not, r)
	}
	return func(leaf any) bool { return leaf != absent{} && !not.match(leaf) }, nil
}
