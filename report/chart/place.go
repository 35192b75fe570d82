package chart

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// placer finds room for labels: it knows what has been drawn and which labels
// stand already, and chooses for each new one the free place nearest to its
// anchor.
type placer struct {
	bounds vg.Rectangle
	taken  []vg.Rectangle // labels and glyphs
	dots   []vg.Point     // lines, as points a few units apart
}

// apart is the room that labels keep between each other.
const apart vg.Length = 2

// avoid keeps labels off a line.
func (pl *placer) avoid(pts []vg.Point) {
	for i := 1; i < len(pts); i++ {
		a, b := pts[i-1], pts[i]
		n := int(math.Hypot(float64(b.X-a.X), float64(b.Y-a.Y))/4) + 1
		for k := range min(n, 1000) {
			t := vg.Length(k) / vg.Length(n)
			pl.dots = append(pl.dots, vg.Point{X: a.X + t*(b.X-a.X), Y: a.Y + t*(b.Y-a.Y)})
		}
	}
	if len(pts) > 0 {
		pl.dots = append(pl.dots, pts[len(pts)-1])
	}
}

// avoidBox keeps labels off a rectangle.
func (pl *placer) avoidBox(r vg.Rectangle) { pl.taken = append(pl.taken, r) }

// cost says how bad a place is: 0 is free.
func (pl *placer) cost(r vg.Rectangle) float64 {
	c := 0.0
	if r.Min.X < pl.bounds.Min.X || r.Max.X > pl.bounds.Max.X || r.Min.Y < pl.bounds.Min.Y || r.Max.Y > pl.bounds.Max.Y {
		c += 1e6
	}
	for _, t := range pl.taken {
		w := min(r.Max.X, t.Max.X) - max(r.Min.X, t.Min.X) + apart
		h := min(r.Max.Y, t.Max.Y) - max(r.Min.Y, t.Min.Y) + apart
		if w > 0 && h > 0 {
			c += 1000 + float64(w*h)
		}
	}
	for _, d := range pl.dots {
		if d.X > r.Min.X-2 && d.X < r.Max.X+2 && d.Y > r.Min.Y-2 && d.Y < r.Max.Y+2 {
			c += 40
		}
	}
	return c
}

// at returns the box of a w x h label in the direction (dx, dy) of an anchor,
// the given distance away.
func boxAt(anchor vg.Point, dx, dy float64, away, w, h vg.Length) vg.Rectangle {
	x := anchor.X + vg.Length(dx)*away - vg.Length((1-dx)/2)*w
	y := anchor.Y + vg.Length(dy)*away - vg.Length((1-dy)/2)*h
	return rect(x, y, x+w, y+h)
}

// directions are tried in this order: beside, then above and below.
var directions = [][2]float64{{1, 0}, {-1, 0}, {0.8, 0.8}, {0.8, -0.8}, {-0.8, 0.8}, {-0.8, -0.8}, {0, 1}, {0, -1}}

// around takes the best place about an anchor for a label of w x h. far is
// true if it ended so far away that it needs a leader.
func (pl *placer) around(anchor vg.Point, w, h, gap vg.Length) (r vg.Rectangle, far bool) {
	best := math.Inf(1)
	for ring, away := range []vg.Length{gap, gap + 9, gap + 20, gap + 34, gap + 50, gap + 70} {
		for i, d := range directions {
			box := boxAt(anchor, d[0], d[1], away, w, h)
			if c := pl.cost(box) + float64(ring)*30 + float64(i); c < best {
				best, r, far = c, box, ring > 0
			}
		}
	}
	pl.taken = append(pl.taken, r)
	return r, far
}

// along takes the best place above or below a line for its label, rather
// towards the line's end. It returns false if there is none that is free.
func (pl *placer) along(pts []vg.Point, w, h vg.Length) (vg.Rectangle, bool) {
	best, r := math.Inf(1), vg.Rectangle{}
	for i := len(pts) - 1; i >= 0; i-- {
		for _, dy := range []float64{1, -1} {
			for _, dx := range []float64{0, -0.9, 0.9} {
				for _, away := range []vg.Length{7, 14} {
					box := boxAt(pts[i], dx, dy, away, w, h)
					penalty := float64(len(pts)-1-i)/float64(len(pts))*30 + float64(away)
					if c := pl.cost(box) + penalty; c < best {
						best, r = c, box
					}
				}
			}
		}
	}
	if best > 900 {
		return r, false
	}
	pl.taken = append(pl.taken, r)
	return r, true
}

// spread moves the wanted heights of labels apart until each has gap, and
// keeps them within lo..hi as far as they fit. The order is kept.
func spread(wanted []vg.Length, gap, lo, hi vg.Length) []vg.Length {
	order := make([]int, len(wanted))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case wanted[a] < wanted[b]:
			return -1
		case wanted[a] > wanted[b]:
			return 1
		}
		return 0
	})
	out := slices.Clone(wanted)
	floor := lo
	for _, i := range order {
		out[i] = max(out[i], floor)
		floor = out[i] + gap
	}
	ceiling := hi
	for _, i := range slices.Backward(order) {
		out[i] = min(out[i], ceiling)
		ceiling = out[i] - gap
	}
	return out
}
