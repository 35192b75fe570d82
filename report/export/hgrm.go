package export

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"coldstorm/results"
)

// Hgrm writes a spectrum in the percentile format of HdrHistogram, which its
// plotter and others read, with values in milliseconds. q is the summary of
// the same set; its mean and maximum go into the comments at the end. The
// standard deviation, which other writers put there, is not known.
func Hgrm(w io.Writer, s results.Spectrum, q results.Quantiles) error {
	b := bufio.NewWriter(w) // keeps the first error for Flush
	fmt.Fprintf(b, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)")
	for _, p := range s {
		if !(p.Q >= 0 && p.Q <= 1) {
			continue
		}
		fmt.Fprintf(b, "%12.3f %2.12f %10d", milliseconds(p.Value), p.Q, p.Count)
		if p.Q < 1 {
			fmt.Fprintf(b, " %14.2f", 1/(1-p.Q))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(b, "#[Mean    = %12.3f]\n", milliseconds(q.Mean))
	fmt.Fprintf(b, "#[Max     = %12.3f, Total count    = %12d]\n", milliseconds(q.Max), q.N)
	return b.Flush()
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
