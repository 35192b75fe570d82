package workloads

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Scalars of a scenario carry their unit (1769MB, 30s, 20/s). One without is
// refused rather than guessed; only 0 needs none.

// written returns a plain scalar as it stands in the file, without quotes.
func (v value) written(what, want string) (string, error) {
	switch n := v.node.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return v.node.GetToken().Value, nil
	}
	return "", v.kind(what, want)
}

// text reads words. A number or a truth value where words belong is refused:
// YAML would read 1.10 as 1.1 and no as false.
func (v value) text(what string) (string, error) {
	s, err := v.written(what, "text")
	if err != nil {
		return "", err
	}
	switch v.node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
	default:
		return "", v.problem(what+" has to be text, not a number or truth value", "put it in quotes")
	}
	if strings.TrimSpace(s) == "" {
		return "", v.problem(what+" is empty", "")
	}
	return s, nil
}

// naming is what a name looks like: it becomes a part of file names, of URLs
// and of a shell's words.
var naming = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

const namingHint = "a name has 1 to 64 letters, digits, dots, dashes and underscores, and starts with a letter or digit"

func (v value) name(what string) (string, error) {
	s, err := v.text(what)
	if err == nil && !naming.MatchString(s) {
		err = v.problem(fmt.Sprintf("%s %q cannot be a name", what, s), namingHint)
	}
	return s, err
}

// word reads one of a fixed set of words. kind is their plural.
func (v value) word(what, kind string, set []string) (string, error) {
	s, err := v.text(what)
	if err == nil && !slices.Contains(set, s) {
		err = v.problem(fmt.Sprintf("unknown %s %q", what, s), suggest(s, kind, set))
	}
	return s, err
}

func (v value) truth(what string) (bool, error) {
	b, ok := v.node.(*ast.BoolNode)
	if !ok {
		return false, v.problem(what+" has to be true or false", "")
	}
	return b.Value, nil
}

// whole reads a whole number in low..high.
func (v value) whole(what string, low, high int64) (int64, error) {
	bounds := fmt.Sprintf("%s is a whole number from %d to %d", what, low, high)
	if _, ok := v.node.(*ast.IntegerNode); !ok {
		if _, err := v.written(what, "a whole number"); err != nil {
			return 0, err
		}
		return 0, v.problem(what+" has to be a whole number", bounds)
	}
	s := v.node.GetToken().Value
	n, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64)
	if err != nil || strings.HasPrefix(s, "0") && s != "0" {
		return 0, v.problem(fmt.Sprintf("%s cannot be %s", what, s), bounds)
	}
	if n < low || n > high {
		return 0, v.problem(fmt.Sprintf("%s cannot be %d", what, n), bounds)
	}
	return n, nil
}

// quantity splits a number from its unit: "1769MB", "1 GB", "20/s".
var quantity = regexp.MustCompile(`^([+-]?[0-9]*\.?[0-9]+)\s*([A-Za-z/µ]*)$`)

func split(s string) (number float64, unit string, ok bool) {
	m := quantity.FindStringSubmatch(s)
	if m == nil {
		return 0, "", false
	}
	n, err := strconv.ParseFloat(m[1], 64)
	return n, m[2], err == nil
}

// number reads a plain number in (0, high].
func (v value) number(what string, high float64) (float64, error) {
	s, err := v.written(what, "a number")
	if err != nil {
		return 0, err
	}
	n, unit, ok := split(s)
	if !ok || unit != "" || n <= 0 || n > high {
		return 0, v.problem(fmt.Sprintf("%s cannot be %s", what, s), fmt.Sprintf("%s is a number above 0, up to %g", what, high))
	}
	return n, nil
}

// within reads a plain number in low..high.
func (v value) within(what string, low, high float64) (float64, error) {
	s, err := v.written(what, "a number")
	if err != nil {
		return 0, err
	}
	n, unit, ok := split(s)
	if !ok || unit != "" || n < low || n > high {
		return 0, v.problem(fmt.Sprintf("%s cannot be %s", what, s), fmt.Sprintf("%s is a number from %g to %g", what, low, high))
	}
	return n, nil
}

