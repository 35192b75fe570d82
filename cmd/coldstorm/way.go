package main

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"coldstorm/report/stats"
	"coldstorm/results"
	"coldstorm/runtime/trigger"
)

// The way of an event: from its intended send to its publishing, and then the parts that
// its completion has stamps of.

func (f *follower) part(start results.Start, name string, d time.Duration) {
	if f.way[start] == nil {
		f.way[start] = map[string]*stats.Set{}
	}
	put(f.way[start], name, d)
}

// wayNames are the parts of the way in their order.
var wayNames = func() []string {
	names := []string{results.WayNames[0]}
	for _, p := range (trigger.Completion{}).Parts() {
		names = append(names, p.Name)
	}
	return names
}()

// parts are what results keep of the way.
func (f *follower) parts() (all []results.WayPart) {
	for _, start := range slices.SortedFunc(maps.Keys(f.way), func(a, b results.Start) int { return cmp.Compare(place(string(a)), place(string(b))) }) {
		for _, name := range wayNames {
			if set := f.way[start][name]; set != nil {
				all = append(all, results.WayPart{Start: start, Part: name, Time: set.Summarise()})
			}
		}
	}
	return all
}
