package workloads

import (
	"math"
	"strconv"
	"time"
)

// schedule writes out the shape of a storm or a part, and the keys that it uses.
func (w *writer) schedule(indent int, st Storm) {
	w.line(indent, "shape: %s", st.Shape)
	for _, k := range shapeKeys[st.Shape].all() {
		switch k {
		case "of":
			w.line(indent, "of:")
			w.schedule(indent+1, st.Parts[0])
		case "parts":
			w.line(indent, "parts:")
			for _, p := range st.Parts {
				w.line(indent+1, "-")
				w.schedule(indent+2, p)
			}
		default:
			if s := st.written(k); s != "" {
				w.line(indent, "%s: %s", k, s)
			}
		}
	}
}

// written is the value of a key of a schedule; empty where it is better left
// out.
func (st Storm) written(k string) string {
	switch k {
	case "n":
		return strconv.Itoa(st.N)
	case "steps":
		return strconv.Itoa(st.Steps)
	case "sources":
		return strconv.Itoa(st.Sources)
	case "clients":
		return strconv.Itoa(st.Clients)
	case "times":
		return strconv.Itoa(st.Times)
	case "functions":
		return aboveZero(st.Functions)
	case "file":
		return text(st.File)
	case "format":
		return st.Format
	case "place":
		return st.Place
	case "since":
		return above(st.Since, time.Duration.String)
	case "apart":
		if st.Apart {
			return "true"
		}
		return ""
	case "arrivals":
		return chosen(arrivalWords, st.Poisson)
	case "thinking":
		return chosen(thinkingWords, st.Exponential)
	case "share":
		return percent(st.Share)
	case "phase":
		return decimal(st.Phase)
	case "hurst":
		return decimal(st.Hurst)
	case "exponent":
		return decimal(st.Exponent)
	case "time":
		return above(st.Time, decimal)
	case "load":
		return above(st.Load, decimal)
	case "gaps":
		return "[" + join(st.Gaps, time.Duration.String) + "]"
	case "think":
		return st.Think.String()
	case "every":
		return above(st.Every, time.Duration.String)
	}
	if r, ok := st.rates()[k]; ok {
		return perSecond(r)
	}
	if k == "for" && st.Shape == ShapeTrace {
		return above(st.For, time.Duration.String)
	}
	return st.spans()[k].String()
}

// aboveZero writes n unless it is zero.
func aboveZero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (st Storm) rates() map[string]float64 {
	return map[string]float64{
		"rate": st.Rate, "from": st.From, "to": st.To, "peak": st.Peak, "swing": st.Swing, "high": st.High, "low": st.Low,
	}
}

func (st Storm) spans() map[string]time.Duration {
	return map[string]time.Duration{
		"high_for": st.HighFor, "low_for": st.LowFor, "period": st.Period, "width": st.Width,
		"for": st.For, "gap": st.Gap, "first": st.First, "last": st.Last,
	}
}

// chosen is one of two words, the first of which is the default.
func chosen(words []string, second bool) string {
	if second {
		return words[1]
	}
	return words[0]
}

// above writes x unless it is zero.
func above[T float64 | time.Duration](x T, write func(T) string) string {
	if x == 0 {
		return ""
	}
	return write(x)
}

// percent writes a share so that it is read back to the bit: the fewest digits
// of it, or of a neighbour, that a hundredth of makes it again.
func percent(share float64) string {
	for _, p := range []float64{100 * share, math.Nextafter(100*share, 0), math.Nextafter(100*share, 101)} {
		for digits := 1; digits <= 17; digits++ {
			short, _ := strconv.ParseFloat(strconv.FormatFloat(p, 'g', digits, 64), 64)
			if short/100 == share {
				return decimal(short) + "%"
			}
		}
	}
	return decimal(100*share) + "%"
}
