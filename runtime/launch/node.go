package launch

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A node is a cgroup, in every tree in which sandboxes have one, that holds those of
// some sandboxes: what they may use together is what an instance has. Nothing of it is
// on the path of a launch that names none.

// nodePrefix begins the name of a node's cgroup, which no sandbox's begins with.
const nodePrefix = "n."

// StartNode makes a node for sandboxes that name it (Spec.Node), with so many
// processors and bytes of memory together; 0 is no limit. limited says that they are
// held to both, as far as they are wanted: without cgroups they are not. A launcher
// that is not coldstorm's own has no nodes, and launches as if none were named.
func (l *Launcher) StartNode(name string, cpus float64, memory int64) (limited bool, err error) {
	if err := checkNode(name); err != nil {
		return false, err
	}
	d, err := l.ask(msgNode, 0, func(e *encoder) {
		e.string(name)
		e.float(cpus)
		e.int(memory)
	})
	if err != nil {
		return false, fmt.Errorf("start node %s: %w", name, err)
	}
	limited = d.bool()
	return limited, d.err
}

// StopNode removes a node. The error is that sandboxes are still on it, for longer than
// those that have ended take to go.
func (l *Launcher) StopNode(name string) error {
	if _, err := l.ask(msgNodeEnd, 0, func(e *encoder) { e.string(name) }); err != nil {
		return fmt.Errorf("stop node %s: %w", name, err)
	}
	return nil
}

func checkNode(name string) error {
	if name == "" || len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("node %q: want up to 64 of a-z, 0-9 and -", name)
	}
	return nil
}

// node carries out a request for a node, and answers it.
func (d *daemon) node(kind, seq int64, dec *decoder) {
	e := encoder{}
	name := nodePrefix + dec.string()
	err := error(nil)
	switch {
	case d.runtime.kind != builtin:
		e.bool(false)
	case kind == msgNodeEnd && dec.err == nil:
		if err = d.cg.remove(name); err == nil {
			d.mu.Lock()
			delete(d.nodes, name)
			d.mu.Unlock()
		}
	case kind == msgNode:
		cpus, memory := dec.float(), dec.int()
		if err = dec.err; err == nil {
			err = d.cg.node(name, cpus, memory)
		}
		if err == nil {
			d.mu.Lock()
			d.nodes[name] = true
			d.mu.Unlock()
		}
		e.bool((cpus == 0 || d.cg.at["cpu"] != nil) && (memory == 0 || d.cg.at["memory"] != nil))
	}
	d.reply(seq, errors.Join(err, dec.err), e.b)
}

// endNodes removes the nodes that are left, once no sandbox is.
func (d *daemon) endNodes() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name := range d.nodes {
		if err := d.cg.remove(name); err != nil {
			d.leaks = append(d.leaks, err)
		}
	}
}

// node makes a node's cgroups, with its limits. Nothing is left of them if it can't.
func (g *cgroups) node(name string, cpus float64, memory int64) error {
	err := g.make(name)
	if err != nil {
		return err
	}
	if err = g.limitNode(name, memory); err == nil && cpus > 0 {
		err = g.setCPU(name, cpus)
	}
	if err == nil {
		err = g.handDown(name)
	}
	if err != nil {
		g.remove(name)
	}
	return err
}

// limitNode sets a limit on memory. Beyond it the kernel ends one process of one
// sandbox, as it does on an instance.
func (g *cgroups) limitNode(name string, memory int64) error {
	h := g.at["memory"]
	if h == nil {
		return nil
	}
	n := strconv.FormatInt(memory, 10)
	files := [][2]string{{"/memory.use_hierarchy", "1"}, {"/memory.limit_in_bytes", n}, {"/memory.memsw.limit_in_bytes", n}}
	if h.v2 {
		files = [][2]string{{"/memory.max", n}, {"/memory.swap.max", "0"}}
	} else if text, err := h.read(name + files[0][0]); err != nil || strings.TrimSpace(text) == "1" {
		files = files[1:] // the kernel counts so by itself, since Linux 5.11 always
	}
	for _, f := range files {
		if memory == 0 && f[1] == n {
			continue
		}
		if err := h.write(name+f[0], f[1]); err != nil && !errors.Is(err, unix.ENOENT) { // without swap accounting
			return err
		}
	}
	return nil
}

// handDown gives a version 2 cgroup's controllers to those below it.
func (g *cgroups) handDown(name string) error {
	for _, c := range controllers {
		if h := g.at[c]; h == nil || !h.v2 || inherent(c) {
			continue
		}
		if err := g.at[c].write(name+"/cgroup.subtree_control", "+"+c); err != nil {
			return err
		}
	}
	return nil
}

// placed is the name of a sandbox's cgroup on its node.
func (d *daemon) placed(spec *Spec, group string) (string, error) {
	if spec.Node == "" {
		return group, nil
	}
	name := nodePrefix + spec.Node
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.nodes[name] {
		return group, fmt.Errorf("no node %s", spec.Node)
	}
	return name + "/" + group, nil
}
