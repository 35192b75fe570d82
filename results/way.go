package results

import "time"

// Way is where an event was on its way from its publisher to its handler: a trigger of a
// storm that came by an event source. It is done at its sample's Done. The zero value is
// that of a request, and of an event of which nothing is known.
type Way struct {
	Publish  Stamp // accepted by its source
	Poll     Stamp // taken from it
	Invoke   Stamp // handed to the function, the last time
	Handler  Stamp // given to its runtime
	Attempts int   // how often it was handed to the function; 0 of a request
}

// WayNames are the parts of an event's way in their order: they add up to its latency.
var WayNames = []string{"intended send to publish", "publish to poll", "poll to invoke", "invoke to handler", "handler to done"}

// WaySpans is how long each part of WayNames took; nil of a trigger that did not pass all
// of its way, or of which that is not known.
func (s Sample) WaySpans() []time.Duration {
	all := []time.Duration{}
	last := s.Intended
	for _, at := range []Stamp{s.Way.Publish, s.Way.Poll, s.Way.Invoke, s.Way.Handler, s.Done} {
		if at == 0 || last == 0 {
			return nil
		}
		all, last = append(all, at.Sub(last)), at
	}
	return all
}
