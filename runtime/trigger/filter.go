package trigger

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// The limits of an event source mapping's filters (AWS Lambda Developer Guide,
// "Control which events Lambda sends to your function"). Five filters can be raised to
// ten on request.
const (
	mostFilters  = 10
	longestRules = 4096 // characters of a pattern
)

// errPattern begins what is said of a pattern that can't be read, as Lambda writes it.
var errPattern = errors.New("Invalid filter pattern definition.")

// filters say which records reach the function: those that match one of them. None lets
// all pass.
type filters []fieldRules

// filterCriteria are filters as the API has them.
type filterCriteria struct {
	Filters []struct{ Pattern string }
}

func (c *filterCriteria) read() (list filters, err error) {
	if c == nil {
		return nil, nil
	}
	if len(c.Filters) > mostFilters {
		return nil, fmt.Errorf("%w %d filters, where %d can be", errPattern, len(c.Filters), mostFilters)
	}
	for _, f := range c.Filters {
		if n := len(f.Pattern); n > longestRules {
			return nil, fmt.Errorf("%w %d characters, where %d can be", errPattern, n, longestRules)
		}
		if f.Pattern == "" { // lets all pass
			return nil, nil
		}
		p, err := readPattern([]byte(f.Pattern))
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// pass says whether a message of a queue reaches the function. A pattern of its body
// is of a string or of JSON; a body of the other kind never matches it.
func (f filters) pass(r sqsRecord) bool {
	if len(f) == 0 {
		return true
	}
	var event map[string]any
	if err := decodeJSON(marshal(r), &event); err != nil {
		return false
	}
	var body map[string]any
	isObject := decodeJSON([]byte(r.Body), &body) == nil && body != nil
	for _, p := range f {
		event["body"] = r.Body
		if _, nested := p.of["body"].(fieldRules); nested {
			if !isObject {
				continue
			}
			event["body"] = body
		} else if p.of["body"] != nil && isObject {
			continue
		}
		if p.match(event) {
			return true
		}
	}
	return false
}

func decodeJSON(text []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one value")
	}
	return nil
}

// A pattern is a tree of fields with rules at its leaves.
type pattern interface{ match(value any) bool }

// fieldRules must all match, and of each group of or one.
type fieldRules struct {
	of map[string]pattern
	or [][]fieldRules
}

// rules are of a leaf, of which one must match.
type rules []rule

// readPattern reads an object of fields. Each has an object or an array of rules.
func readPattern(text []byte) (fieldRules, error) {
	var v any
	if err := decodeJSON(text, &v); err != nil {
		return fieldRules{}, fmt.Errorf("%w %v", errPattern, err)
	}
	m, ok := v.(map[string]any)
	if !ok || len(m) == 0 {
		return fieldRules{}, fmt.Errorf("%w a pattern is an object of fields", errPattern)
	}
	return readFields(m, "")
}

func readFields(m map[string]any, at string) (f fieldRules, err error) {
	f.of = map[string]pattern{}
	for name, v := range m {
		where := strings.TrimPrefix(at+"."+name, ".")
		switch v := v.(type) {
		case map[string]any:
			if len(v) == 0 {
				return f, fmt.Errorf("%w %s: an object without fields", errPattern, where)
			}
			f.of[name], err = readFields(v, where)
		case []any:
			if name == "$or" {
				err = f.either(v, where)
				break
			}
			f.of[name], err = readRules(v, where)
		default:
			err = fmt.Errorf("%w %s: want an object, or an array of rules", errPattern, where)
		}
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

func (f *fieldRules) either(list []any, where string) error {
	var group []fieldRules
	for _, x := range list {
		m, ok := x.(map[string]any)
		if !ok || len(m) == 0 {
			return fmt.Errorf("%w %s: want objects of fields", errPattern, where)
		}
		g, err := readFields(m, where)
		if err != nil {
			return err
		}
		group = append(group, g)
	}
	if len(group) < 2 {
		return fmt.Errorf("%w %s: want two objects at least", errPattern, where)
	}
	f.or = append(f.or, group)
	return nil
}

// match holds fields against an object, or against each of an array: one that has all of
// them matches.
func (f fieldRules) match(value any) bool {
	if list, ok := value.([]any); ok && len(list) > 0 {
		for _, v := range list {
			if f.match(v) {
				return true
			}
		}
		return false
	}
	m, _ := value.(map[string]any) // of nothing, only what must not exist matches
	for name, p := range f.of {
		v, ok := m[name]
		if !ok {
			v = absent{}
		}
		if !p.match(v) {
			return false
		}
	}
	for _, group := range f.or {
		one := false
		for _, g := range group {
			one = one || g.match(value)
		}
		if !one {
			return false
		}
	}
	return true
}

// absent is the value of a field that isn't there.
type absent struct{}

// match holds rules against a leaf, or against each of an array: one that one rule takes
// matches. An object is no leaf.
func (r rules) match(value any) bool {
	switch v := value.(type) {
	case []any:
		if len(v) > 0 {
			for _, x := range v {
				if r.match(x) {
					return true
				}
			}
			return false
		}
		value = absent{}
	case map[string]any:
		value = absent{}
	}
	for _, one := range r {
		if one(value) {
			return true
		}
	}
	return false
}
