package main

import (
	"encoding/csv"
	"io"
	"path/filepath"
	"slices"
	"strconv"

	"coldstorm/results"
	"coldstorm/runtime/sim"
)

// functionsFile is the file of a simulated trace's folder that has a row for each
// of its functions.
const functionsFile = "functions.csv"

// writeFiles adds the histogram logs and the table of functions to the folder.
func (t *traceSimulation) writeFiles() error {
	for _, o := range t.outcomes {
		l := hlog{name: t.name + " " + string(o.Model), outcome: o.Outcome}
		if err := results.Replace(filepath.Join(t.dir, fileName(l.name)+".hlog"), l.write); err != nil {
			return err
		}
	}
	return results.Replace(filepath.Join(t.dir, functionsFile), t.writeFunctions)
}

func (t *traceSimulation) writeFunctions(to io.Writer) error {
	w := csv.NewWriter(to)
	w.Write([]string{
		"model", "function", "memory_mb", "offered", "cold", "warm", "refused",
		"cold_p50_ns", "cold_p99_ns", "warm_p50_ns", "warm_p99_ns", "peak_environments", "busy_s", "alive_s",
	})
	whole := func(n int64) string { return strconv.FormatInt(n, 10) }
	seconds := func(s float64) string { return strconv.FormatFloat(s, 'f', 3, 64) }
	for _, o := range t.outcomes {
		for _, f := range o.Functions {
			w.Write([]string{
				string(o.Model), f.Name, strconv.Itoa(f.MemoryMB), whole(f.Offered), whole(f.Cold.N), whole(f.Warm.N), whole(f.Refused),
				carriedBy(f.Cold, 0.5), carriedBy(f.Cold, 0.99), carriedBy(f.Warm, 0.5), carriedBy(f.Warm, 0.99),
				strconv.Itoa(f.Peak), seconds(f.Busy), seconds(f.Alive),
			})
		}
	}
	w.Flush()
	return w.Error()
}

// carriedBy is a quantile in nanoseconds, empty where there are too few values for
// it: one beyond it at least.
func carriedBy(d sim.Digest, q float64) string {
	if float64(d.N)*(1-q) < 1 {
		return ""
	}
	return strconv.FormatInt(int64(d.Quantile(q)), 10)
}

// mostPoints is how many intervals of a day's timeline the report draws.
const mostPoints = 144

// coarser joins intervals of a timeline until there are no more than mostPoints.
func coarser(points []results.TimelinePoint) []results.TimelinePoint {
	for len(points) > mostPoints {
		var half []results.TimelinePoint
		for pair := range slices.Chunk(points, 2) {
			p := pair[len(pair)-1]
			p.At, p.Every = pair[0].At, 2*pair[0].Every
			if len(pair) == 2 {
				p.Offered += pair[0].Offered
				p.Completed += pair[0].Completed
				p.Throttled += pair[0].Throttled
				p.Errors += pair[0].Errors
				p.Cold += pair[0].Cold
			}
			half = append(half, p)
		}
		points = half
	}
	return points
}
