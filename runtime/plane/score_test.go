package plane

import (
	"fmt"
	"math"
	"testing"
)

// resources are what a node has to give (its allocatable part), or a pod requests: whole
// millicores and MiB, as the kube-scheduler counts.
type resources struct{ cpu, memory int }

// fits is the filter of NodeResourcesFit for a node that holds so many pods of one size:
// every request has room.
func (n resources) fits(pod resources, held int) bool {
	return (held+1)*pod.cpu <= n.cpu && (held+1)*pod.memory <= n.memory
}

// score is that of the plugins of the kube-scheduler which look at requests, each of
// weight 1 and rounded down to 0..100 (Kubernetes: default_plugins.go): NodeResourcesFit with
// its default strategy, the mean of what cpu and memory leave free with the pod placed, and
// NodeResourcesBalancedAllocation, one less the deviation of the shares that they use.
func (n resources) score(pod resources, held int) int {
	cpu, memory := (held+1)*pod.cpu, (held+1)*pod.memory
	least := ((n.cpu-cpu)*100/n.cpu + (n.memory-memory)*100/n.memory) / 2
	deviation := math.Abs(float64(cpu)/float64(n.cpu)-float64(memory)/float64(n.memory)) / 2
	return least + int((1-deviation)*100)
}

// LeastAllocated takes the node with the fewest units, and PerNode says how many fit. For
// pods and nodes of one size that is the filter and the sum of the scores over both
// resources, whichever of them is scarce.
func TestTheFewestUnitsHaveTheBestScoreOverProcessorAndMemory(t *testing.T) {
	node := resources{cpu: 3920, memory: 6900}
	for _, pod := range []resources{{250, 512}, {1000, 512}, {100, 2048}, {50, 90}} {
		t.Run(fmt.Sprint(pod), func(t *testing.T) {
			per := min(node.cpu/pod.cpu, node.memory/pod.memory)
			if !node.fits(pod, per-1) || node.fits(pod, per) {
				t.Fatalf("%d is not how many fit", per)
			}
			for seed := range uint64(200) {
				f := NewFleet(FleetRules{PerNode: per, Place: LeastAllocated})
				best := -1
				for id := Node(1); id <= 5; id++ {
					f.startNode(nil)
					f.nodeUp(id, 0)
					held := int(scatter(seed*5+uint64(id)) % uint64(per+1))
					f.hold(id, held)
					if node.fits(pod, held) {
						best = max(best, node.score(pod, held))
					}
				}
				switch got := f.place(); {
				case got == 0 && best >= 0:
					t.Fatalf("no node is taken, one has room")
				case got != 0 && !node.fits(pod, f.nodes[got].held):
					t.Fatalf("node %d has no room", got)
				case got != 0 && node.score(pod, f.nodes[got].held) != best:
					t.Fatalf("node %d, which holds %d, scores %d, the best %d", got, f.nodes[got].held, node.score(pod, f.nodes[got].held), best)
				}
			}
		})
	}
}
