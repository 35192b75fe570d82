package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"coldstorm/runtime/plane"
	"coldstorm/runtime/plane/life"
)

// check checks every unit and node at every interval, until the fleet closes.
func (f *Fleet) check() {
	tick := time.NewTicker(max(f.config.real(f.config.Health.Every), time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			f.checkNodes()
			f.checkUnits()
		case <-f.ctx.Done():
			return
		}
	}
}

// checkNodes notices nodes that are dead.
func (f *Fleet) checkNodes() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range f.nodes {
		if !n.killed {
			continue
		}
		if n.failed++; n.failed < f.config.Health.Unhealthy {
			continue
		}
		noticed(n.loss)
		f.bury(n)
	}
}

// bury tells the plane of a dead node. The caller holds the lock.
func (f *Fleet) bury(n *node) {
	for _, u := range f.unitsOn(n) {
		f.forget(u)
		f.enter(u.no, life.Ended)
		f.crashed++
		if n.own {
			f.handle(plane.Event{Kind: plane.Gone, Unit: u.no})
		}
	}
	if !n.own {
		f.dropNode(n)
		f.handle(plane.Event{Kind: plane.NodeGone, Node: n.no})
	}
}

// probes bounds the checks under way.
const probes = 16

// checkUnits ends units that have failed as many checks as they may.
func (f *Fleet) checkUnits() {
	f.mu.Lock()
	var list []*unit
	for _, u := range f.units {
		if u.ready && !u.silent {
			list = append(list, u)
		}
	}
	f.mu.Unlock()
	room := make(chan struct{}, probes)
	var all sync.WaitGroup
	for _, u := range list {
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			if f.probe(u) {
				u.end() // its replacement is the plane's business
			}
		})
	}
	all.Wait()
}

// probe checks one unit, and reports whether it is to be replaced.
func (f *Fleet) probe(u *unit) bool {
	ctx, cancel := context.WithTimeout(f.ctx, f.config.Health.Timeout)
	err := u.door.probe(ctx)
	cancel()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil || f.ctx.Err() != nil {
		u.failed = 0
		return false
	}
	u.failed++
	if u.failed == f.config.Health.Unhealthy {
		f.fault(fmt.Errorf("unit %d is unhealthy: %w", u.no, err))
		return true
	}
	return false
}
