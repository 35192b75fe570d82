package photo

import "image"

// side is the width and height of a scene in its own units; a size class maps
// its pixels onto them.
const side = 1 << 14

// colour is red, green, blue in 0..255.
type colour [3]int

// rect is a house's wall or window, in the units of a scene.
type rect struct {
	x0, y0, x1, y1 int
	paint          colour
}

// scene is what a seed stands for.
type scene struct {
	seed       uint64
	high, low  colour // sky at the top and at the horizon
	sun        colour
	sunX, sunY int
	sunR       int
	ridgeBase  [3]int
	ridgeSwing [3]int
	ridgePaint [3]colour
	houses     []rect
	texture    [4]int // weight of each octave of texture
}

func newScene(seed int64) scene {
	r := &dice{state: uint64(seed)}
	s := scene{
		seed: r.next(),
		high: colour{r.in(20, 110), r.in(60, 150), r.in(120, 250)},
		low:  colour{r.in(150, 250), r.in(120, 230), r.in(110, 230)},
		sun:  colour{255, r.in(200, 250), r.in(120, 220)},
		sunX: r.in(side/8, side*7/8), sunY: r.in(side/10, side/3), sunR: r.in(side/30, side/12),
	}
	for i := range s.ridgeBase {
		s.ridgeBase[i] = side*(7+2*i)/14 + r.in(-side/30, side/30)
		s.ridgeSwing[i] = r.in(side/20, side/6)
		shade := 130 - 35*i
		s.ridgePaint[i] = colour{r.in(shade/3, shade), r.in(shade/2, shade+40), r.in(shade/3, shade)}
	}
	for range r.in(3, 8) {
		x, y, w, h := r.in(0, side), r.in(side*6/10, side*9/10), r.in(side/40, side/10), r.in(side/40, side/12)
		wall := colour{r.in(90, 250), r.in(60, 230), r.in(50, 220)}
		s.houses = append(s.houses, rect{x, y - h, x + w, y, wall},
			rect{x + w/5, y - h*3/4, x + w*2/5, y - h*2/5, colour{30, 35, 50}})
	}
	for i := range s.texture {
		s.texture[i] = r.in(12, 30) >> (i / 2)
	}
	return s
}

// draw paints the scene with grain of an amplitude.
func (s scene) draw(width, height, grain int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	var ridges [3][]int
	for i := range ridges {
		ridges[i] = s.ridge(i, width)
	}
	textures := newTextures(s.seed, width, height, s.texture)
	for y := range height {
		texture := textures.row(y)
		s.drawRow(img.Pix[y*img.Stride:], y*side/height, width, ridges, texture)
		speckle(img.Pix[y*img.Stride:], width, s.seed^uint64(y+1)*0x9e3779b97f4a7c15, grain)
	}
	return img
}

// drawRow paints the row at height v of the scene.
func (s scene) drawRow(pix []byte, v, width int, ridges [3][]int, texture []int) {
	var sky colour
	for c := range sky {
		sky[c] = s.high[c] + (s.low[c]-s.high[c])*v/side
	}
	for x := range width {
		u := x * side / width
		paint, rough := sky, 2 // of 16: how much of the texture shows
		// Pictures are 4:3, so a unit across is longer than one down.
		if du, dv := (u-s.sunX)*4/3, v-s.sunY; du*du+dv*dv < s.sunR*s.sunR {
			paint, rough = s.sun, 1
		}
		for i := range ridges {
			if v > ridges[i][x] {
				paint, rough = s.ridgePaint[i], 8+4*i
			}
		}
		for _, h := range s.houses {
			if u >= h.x0 && u < h.x1 && v >= h.y0 && v < h.y1 {
				paint, rough = h.paint, 4
			}
		}
		t := texture[x] * rough / 16
		p := pix[x*4 : x*4+4 : x*4+4]
		p[0], p[1], p[2], p[3] = clamp(paint[0]+t), clamp(paint[1]+t), clamp(paint[2]+t*3/4), 255
	}
}

// ridge is the height of a ridge in every column.
func (s scene) ridge(i, width int) []int {
	line := make([]int, width)
	for octave := range 5 {
		points := 3 << octave
		swing := s.ridgeSwing[i] >> octave
		for x := range line {
			at := x * points * 256 / width
			a := lattice(s.seed, 100+i*10+octave, at/256, 0)
			b := lattice(s.seed, 100+i*10+octave, at/256+1, 0)
			line[x] += (a + (b-a)*smooth(at%256)/256) * swing / 256
		}
	}
	for x := range line {
		line[x] += s.ridgeBase[i]
	}
	return line
}

// speckle adds grain to a row.
func speckle(pix []byte, width int, state uint64, grain int) {
	r := dice{state: state}
	for x := range width {
		bits := r.next()
		// The sum of two draws, centred: most grain is faint.
		n := (int(bits&0xff) + int(bits>>8&0xff) - 255) * grain / 255
		tint := (int(bits>>16&0xff) - 128) * grain / 512
		p := pix[x*4 : x*4+4 : x*4+4]
		p[0], p[1], p[2] = clamp(int(p[0])+n+tint), clamp(int(p[1])+n), clamp(int(p[2])+n-tint)
	}
}

func clamp(v int) byte { return byte(min(max(v, 0), 255)) }