// percent reads a share in (0, 1], which is written as 10%.
func (v value) percent(what string) (float64, error) {
	s, err := v.written(what, "a share such as 10%")
	if err != nil {
		return 0, err
	}
	digits, percent := strings.CutSuffix(s, "%")
	n, unit, ok := split(strings.TrimSpace(digits))
	if !percent || !ok || unit != "" || n <= 0 || n > 100 {
		return 0, v.problem(fmt.Sprintf("%s cannot be %s", what, s), fmt.Sprintf("%s is above 0%% and up to 100%%, such as 10%%", what))
	}
	return n / 100, nil
}

// megabytes reads a memory size into whole MB of 1024 x 1024 bytes, which is
// what AWS and the kernel both mean.
func (v value) megabytes(what string, low, high int) (int, error) {
	s, err := v.written(what, "a size such as 1769MB")
	if err != nil {
		return 0, err
	}
	scale := map[string]float64{"MB": 1, "MiB": 1, "GB": 1024, "GiB": 1024}
	n, unit, ok := split(s)
	mb := n * scale[unit]
	switch {
	case !ok || scale[unit] == 0:
		return 0, v.problem(fmt.Sprintf("%s cannot be %q", what, s), "write a size with its unit: 1769MB or 2GB")
	case mb != math.Trunc(mb) || mb < float64(low) || mb > float64(high):
		return 0, v.problem(fmt.Sprintf("%s cannot be %s", what, s), fmt.Sprintf("%s is a whole number of MB from %dMB to %dMB", what, low, high))
	}
	return int(mb), nil
}

// rate reads triggers a second. zero says whether it may be none.
func (v value) rate(what string, zero bool) (float64, error) {
	s, err := v.written(what, "a rate such as 20/s")
	if err != nil {
		return 0, err
	}
	per := map[string]float64{"/s": 1, "/min": 60, "/h": 3600}
	n, unit, ok := split(s)
	if ok && n == 0 && unit == "" {
		unit = "/s"
	}
	switch {
	case !ok || per[unit] == 0:
		return 0, v.problem(fmt.Sprintf("%s cannot be %q", what, s), "write a rate with its unit: 20/s, 600/min or 5/h")
	case n < 0 || n == 0 && !zero:
		return 0, v.problem(fmt.Sprintf("%s cannot be %s", what, s), what+" is above 0")
	case n/per[unit] > maxRate:
		return 0, v.problem(fmt.Sprintf("%s cannot be %s", what, s), fmt.Sprintf("%s is at most %d/s", what, int64(maxRate)))
	}
	return n / per[unit], nil
}

// steady reads a rate to project at.
func (v value) steady(what string) (float64, error) {
	r, err := v.rate(what, false)
	if err == nil && r < minSteady {
		err = v.problem(fmt.Sprintf("%s cannot be below %g/s", what, minSteady), fmt.Sprintf("%g/s is %.0f triggers a month", minSteady, minSteady*730*3600))
	}
	return r, err
}

// duration reads a span in low..high, such as 30s, 5 min or 1h30m.
func (v value) duration(what string, low, high time.Duration) (time.Duration, error) {
	s, err := v.written(what, "a duration such as 30s")
	if err != nil {
		return 0, err
	}
	compact := strings.ReplaceAll(strings.ReplaceAll(s, " ", ""), "min", "m")
	d, err := time.ParseDuration(compact)
	if err != nil {
		return 0, v.problem(fmt.Sprintf("%s cannot be %q", what, s), "write a duration with its unit: 200ms, 30s, 5min or 1h30m")
	}
	if d < low || d > high {
		return 0, v.problem(fmt.Sprintf("%s cannot be %s", what, s), fmt.Sprintf("%s is from %s to %s", what, short(low), short(high)))
	}
	return d, nil
}

// short prints a duration without the zero parts that time.Duration adds.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
