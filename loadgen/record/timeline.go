package record

import (
	"math"
	"slices"
	"time"

	"coldstorm/results"
)

// Census counts the units of the endpoint at one moment, by state.
type Census struct {
	At                   results.Stamp
	Starting, Idle, Busy int
}

// AddCensus keeps a census for the timeline. Stamps must not decrease.
func (r *Recorder) AddCensus(c Census) { r.census = append(r.census, c) }

// A timeline has about a hundred intervals: of 10 ms to 100 ms each in a storm of
// less than ten seconds, of up to one second in a longer one.
const (
	intervals     = 100
	finest        = 10 * time.Millisecond
	shortInterval = 100 * time.Millisecond
	longInterval  = time.Second
)

// interval returns how long the intervals of a timeline over length are: a whole
// number of 100 ms, or of 10 ms in a storm of less than a second.
func interval(length time.Duration) time.Duration {
	unit := shortInterval
	if length < time.Second {
		unit = finest
	}
	every := (length/intervals + unit - 1) / unit * unit
	return min(max(every, unit), longInterval)
}

func (r *Recorder) timeline(start, end results.Stamp) []results.TimelinePoint {
	if start == 0 {
		return nil
	}
	every := interval(end.Sub(start))
	points := make([]results.TimelinePoint, end.Sub(start)/every+1)
	for i := range points {
		points[i] = results.TimelinePoint{At: time.Duration(i) * every, Every: every, Starting: -1, Idle: -1, Busy: -1}
	}
	at := func(s results.Stamp) *results.TimelinePoint {
		i := int(s.Sub(start) / every)
		return &points[min(max(i, 0), len(points)-1)]
	}
	for s := range r.Samples() {
		if s.Intended != 0 && s.Outcome != results.OutcomeUnsent {
			at(s.Intended).Offered++
		}
		if s.Sent != 0 {
			at(s.Sent).InFlight++
		}
		if s.Done != 0 {
			finish(at(s.Done), &s)
		}
		functionCPU(points, start, &s)
	}
	for i := 1; i < len(points); i++ { // from changes to levels
		points[i].InFlight += points[i-1].InFlight
	}
	r.units(points, start)
	r.generatorCPU(points, start)
	for i := range points { // to a millionth of a core: sums of floats depend on their order beyond
		points[i].FunctionCPU = math.Round(points[i].FunctionCPU*1e6) / 1e6
		points[i].GeneratorCPU = math.Round(points[i].GeneratorCPU*1e6) / 1e6
	}
	return points
}

// finish counts the end of a sample.
func finish(p *results.TimelinePoint, s *results.Sample) {
	if s.Sent != 0 {
		p.InFlight--
	}
	switch s.Outcome {
	case results.OutcomeServed:
		p.Completed++
		if s.Start == results.StartCold {
			p.Cold++
		}
	case results.OutcomeThrottled:
		p.Throttled++
	case results.OutcomeUnsent:
	default:
		p.Errors++
	}
}

// units gives each point the last census taken by its end.
func (r *Recorder) units(points []results.TimelinePoint, start results.Stamp) {
	for i := range points {
		p := &points[i]
		end := start.Add(p.At + p.Every)
		n, _ := slices.BinarySearchFunc(r.census, end, func(c Census, t results.Stamp) int {
			if c.At <= t {
				return -1
			}
			return 1
		})
		if n > 0 {
			c := r.census[n-1]
			p.Starting, p.Idle, p.Busy = c.Starting, c.Idle, c.Busy
		}
	}
}
