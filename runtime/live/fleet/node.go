package fleet

import (
	"errors"
	"strconv"
	"sync"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/plane/life"
)

// node is an emulated instance.
type node struct {
	no      plane.Node
	name    string
	holds   sync.WaitGroup // its units
	turn    chan struct{}  // of capacity 1: holds the unit that is being launched on it, as other nodes have processors of their own
	failed  int            // health checks in a row
	own     bool           // of one unit, with which it goes
	killed  bool
	up      bool
	stopped bool
	loss    *Loss
}

func newNode(no plane.Node) *node {
	return &node{no: no, name: "n" + strconv.Itoa(int(no)), turn: make(chan struct{}, 1)}
}

// startNode makes a node, and tells the plane.
func (f *Fleet) startNode(n *node) {
	f.pause(f.config.Boot)
	limited, err := f.launcher.StartNode(n.name, f.config.Node)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !limited {
		f.unlimited = true
	}
	switch {
	case err != nil:
		f.fault(err)
		f.enterNode(n, life.Ended)
		delete(f.nodes, n.no)
		f.later(f.config.real(nodeRetry), func() { f.handle(plane.Event{Kind: plane.NodeGone, Node: n.no}) })
	case f.closed:
		n.up = true
	default:
		n.up = true
		f.enterNode(n, life.Serving)
		f.handle(plane.Event{Kind: plane.NodeUp, Node: n.no})
	}
}

// stopNode removes a node when the last of its units is gone.
func (f *Fleet) stopNode(n *node) {
	n.holds.Wait()
	err := f.launcher.StopNode(n.name)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.enterNode(n, life.Ended)
	if err != nil {
		f.fault(err)
	}
}

// ErrNoNode is the error of what is asked of a node or unit that is not there.
var ErrNoNode = errors.New("no such node or unit is up")

// KillNode ends a node with all that it holds, without a word to the plane, as a power
// cut does: it has to be noticed. Of 0 it is the one that holds most. It returns when
// nothing of the node runs.
func (f *Fleet) KillNode(no plane.Node) (plane.Node, error) {
	f.mu.Lock()
	n := f.nodes[no]
	if no == 0 {
		n = f.fullest()
	}
	if n == nil || !n.up || n.killed || f.closed {
		f.mu.Unlock()
		return 0, ErrNoNode
	}
	n.killed = true
	units := f.unitsOn(n)
	n.loss = f.lose(n.no, len(units))
	for _, u := range units {
		u.silent = true
		u.loss = n.loss
	}
	f.mu.Unlock()
	endAll(units)
	return n.no, nil
}

// KillUnit ends one unit; of 0, any that is ready.
func (f *Fleet) KillUnit(no plane.Unit) (plane.Unit, error) {
	f.mu.Lock()
	u := f.units[no]
	for id, other := range f.units {
		if no == 0 && other.ready && !other.silent && (u == nil || id < u.no) {
			u = other
		}
	}
	if u == nil || u.gone || u.silent || u.box == nil || f.closed {
		f.mu.Unlock()
		return 0, ErrNoNode
	}
	u.loss = f.lose(0, 1)
	f.mu.Unlock()
	endAll([]*unit{u})
	return u.no, nil
}

// lose notes a kill. The caller holds the lock.
func (f *Fleet) lose(n plane.Node, units int) *Loss {
	c := f.plane.Census()
	l := &Loss{Node: n, Units: units, Ready: c.Idle + c.Busy, Killed: results.Now()}
	f.losses = append(f.losses, l)
	return l
}

// fullest is the node that holds most units; nil without nodes. The caller holds the lock.
func (f *Fleet) fullest() (best *node) {
	most := -1
	for _, n := range f.nodes {
		if !n.up || n.killed {
			continue
		}
		if held := len(f.unitsOn(n)); held > most || held == most && n.no < best.no {
			best, most = n, held
		}
	}
	return best
}

// unitsOn lists the units on a node. The caller holds the lock.
func (f *Fleet) unitsOn(n *node) (list []*unit) {
	for _, u := range f.units {
		if u.node == n {
			list = append(list, u)
		}
	}
	return list
}

func endAll(units []*unit) {
	var all sync.WaitGroup
	for _, u := range units {
		all.Go(u.end)
	}
	all.Wait()
}

// pause sleeps for a time of the rules' clock, or until the fleet closes.
func (f *Fleet) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(f.config.real(d))
	defer t.Stop()
	select {
	case <-t.C:
	case <-f.ctx.Done():
	}
}
