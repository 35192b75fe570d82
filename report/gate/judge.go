package gate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"coldstorm/report/stats"
)

// judge gives every row its verdict. What keeps the runs from being compared as
// a whole keeps each row from one.
func judge(rows []Row, run []string, limits Limits) {
	var tested []*Row
	var p []float64
	for i := range rows {
		r := &rows[i]
		r.barriers = append(slices.Clone(run), r.barriers...)
		if len(r.barriers) == 0 && r.P != nil {
			tested, p = append(tested, r), append(p, *r.P)
		}
	}
	for i, adjusted := range stats.Holm(p) {
		tested[i].Adjusted = &adjusted
	}
	for i := range rows {
		r := &rows[i]
		switch {
		case len(r.barriers) > 0:
			r.Verdict, r.Why = Inconclusive, strings.Join(r.barriers, "; ")
		case r.Metric == Errors:
			judgeErrors(r, limits)
		default:
			judgeEffect(r, limits)
		}
	}
}

// judgeEffect judges a row by its p, or, where it has none, by its interval.
func judgeEffect(r *Row, limits Limits) {
	if r.Interval == nil {
		r.Verdict, r.Why = Inconclusive, "too few independent blocks for an interval"
		return
	}
	significant, how := r.Interval.Low > 0, fmt.Sprintf("its %.0f %% interval is above 0", 100*r.Interval.Level)
	if r.Adjusted != nil {
		significant, how = *r.Adjusted < limits.alpha(), "p = "+formatP(*r.Adjusted)
	}
	change := describe(*r)
	switch {
	case significant && r.Effect > r.Limit:
		r.Verdict, r.Why = Regression, fmt.Sprintf("%s, above the limit of %s; %s", change, percent(r.Limit), how)
	case r.Interval.High < r.Limit:
		r.Verdict, r.Why = Pass, fmt.Sprintf("%s; at most %s with %.0f %% confidence, below the limit of %s",
			change, percent(r.Interval.High), 100*r.Interval.Level, percent(r.Limit))
	default:
		r.Verdict, r.Why = Inconclusive, change+", "+r.doubt(significant, how)
	}
}

// doubt says why an effect is neither above nor below its limit, and how many
// samples would settle it: an interval narrows with their square root.
func (r *Row) doubt(significant bool, how string) string {
	half := (r.Interval.High - r.Interval.Low) / 2
	why := fmt.Sprintf("and its interval reaches %s, over the limit of %s", percent(r.Interval.High), percent(r.Limit))
	if r.Effect > r.Limit && !significant {
		why += ", without being significant"
		if r.Adjusted != nil {
			why += " (" + how + ")"
		}
	}
	if half > r.Limit {
		n := float64(min(r.BaseN, r.HeadN)) * (half / r.Limit) * (half / r.Limit)
		if n < math.MaxInt32 {
			r.Enough = int(math.Ceil(n))
			why += fmt.Sprintf(": too noisy, about %d samples a run would do", r.Enough)
		}
	}
	return why
}

// judgeErrors judges by an absolute limit first: what is within it is a pass
// whatever base had. Beyond it, head has to be worse than base by more than the
// limit and by more than chance.
func judgeErrors(r *Row, limits Limits) {
	figures := fmt.Sprintf("%s of head's triggers, %s of base's", share(r.Head), share(r.Base))
	switch {
	case r.Head <= r.Limit:
		r.Verdict, r.Why = Pass, fmt.Sprintf("%s; the limit is %s", figures, share(r.Limit))
	case r.Effect > r.Limit && *r.Adjusted < limits.alpha():
		r.Verdict, r.Why = Regression, fmt.Sprintf("%s, above the limit of %s; p = %s", figures, share(r.Limit), formatP(*r.Adjusted))
	case r.Interval.High < r.Limit:
		r.Verdict, r.Why = Pass, figures+"; no more than base had"
	default:
		r.Verdict, r.Why = Inconclusive, fmt.Sprintf("%s, above the limit of %s, and chance is not ruled out (p = %s)",
			figures, share(r.Limit), formatP(*r.Adjusted))
	}
}

// overall is the worst of the rows; no row at all is no evidence.
func overall(rows []Row) Verdict {
	v := Pass
	for _, r := range rows {
		if rank(r.Verdict) > rank(v) {
			v = r.Verdict
		}
	}
	if len(rows) == 0 {
		return Inconclusive
	}
	return v
}

func rank(v Verdict) int { return slices.Index([]Verdict{Pass, Inconclusive, Regression, Invalid}, v) }

// sortWorstFirst orders by verdict, and within one by how much of its limit an
// effect takes.
func sortWorstFirst(rows []Row) {
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(
			cmp.Compare(rank(b.Verdict), rank(a.Verdict)),
			cmp.Compare(b.Effect/b.Limit, a.Effect/a.Limit),
		)
	})
}

// prefix puts what they are about before reasons.
func prefix(about string, reasons []string) []string {
	for i := range reasons {
		reasons[i] = about + ": " + reasons[i]
	}
	return reasons
}

func lacks(a arm, n, minimum int) string {
	return fmt.Sprintf("%s sent %d triggers of the %d that it takes", a.name, n, minimum)
}
