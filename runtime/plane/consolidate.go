package plane

import "time"

// NodeLoad is a node that is up, as a Consolidator sees it.
type NodeLoad struct {
	Node Node
	Held int           // units on it
	Up   time.Duration // when it came up
}

// Consolidator is a NodeScaler that empties nodes which are not needed. It is asked
// when no unit waits for a place, with the nodes in the order of their numbers, and
// answers with one whose units have room on others, or 0, and with the time at which
// it wants to be asked again (0: not before the next change). The fleet places nothing
// more on that node, drains its units, whose replacements start elsewhere, and stops it
// once it is empty.
type Consolidator interface {
	Unneeded(at time.Duration, nodes []NodeLoad, perNode int) (n Node, again time.Duration)
}

// ClusterAutoscaler is Kubernetes' (cluster-autoscaler FAQ): every 10 s it adds nodes
// for pods that have no room, and removes one that was used by less than half for 10
// minutes, not within 10 minutes of adding one, if its pods have room elsewhere. All
// nodes are of one type, so that the expander has one choice.
type ClusterAutoscaler struct {
	Scan        time.Duration // --scan-interval; 0 is 10 s
	Utilisation float64       // --scale-down-utilization-threshold; 0 is 0.5
	Unused      time.Duration // --scale-down-unneeded-time; 0 is 10 minutes
	AfterAdd    time.Duration // --scale-down-delay-after-add; 0 is 10 minutes

	next   time.Duration
	added  time.Duration
	adds   bool
	unused map[Node]time.Duration // since when
}

const (
	scanEvery   = 10 * time.Second
	scanUsed    = 0.5
	scanUnused  = 10 * time.Minute
	scanUnadded = 10 * time.Minute
)

var (
	_ NodeScaler   = (*ClusterAutoscaler)(nil)
	_ Consolidator = (*ClusterAutoscaler)(nil)
)

// Nodes adds what pods without room need, at a scan.
func (c *ClusterAutoscaler) Nodes(s NodeSight) (int, time.Duration) {
	if s.At < c.next {
		return s.nodes(), c.next
	}
	c.next = s.At + or(c.Scan, scanEvery)
	missing := s.missing()
	if missing > 0 {
		c.added, c.adds = s.At, true
	}
	return s.nodes() + missing, c.next
}

// Unneeded is the node that was used too little for longest.
func (c *ClusterAutoscaler) Unneeded(at time.Duration, nodes []NodeLoad, perNode int) (Node, time.Duration) {
	still := make(map[Node]time.Duration, len(nodes))
	var best Node
	for _, n := range nodes {
		if float64(n.Held) >= or(c.Utilisation, scanUsed)*float64(perNode) || !fitsElsewhere(n, nodes, perNode) {
			continue
		}
		since, known := c.unused[n.Node]
		if !known {
			since = at
		}
		still[n.Node] = since
		if at-since >= or(c.Unused, scanUnused) && (best == 0 || since < still[best]) {
			best = n.Node
		}
	}
	c.unused = still
	if c.adds && at-c.added < or(c.AfterAdd, scanUnadded) {
		return 0, c.next
	}
	return best, c.next
}

// Unneeded is the node with the fewest pods, the youngest of those, if they have room
// elsewhere (Karpenter: consolidation, policy WhenEmptyOrUnderutilized with
// consolidateAfter 0 s, deletion of single nodes). Replacing a node by a cheaper one is
// left out, as all nodes are of one type.
func (k *Karpenter) Unneeded(_ time.Duration, nodes []NodeLoad, perNode int) (Node, time.Duration) {
	var best NodeLoad
	for _, n := range nodes {
		if (best.Node == 0 || n.Held < best.Held || n.Held == best.Held && n.Up > best.Up) && fitsElsewhere(n, nodes, perNode) {
			best = n
		}
	}
	return best.Node, 0
}

var _ Consolidator = (*Karpenter)(nil)

// fitsElsewhere says whether other nodes have room for a node's units.
func fitsElsewhere(n NodeLoad, nodes []NodeLoad, perNode int) bool {
	free := n.Held - perNode
	for _, other := range nodes {
		free += perNode - other.Held
	}
	return free >= n.Held
}

// consolidate empties a node that the rules don't need. One goes at a time, when
// nothing else is under way.
func (f *Fleet) consolidate(at time.Duration, out []Action) []Action {
	c, ok := f.rules.Nodes.(Consolidator)
	if !ok || f.emptying != 0 || f.alive != f.want || f.starting > 0 || f.newNodes > 0 || f.upNodes <= f.rules.MinNodes {
		return out
	}
	f.loads = f.loads[:0]
	for id := 1; id < len(f.nodes); id++ {
		if n := &f.nodes[id]; n.up && !n.gone {
			f.loads = append(f.loads, NodeLoad{Node: Node(id), Held: n.held, Up: n.since})
		}
	}
	node, again := c.Unneeded(at, f.loads, f.rules.PerNode)
	f.nodesAt = earliest(f.nodesAt, again)
	if node == 0 {
		return out
	}
	f.emptying = node
	f.roomOf(node).take(int32(node))
	for id := range f.units {
		if u := &f.units[id]; u.node == node && u.state == unitIdle && !u.draining {
			out = f.drain(Unit(id), at, out)
		}
	}
	return f.emptied(f.launch(at, out))
}

// emptied stops the node that was to be emptied, if it is.
func (f *Fleet) emptied(out []Action) []Action {
	id := f.emptying
	if id == 0 {
		return out
	}
	n := &f.nodes[id]
	if n.gone {
		f.emptying = 0
		return out
	}
	if n.held > 0 {
		return out
	}
	f.emptying = 0
	f.lose(id)
	return append(out, Action{Verb: StopNode, Node: id})
}
