package record

import (
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

// A timeline has about a hundred intervals, of 100 ms to one second each.
const (
	intervals     = 100
	shortInterval = 100 * time.Millisecond
	longInterval  = time.Second
)

// interval returns how long the intervals of a timeline over length are: a
// whole number of 100 ms.
func interval(length time.Duration) time.Duration {
	every := (length/intervals + shortInterval - 1) / shortInterval * shortInterval
	return min(max(every, shortInterval), longInterval)
}

func (r *Recorder) timeline() []results.TimelinePoint {
	start, end := r.extent()
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
			finish(at(s.Done), s)
		}
	}
	for i := 1; i < len(points); i++ { // from changes to levels
		points[i].InFlight += points[i-1].InFlight
	}
	r.units(points, start)
	return points
}

// finish counts the end of a sample.
func finish(p *results.TimelinePoint, s results.Sample) {
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
