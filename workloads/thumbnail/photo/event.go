package photo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"sync"
)

// What Event asks of the thumbnail function.
const (
	MaxWidth  = 200 // pixels
	MaxHeight = 200
	Quality   = 80 // of the JPEG that comes back
)

// Tolerance is the mean difference of a colour value, of 255, up to which a
// thumbnail is the one that was expected. Scaling kernels and JPEG at Quality
// stay below 4; the thumbnails of two scenes differ by more than 20.
const Tolerance = 8

// event is what the function takes.
type event struct {
	Image   []byte `json:"image"` // base64, as encoding/json writes bytes
	Width   int    `json:"width"`
	Height  int    `json:"height"`
	Quality int    `json:"quality"`
}

// answer is what it returns.
type answer struct {
	Image  []byte `json:"image"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Bytes  int    `json:"bytes"`
}

// Event is the event that asks for the thumbnail of a photograph.
func Event(size string, seed int64) ([]byte, error) {
	img, err := JPEG(size, seed)
	if err != nil {
		return nil, err
	}
	return json.Marshal(event{img, MaxWidth, MaxHeight, Quality})
}

// expected keeps the last few references: the same storm asks for the same one
// again and again.
var expected sync.Map // of key to *image.RGBA

type key struct {
	size string
	seed int64
}

// Expect returns the check of the function's responses to Event(size, seed):
// its width and height, that it is a JPEG of them, and that it looks like the
// photograph. The check may be called from many goroutines.
func Expect(size string, seed int64) (func(response []byte) error, error) {
	c, err := classOf(size)
	if err != nil {
		return nil, err
	}
	width, height := fit(c.width, c.height)
	var want *image.RGBA
	if kept, ok := expected.Load(key{size, seed}); ok {
		want = kept.(*image.RGBA)
	} else {
		img, err := Take(size, seed)
		if err != nil {
			return nil, err
		}
		want = shrink(img, width, height)
		expected.Store(key{size, seed}, want)
	}
	return func(response []byte) error { return check(response, want) }, nil
}

// fit is the size of a picture scaled down into MaxWidth x MaxHeight.
func fit(width, height int) (int, int) {
	if width*MaxHeight > height*MaxWidth {
		return MaxWidth, (height*MaxWidth + width/2) / width
	}
	return (width*MaxHeight + height/2) / height, MaxHeight
}

func check(response []byte, want *image.RGBA) error {
	var a answer
	if err := json.Unmarshal(response, &a); err != nil {
		return fmt.Errorf("thumbnail: the response is not its JSON: %w", err)
	}
	size := want.Bounds().Size()
	if a.Width != size.X || a.Height != size.Y || a.Bytes != len(a.Image) {
		return fmt.Errorf("thumbnail: the response says %d x %d, %d bytes; want %d x %d, and it has %d", a.Width, a.Height, a.Bytes, size.X, size.Y, len(a.Image))
	}
	img, err := jpeg.Decode(bytes.NewReader(a.Image))
	if err != nil {
		return fmt.Errorf("thumbnail: the image in the response: %w", err)
	}
	if got := img.Bounds().Size(); got != size {
		return fmt.Errorf("thumbnail: the image is %d x %d, not %d x %d", got.X, got.Y, size.X, size.Y)
	}
	if d := Difference(img, want); d > Tolerance {
		return fmt.Errorf("thumbnail: the image is not of the photograph sent: colours differ by %.1f of 255 on average, at most %d do for a thumbnail of it", d, Tolerance)
	}
	return nil
}

// Difference is the mean difference of the colour values of two pictures of
// one size, 0..255.
func Difference(a, b image.Image) float64 {
	size, sum := a.Bounds().Size(), int64(0)
	for y := range size.Y {
		for x := range size.X {
			r0, g0, b0, _ := a.At(a.Bounds().Min.X+x, a.Bounds().Min.Y+y).RGBA()
			r1, g1, b1, _ := b.At(b.Bounds().Min.X+x, b.Bounds().Min.Y+y).RGBA()
			sum += distance(r0, r1) + distance(g0, g1) + distance(b0, b1)
		}
	}
	return float64(sum) / float64(max(1, 3*size.X*size.Y))
}

func distance(a, b uint32) int64 { return max(int64(a>>8)-int64(b>>8), int64(b>>8)-int64(a>>8)) }

// shrink averages the pixels that each pixel of the small picture covers: no
// scaling library, so that it can't share a fault with the function's.
func shrink(img *image.RGBA, width, height int) *image.RGBA {
	from, small := img.Bounds().Size(), image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			var sum [3]int
			y0, y1 := y*from.Y/height, (y+1)*from.Y/height
			x0, x1 := x*from.X/width, (x+1)*from.X/width
			for v := y0; v < y1; v++ {
				for u := x0; u < x1; u++ {
					p := img.Pix[v*img.Stride+u*4:]
					sum[0], sum[1], sum[2] = sum[0]+int(p[0]), sum[1]+int(p[1]), sum[2]+int(p[2])
				}
			}
			n := (y1 - y0) * (x1 - x0)
			q := small.Pix[y*small.Stride+x*4:]
			q[0], q[1], q[2], q[3] = byte(sum[0]/n), byte(sum[1]/n), byte(sum[2]/n), 255
		}
	}
	return small
}
