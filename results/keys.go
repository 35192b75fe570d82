package results

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// unknownKey returns the path of a key of a decoded JSON tree that the type has
// no field for, such as series[2].latency.cold.p95_ns, or "". Package json
// could refuse unknown keys too, but names neither the path nor, as it ignores
// case, each of them.
func unknownKey(tree any, t reflect.Type, path string) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		return ""
	}
	switch node := tree.(type) {
	case map[string]any:
		return unknownIn(node, t, path)
	case []any:
		if t.Kind() != reflect.Slice {
			return "" // another kind than the field's is for json to refuse
		}
		for i, e := range node {
			if key := unknownKey(e, t.Elem(), fmt.Sprintf("%s[%d]", path, i)); key != "" {
				return key
			}
		}
	}
	return ""
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

func unknownIn(node map[string]any, t reflect.Type, path string) string {
	fields := map[string]reflect.Type{}
	if t.Kind() == reflect.Struct {
		fields = keysOf(t)
	}
	for _, name := range slices.Sorted(maps.Keys(node)) {
		below := strings.TrimPrefix(path+"."+name, ".")
		kind, known := fields[name]
		switch {
		case t.Kind() == reflect.Map:
			kind = t.Elem()
		case t.Kind() != reflect.Struct:
			return ""
		case !known:
			return below
		}
		if key := unknownKey(node[name], kind, below); key != "" {
			return key
		}
	}
	return ""
}

// keysOf are the JSON keys of a struct's fields, all of which are tagged.
func keysOf(t reflect.Type) map[string]reflect.Type {
	keys := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			keys[name] = f.Type
		}
	}
	return keys
}
