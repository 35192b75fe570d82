package photo

// dice is SplitMix64 (Steele, Lea and Flood, 2014): a sequence that is fixed
// for ever, which that of package math/rand is not promised to be.
type dice struct{ state uint64 }

func (d *dice) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	return mix(d.state)
}

// in draws from low..high, both included.
func (d *dice) in(low, high int) int {
	return low + int(d.next()>>33)%(high-low+1)
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// lattice is the value of a layer of noise at a whole point, in -128..127.
func lattice(seed uint64, layer, x, y int) int {
	z := mix(seed ^ uint64(layer)<<56 ^ uint64(x)<<28 ^ uint64(y))
	return int(z&0xff) - 128
}

// smooth is the smoothstep of t in 0..255, so that noise has no creases.
func smooth(t int) int { return t * t * (768 - 2*t) >> 16 }

// textures is value noise in four octaves, from patches as wide as a
// thirty-second of the picture to spots of a few pixels.
type textures struct {
	seed          uint64
	width, height int
	weight        [4]int
	cells         [4]int // of each octave, along either side
	above, below  [4][]int
	line          [4]int // the line of cells that above and below stand for
	sum           []int
}

func newTextures(seed uint64, width, height int, weight [4]int) *textures {
	t := &textures{seed: seed, width: width, height: height, weight: weight, sum: make([]int, width)}
	for o := range t.cells {
		t.cells[o] = 32 << (o + o/2)
		t.above[o] = make([]int, t.cells[o]+2)
		t.below[o] = make([]int, t.cells[o]+2)
		t.line[o] = -1
	}
	return t
}

// row is the texture of a row, to about +-100. It is valid until the next call.
func (t *textures) row(y int) []int {
	clear(t.sum)
	for o, cells := range t.cells {
		at := y * cells * 256 / t.height
		if at/256 != t.line[o] {
			t.line[o] = at / 256
			for i := range t.above[o] {
				t.above[o][i] = lattice(t.seed, o, i, t.line[o])
				t.below[o][i] = lattice(t.seed, o, i, t.line[o]+1)
			}
		}
		t.add(o, smooth(at%256))
	}
	return t.sum
}

// add adds an octave, down of 256 of the way from the line above to the one
// below.
func (t *textures) add(o, down int) {
	step := t.cells[o] * 65536 / t.width // of a cell, a pixel
	above, below, weight := t.above[o], t.below[o], t.weight[o]
	for x, at := 0, 0; x < t.width; x, at = x+1, at+step {
		i := at >> 16
		across := smooth(at >> 8 & 0xff)
		left := above[i] + (below[i]-above[i])*down/256
		right := above[i+1] + (below[i+1]-above[i+1])*down/256
		t.sum[x] += (left + (right-left)*across/256) * weight / 64
	}
}
