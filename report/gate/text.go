package gate

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"coldstorm/report/cost"
	"coldstorm/results"
)

// Text writes the report for people: the verdict, an aligned table, worst
// first, and a line for each row that says why.
func (r Report) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: head %s against base %s\n", strings.ToUpper(string(r.Verdict)), r.Head, r.Base)
	if r.Advisory && r.Verdict != Invalid {
		b.WriteString("advisory: two separate runs\n")
	}
	for _, reason := range r.Reasons {
		fmt.Fprintf(&b, "  %s\n", reason)
	}
	if len(r.Rows) > 0 {
		b.WriteByte('\n')
		table(&b, r.Rows)
		b.WriteByte('\n')
	}
	for _, row := range r.Rows {
		why := row.Why
		if len(r.Reasons) > 0 { // they stand above, once
			why = strings.TrimPrefix(strings.TrimPrefix(why, strings.Join(r.Reasons, "; ")), "; ")
		}
		if why != "" {
			fmt.Fprintf(&b, "%s: %s\n", title(row), why)
		}
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// table writes the rows in columns: text to the left, figures to the right.
func table(b *strings.Builder, rows []Row) {
	cells := [][]string{{"metric", "storm", "verdict", "base", "head", "effect", "interval", "limit", "n", "p"}}
	for _, r := range rows {
		cells = append(cells, []string{
			string(r.Metric), dash(r.about()), string(r.Verdict),
			r.figure(r.Base, r.BaseN), r.figure(r.Head, r.HeadN), r.effect(), r.interval(), r.amount(r.Limit),
			fmt.Sprintf("%d/%d", r.BaseN, r.HeadN), r.p(),
		})
	}
	width := make([]int, len(cells[0]))
	for _, line := range cells {
		for i, cell := range line {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range cells {
		var out strings.Builder
		for i, cell := range line {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				out.WriteString("  ")
			}
			if i < 3 {
				out.WriteString(cell + pad)
			} else {
				out.WriteString(pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(out.String(), " ") + "\n")
	}
}

// figure writes a value of the row's unit.
func (r Row) figure(v float64, n int) string {
	switch {
	case r.Unit == USD && v > 0:
		return cost.Format(results.USD(v))
	case n == 0 || r.Unit == USD:
		return "–"
	case r.Unit == Share:
		return share(v)
	}
	return duration(time.Duration(v))
}

// amount writes an effect or a limit of the row.
func (r Row) amount(v float64) string {
	if r.Unit == Share {
		return share(v)
	}
	return percent(v)
}

func (r Row) effect() string {
	if !r.measured() {
		return "–"
	}
	return signed(r.amount(r.Effect), r.Effect)
}

func (r Row) interval() string {
	if r.Interval == nil {
		return "–"
	}
	return fmt.Sprintf("[%s, %s]", signed(r.amount(r.Interval.Low), r.Interval.Low), signed(r.amount(r.Interval.High), r.Interval.High))
}

func (r Row) p() string {
	if r.Adjusted == nil {
		return "–"
	}
	return formatP(*r.Adjusted)
}

// measured reports whether both sides have a figure.
func (r Row) measured() bool {
	if r.Unit == USD {
		return r.Base > 0 && r.Head > 0
	}
	return r.BaseN > 0 && r.HeadN > 0
}

func title(r Row) string {
	if r.Series == "" {
		return string(r.Metric)
	}
	return string(r.Metric) + " of " + r.about()
}

// about is the storm, and the part of its events' way.
func (r Row) about() string {
	if r.Part == "" {
		return r.Series
	}
	return r.Series + ", " + r.Part
}

// describe says what changed in words.
func describe(r Row) string {
	more, less := "slower", "faster"
	if r.Unit == USD {
		more, less = "dearer", "cheaper"
	}
	if r.Part != "" {
		less += " in all"
		more += " in all"
	}
	switch s := percent(math.Abs(r.Effect)); {
	case s == "0.0 %":
		return "unchanged"
	case r.Effect > 0:
		return s + " " + more
	default:
		return s + " " + less
	}
}

func percent(v float64) string { return strconv.FormatFloat(100*v, 'f', 1, 64) + " %" }

// share writes a share that may be far below one percent.
func share(v float64) string { return strconv.FormatFloat(100*v, 'f', 2, 64) + " %" }

func signed(s string, v float64) string {
	if v > 0 {
		return "+" + s
	}
	return s
}

func formatP(p float64) string {
	if p < 0.0001 {
		return "<0.0001"
	}
	return strconv.FormatFloat(p, 'f', 4, 64)
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// duration writes four significant digits.
func duration(d time.Duration) string {
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if d >= u.of {
			return strconv.FormatFloat(float64(d)/float64(u.of), 'g', 4, 64) + u.name
		}
	}
	return fmt.Sprintf("%dns", d.Nanoseconds())
}
