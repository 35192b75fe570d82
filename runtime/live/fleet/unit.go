package fleet

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/plane/life"
)

// unit is one container, or an instance's process.
type unit struct {
	f    *Fleet
	no   plane.Unit
	id   string
	node *node // nil: on none
	out  *live.Output

	// Guarded by Fleet.mu.
	gone   bool // the plane has forgotten it
	ready  bool
	silent bool // its node died: nothing of it is heard
	loss   *Loss
	served int
	failed int // health checks in a row
	box    live.Sandbox
	door   door
	asked  results.Stamp // launch
	birth  live.Birth
	begun  results.Stamp // ready
}

func (f *Fleet) newUnit(a plane.Action) *unit {
	var b [16]byte
	rand.Read(b[:])
	u := &unit{f: f, no: a.Unit, id: hex.EncodeToString(b[:]), node: f.nodes[a.Node], out: live.NewOutput(f.log)}
	if f.config.UnitNode { // the plane has no nodes, whose numbers these then are
		u.node = newNode(plane.Node(a.Unit))
		u.node.own, u.node.up = true, true
		f.nodes[u.node.no] = u.node
	}
	if u.node != nil {
		u.node.holds.Add(1)
		u.silent, u.loss = u.node.killed, u.node.loss
	}
	return u
}

// live launches the unit and stays with it until its end.
func (u *unit) live() {
	f := u.f
	defer u.enters(life.Ended)
	if u.node != nil {
		defer func() {
			u.node.holds.Done()
			if f.config.UnitNode {
				f.stopNode(u.node)
			}
		}()
	}
	if err := u.launch(); err != nil {
		u.lost(err)
		return
	}
	defer u.box.Close()
	late := time.AfterFunc(f.config.InitLimit, u.late)
	<-u.box.Done()
	late.Stop()
	u.enters(life.Removing)
	exit := u.box.Exit()
	u.door.end(errUnitLost)
	u.out.Close()
	f.mu.Lock()
	f.cpu += exit.Usage.CPU
	f.mu.Unlock()
	u.lost(fmt.Errorf("unit ended: %w", exitError(exit)))
}

// launch starts the container and opens its door.
func (u *unit) launch() error {
	f := u.f
	if f.config.UnitNode {
		f.pause(f.config.Boot)
		limited, err := f.launcher.StartNode(u.node.name, f.config.Node)
		if err != nil {
			return err
		}
		if !limited {
			f.mu.Lock()
			f.unlimited = true
			f.mu.Unlock()
		}
	}
	f.pause(f.config.Pull)
	if u.node != nil {
		u.node.turn <- struct{}{}
		defer func() { <-u.node.turn }()
	}
	f.slots <- struct{}{}
	defer func() { <-f.slots }()
	if u.isGone() {
		return errClosed
	}
	u.enters(life.Creating)
	asked := results.Now()
	s := Spec{Spec: live.Spec{ID: u.id, Env: u.environ(), MemoryMB: f.config.MemoryMB, TmpMB: f.config.EphemeralMB}, Size: f.config.Unit}
	if u.node != nil {
		s.Node = u.node.name
	}
	box, err := f.launcher.Launch(f.ctx, s)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	u.asked, u.birth, u.box = asked, box.Birth(), box
	u.out.Open(u.birth.Output)
	u.door = f.open(u, box)
	if u.gone || u.silent { // it was ended before it was there
		go box.Stop()
		return nil
	}
	f.enter(u.no, life.Starting)
	return nil
}

// environ is what the function sees, with $PORT.
func (u *unit) environ() []string {
	c := u.f.config
	env := c.Environ(u.id)
	if _, own := c.Env["PORT"]; own || c.Serve == ServeRuntime {
		return env
	}
	return append(env, fmt.Sprintf("PORT=%d", c.Port))
}

func (u *unit) isGone() bool {
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	return u.gone || u.silent
}

// isReady is called when the unit can serve, once or more often.
func (u *unit) isReady(at results.Stamp) {
	f := u.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if u.gone || u.ready || u.silent {
		return
	}
	u.ready, u.begun = true, at
	f.enter(u.no, life.Serving)
	f.started++
	f.failures = 0
	if share := f.config.Unit.CPUs; share > 0 {
		go u.box.SetCPU(share) // during init it has what its node has
	}
	f.handle(plane.Event{Kind: plane.Ready, Unit: u.no})
}

// late ends a unit that is not ready in time.
func (u *unit) late() {
	u.f.mu.Lock()
	starting := !u.ready && !u.gone
	u.f.mu.Unlock()
	if starting {
		u.end()
	}
}

// end kills the unit, if it runs. What it was doing fails.
func (u *unit) end() {
	u.f.mu.Lock()
	box, door := u.box, u.door
	u.f.mu.Unlock()
	if box == nil {
		return // not launched: launch sees that it is gone
	}
	door.end(errUnitLost)
	box.Stop()
}

// lost tells the plane that a unit died, unless it knows, or the unit's node is dead.
func (u *unit) lost(why error) {
	f := u.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if u.gone || u.silent || f.closed {
		return
	}
	f.crashed++
	f.fault(why)
	if !u.ready {
		f.failures++
	}
	f.forget(u)
	noticed(u.loss)
	f.handle(plane.Event{Kind: plane.Gone, Unit: u.no})
}

func exitError(x live.Exit) error {
	switch {
	case x.OOM:
		return fmt.Errorf("out of memory")
	case x.Signal != 0:
		return fmt.Errorf("signal: %v", x.Signal)
	}
	return fmt.Errorf("exit status %d", x.Code)
}
