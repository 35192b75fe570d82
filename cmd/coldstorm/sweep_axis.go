package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"coldstorm/workloads"
)

// axis is what a scaling curve varies.
type axis struct {
	name, unit string
	about      string    // for help
	values     []float64 // that are taken if none are given
	low, high  float64
	bytes      bool // values are sizes, which may have a unit
	whole      bool

	measure func(*curveTarget, float64) error
}

// axes lists all of them, in the order of the help.
func axes() []axis {
	return []axis{
		{
			name: "burst", unit: "triggers at once", about: "triggers at once, each burst on a fresh deployment",
			values: []float64{1, 2, 5, 10, 20, 50, 100}, low: 1, high: 10_000, whole: true, measure: (*curveTarget).burst,
		},
		{
			name: "rate", unit: "triggers/s", about: "triggers a second, held for --for, open loop, at warm environments",
			values: []float64{10, 20, 50, 100, 200, 500}, low: 0.1, high: 100_000, measure: (*curveTarget).rate,
		},
		{
			name: "concurrency", unit: "clients", about: "clients that each send their next trigger when the last is answered, for --n answers each",
			values: []float64{1, 2, 4, 8, 16, 32}, low: 1, high: 2_000, whole: true, measure: (*curveTarget).concurrency,
		},
		{
			name: "memory", unit: "MB", about: "memory of the function in MB, and with it its share of a processor; --n cold and --n warm starts",
			values: []float64{128, 256, 512, 1024, 1769, 3008}, low: workloads.MinMemoryMB, high: workloads.MaxMemoryMB, whole: true, measure: (*curveTarget).memory,
		},
		{
			name: "package", unit: "bytes added", about: "bytes that are added to the package, which don't compress; --n cold and --n warm starts",
			values: []float64{0, 1 << 20, 10 << 20, 50 << 20, 100 << 20}, low: 0, high: 10 << 30, bytes: true, whole: true, measure: (*curveTarget).pack,
		},
		{
			name: "payload", unit: "bytes", about: "size of the event in bytes, padded by a key of its own; --n cold and --n warm starts",
			values: []float64{1 << 10, 10 << 10, 100 << 10, 1 << 20, 5 << 20}, low: 1, high: workloads.MaxPayload, bytes: true, whole: true, measure: (*curveTarget).payload,
		},
	}
}

// parseAxis reads AXIS or AXIS=V1,V2,...
func parseAxis(text string) (axis, error) {
	name, list, given := strings.Cut(text, "=")
	var names []string
	for _, a := range axes() {
		if a.name != name {
			names = append(names, a.name)
			continue
		}
		if !given {
			return a, nil
		}
		return a.with(list)
	}
	return axis{}, usageError("what can be varied: "+strings.Join(names, ", "), "--over: no axis %q", name)
}

// with returns the axis with the values of a list, which have to ascend.
func (a axis) with(list string) (axis, error) {
	a.values = nil
	for _, word := range strings.Split(list, ",") {
		v, err := a.value(strings.TrimSpace(word))
		if err != nil {
			return a, err
		}
		a.values = append(a.values, v)
	}
	if !slices.IsSorted(a.values) || len(slices.Compact(slices.Clone(a.values))) < len(a.values) {
		return a, usageError("list them from the smallest on, each once", "--over %s: %s don't ascend", a.name, list)
	}
	return a, nil
}

func (a axis) value(word string) (float64, error) {
	number, factor := word, 1.0
	if a.bytes {
		number, factor = sizeUnit(word)
	}
	v, err := strconv.ParseFloat(number, 64)
	v *= factor
	switch {
	case err != nil && a.bytes:
		return 0, usageError("write 100KB, 10MB or a number of bytes", "--over %s: %q is no size", a.name, word)
	case err != nil:
		return 0, usageError(fmt.Sprintf("for example --over %s=%s", a.name, a.example()), "--over %s: %q is no number", a.name, word)
	case !(v >= a.low && v <= a.high):
		return 0, usageError("", "--over %s: %s is not within %s..%s %s", a.name, word, plainNumber(a.low), plainNumber(a.high), a.unit)
	case a.whole && v != float64(int64(v)):
		return 0, usageError("", "--over %s: %s is no whole number of %s", a.name, word, a.unit)
	}
	return v, nil
}

// sizeUnit splits a size from its unit's factor; the units are powers of 1,024, as
// AWS's quotas are.
func sizeUnit(word string) (number string, factor float64) {
	upper := strings.ToUpper(word)
	for _, u := range []struct {
		name   string
		factor float64
	}{{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"B", 1}} {
		if n, ok := strings.CutSuffix(upper, u.name); ok {
			return strings.TrimSpace(n), u.factor
		}
	}
	return word, 1
}

// example is the axis' own values as they are written.
func (a axis) example() string {
	var words []string
	for _, v := range a.values {
		words = append(words, plainNumber(v))
	}
	return strings.Join(words, ",")
}

func plainNumber(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// storm says what is fired at each value.
func (a axis) storm(o *curveOptions) string {
	switch a.name {
	case "burst":
		return fmt.Sprintf("%d bursts, each on a fresh deployment", o.repeats)
	case "rate":
		return fmt.Sprintf("%d times a constant rate for %s, each at a fresh deployment with as many warm environments as it is to need, twice over", o.repeats, span(o.hold))
	case "concurrency":
		return fmt.Sprintf("%d times %d answers a client, each on a fresh deployment", o.repeats, o.n)
	}
	return fmt.Sprintf("%d cold starts, then %d warm ones, one after another", o.n, o.n)
}
