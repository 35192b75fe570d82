package sim

import (
	"fmt"
	"time"

	"coldstorm/runtime/plane/life"
	"coldstorm/workloads"
)

// This file holds what a container's image costs at its start: who pulls it, and who finds
// it in a cache.

// imageBytes is the size of what a unit's start pulls: as the scenario says, or the
// function's own files.
func (c *Config) imageBytes() float64 {
	if c.Fleet.ImageMB > 0 {
		return float64(c.Fleet.ImageMB) * 1e6
	}
	return float64(c.Profile.PackageBytes)
}

// pull is the time to pull the image, but for so many bytes of it that a published start
// latency holds already.
func (c *Config) pull(included float64) time.Duration {
	return time.Duration(max(0, c.imageBytes()-included) / pullRate * float64(time.Second))
}

// cached says whether new instances come with the image.
func (c *Config) cached() bool { return c.Fleet.ImageCache == workloads.ImageCacheWarm }

// onNode lets the first unit on a new node pull the image, in a stage of its life.
func (mo *model) onNode(c Config, in life.Stage) {
	if !c.cached() {
		mo.timing.pull, mo.timing.pullIn = int64(c.pull(0)), in
	}
}

// pulled is how long a unit that starts on a node at a time now waits for the image there.
// The first one on the node pulls it, and those that start meanwhile wait for the same pull.
func (m *machine) pulled(node, now int64) int64 {
	n := &m.nodes[node]
	if !n.pulls {
		n.pulls, n.image = true, now+m.timing.pull
	}
	return max(0, n.image-now)
}

// imageState says, for the report, where a model's starts find the image.
func (c *Config) imageState() string {
	size := "of a size that is not known, so that no pull is added"
	if b := c.imageBytes(); b > 0 {
		size = "of " + bytesText(b)
	}
	switch c.Model {
	case workloads.ModelECSFargate, workloads.ModelEKSFargate:
		return fmt.Sprintf("no image cache: every start pulls an image %s, %s the published start (that of a small image, %g MB)",
			size, pullText(c.pull(pullIncluded), "which takes %v beyond", "no more than is in"), pullIncluded/1e6)
	case workloads.ModelECSEC2, workloads.ModelEKSEC2:
		if c.cached() {
			return "warm image cache: every instance comes with the image"
		}
		return fmt.Sprintf("cold image cache: the first start on a new instance pulls an image %s, %s; later ones there find it, as do all on instances that stood before",
			size, pullText(c.pull(0), "which takes %v", "which takes no time"))
	case workloads.ModelEC2:
		if c.cached() {
			return "warm: every instance comes with the program in its machine image"
		}
		return fmt.Sprintf("cold: every new instance fetches a program %s, %s; those of a warm pool have it", size, pullText(c.pull(0), "which takes %v", "which takes no time"))
	}
	return "Lambda's own caches: its published start latencies hold cold and warm ones"
}

// pullText says how long a pull takes, to 10 ms, or none what is too short for that.
func pullText(d time.Duration, takes, none string) string {
	if d = d.Round(10 * time.Millisecond); d > 0 {
		return fmt.Sprintf(takes, d)
	}
	return none
}

// bytesText shows a size in the unit that suits it.
func bytesText(b float64) string {
	switch {
	case b < 1e3:
		return fmt.Sprintf("%.0f B", b)
	case b < 1e6:
		return fmt.Sprintf("%.3g kB", b/1e3)
	case b < 1e9:
		return fmt.Sprintf("%.3g MB", b/1e6)
	}
	return fmt.Sprintf("%.3g GB", b/1e9)
}
