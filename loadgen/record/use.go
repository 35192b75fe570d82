package record

import (
	"slices"
	"time"

	"coldstorm/results"
)

// Use is how much processor time the generator had used by a moment.
type Use struct {
	At  results.Stamp
	CPU time.Duration
}

// AddUse keeps a reading for the timeline. Stamps must not decrease.
func (r *Recorder) AddUse(u Use) { r.use = append(r.use, u) }

// by is the processor time used by a moment, between the readings on both sides of
// it; ok is false outside of them.
func usedBy(use []Use, at results.Stamp) (cpu time.Duration, ok bool) {
	n, exact := slices.BinarySearchFunc(use, at, func(u Use, t results.Stamp) int { return int(min(max(u.At-t, -1), 1)) })
	if exact {
		return use[n].CPU, true
	}
	if n == 0 || n == len(use) {
		return 0, false
	}
	a, b := use[n-1], use[n]
	share := float64(at-a.At) / float64(b.At-a.At)
	return a.CPU + time.Duration(share*float64(b.CPU-a.CPU)), true
}

// generatorCPU gives each point the cores that the generator used in its interval,
// or the part of it that readings cover; none where there are none.
func (r *Recorder) generatorCPU(points []results.TimelinePoint, start results.Stamp) {
	if len(r.use) < 2 {
		return
	}
	first, last := r.use[0].At, r.use[len(r.use)-1].At
	for i := range points {
		p := &points[i]
		from, to := max(start.Add(p.At), first), min(start.Add(p.At+p.Every), last)
		if from >= to {
			continue
		}
		before, _ := usedBy(r.use, from)
		after, _ := usedBy(r.use, to)
		p.GeneratorCPU = float64(after-before) / float64(to-from)
	}
}

// functionCPU lays the processor time of an invocation over the time that it and its
// init ran: evenly, as nothing is known of when in it they used it.
func functionCPU(points []results.TimelinePoint, start results.Stamp, s *results.Sample) {
	if s.CPU <= 0 || s.Done == 0 {
		return
	}
	end := s.Done
	if s.Responded > start && s.Responded < end {
		end = s.Responded
	}
	ran := max(s.Phases.Invoke+s.Phases.InitDuration(), time.Microsecond)
	from := end.Add(-ran)
	every := points[0].Every
	for i := max(0, int(from.Sub(start)/every)); i < len(points); i++ {
		p := &points[i]
		begin := start.Add(p.At)
		if begin >= end {
			return
		}
		part := min(end, begin.Add(every)).Sub(max(from, begin))
		p.FunctionCPU += float64(s.CPU) * float64(max(part, 0)) / float64(ran) / float64(every)
	}
}
