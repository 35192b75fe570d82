package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// rateFlag is a rate as vegeta writes it: N/UNIT, where a unit without a number is
// one of it, or N alone for a second.
type rateFlag struct {
	n   float64
	per time.Duration
}

func (r *rateFlag) String() string {
	return strconv.FormatFloat(r.n, 'g', -1, 64) + "/" + r.per.String()
}

// Type names the value in help.
func (*rateFlag) Type() string { return "rate" }

// Set reads a rate above 0.
func (r *rateFlag) Set(s string) error {
	count, unit, ok := strings.Cut(s, "/")
	n, err := strconv.ParseFloat(count, 64)
	if err != nil || !(n >= 0) || n > 1e9 {
		return fmt.Errorf("%q is no rate such as 50/1s", s)
	}
	if count == "infinity" || n == 0 {
		return fmt.Errorf("as fast as can be is no storm; --shape sequence sends each when the last is answered")
	}
	per := time.Second
	if ok {
		if unit != "" && (unit[0] < '0' || unit[0] > '9') {
			unit = "1" + unit
		}
		if per, err = time.ParseDuration(unit); err != nil || per <= 0 {
			return fmt.Errorf("%q is no rate such as 50/1s: its unit is a time", s)
		}
	}
	*r = rateFlag{n, per}
	return nil
}

// perSecond is the rate in triggers a second.
func (r rateFlag) perSecond() float64 { return r.n / r.per.Seconds() }

// headerFlag is request headers. Names keep their letters' case, as vegeta's do.
type headerFlag http.Header

func (h *headerFlag) String() string { return "" }

// Type names the value in help.
func (*headerFlag) Type() string { return "header" }

// Set adds "Name: value".
func (h *headerFlag) Set(s string) error {
	name, value, ok := strings.Cut(s, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok || name == "" || value == "" || strings.ContainsAny(name, " \t\r\n") || strings.ContainsAny(value, "\r\n") {
		return fmt.Errorf("%q is no header such as 'X-Key: value'", s)
	}
	(*h)[name] = append((*h)[name], value)
	return nil
}

// ramped reads the rates of --ramp, FROM..TO, each with a unit perhaps.
func ramped(s string) (from, to float64, err error) {
	a, b, ok := strings.Cut(s, "..")
	if !ok {
		return 0, 0, fmt.Errorf("%q is not of the form FROM..TO, such as 10..500", s)
	}
	var rates [2]float64
	for i, text := range []string{a, b} {
		if n, err := strconv.ParseFloat(text, 64); err == nil && n == 0 {
			continue // a ramp may begin or end there
		}
		var r rateFlag
		if err := r.Set(text); err != nil {
			return 0, 0, err
		}
		rates[i] = r.perSecond()
	}
	return rates[0], rates[1], nil
}

// doubled gives flags that are written with one dash, as vegeta's are, the two
// that they have here. A letter alone is left as it is.
func doubled(f *pflag.FlagSet, args []string) []string {
	var out []string
	for i, arg := range args {
		if arg == "--" {
			return append(out, args[i:]...)
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && f.Lookup(name) != nil {
			arg = "-" + arg
		}
		out = append(out, arg)
	}
	return out
}
