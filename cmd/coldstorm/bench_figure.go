package main

import (
	"fmt"
	"strings"
	"time"
)

// A benchFigure is one cell of a row whose columns are its part's own. A value that
// there is none of is left out by name, with an empty text.
type benchFigure struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit,omitempty"` // one of the units below; empty counts
	Value float64 `json:"value"`
	None  bool    `json:"none,omitempty"` // too few samples, or not offered by this host
}

// Units of figures.
const (
	unitNS      = "ns"
	unitBytes   = "bytes"
	unitSecond  = "1/s"
	unitRatio   = "ratio"
	unitPercent = "%"
	unitSigned  = "+%" // an error
)

func (f benchFigure) String() string {
	switch {
	case f.None:
		return "-"
	case f.Unit == unitNS:
		return span(time.Duration(f.Value))
	case f.Unit == unitBytes:
		return kibibytes(f.Value)
	case f.Unit == unitRatio:
		return fmt.Sprintf("%.2f", f.Value)
	case f.Unit == unitSigned:
		return fmt.Sprintf("%+.3f%%", f.Value)
	case f.Unit == unitPercent:
		return fmt.Sprintf("%.0f%%", f.Value)
	}
	return thousands(int(f.Value))
}

// kibibytes shows bytes in KiB, so that a column of them compares.
func kibibytes(bytes float64) string {
	if kib := bytes / 1024; kib < 10 && kib > -10 {
		return fmt.Sprintf("%.1f KiB", kib)
	}
	return thousands(int(bytes/1024)) + " KiB"
}

// duration is a figure of time; there is none of 0.
func duration(name string, d time.Duration) benchFigure {
	return benchFigure{Name: name, Unit: unitNS, Value: float64(d), None: d == 0}
}

func figuresHeader(list []benchFigure) string {
	var b strings.Builder
	b.WriteString("  contender")
	for _, f := range list {
		b.WriteString("\t" + f.Name)
	}
	return b.String()
}

func figuresLine(contender string, list []benchFigure) string {
	var b strings.Builder
	b.WriteString("  " + contender)
	for _, f := range list {
		b.WriteString("\t" + f.String())
	}
	return b.String()
}

// A benchGoal is what coldstorm promises of a figure, beside what was measured.
type benchGoal struct {
	What string `json:"what"`
	Want string `json:"want"`
	Got  string `json:"got"`
	Met  bool   `json:"met"`
}

func (g benchGoal) String() string {
	verdict := "MISSED"
	if g.Met {
		verdict = "met"
	}
	return fmt.Sprintf("%s: %s wanted, %s: %s", g.What, g.Want, g.Got, verdict)
}

// atLeast is the goal of a ratio.
func atLeast(what string, want, got float64) benchGoal {
	return benchGoal{What: what, Want: fmt.Sprintf("at least %g", want), Got: fmt.Sprintf("%.2f", got), Met: got >= want}
}

// atMost is atLeast the other way.
func atMost(what string, want, got float64) benchGoal {
	return benchGoal{What: what, Want: fmt.Sprintf("at most %g", want), Got: fmt.Sprintf("%.2f", got), Met: got <= want}
}
