package photo

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"strings"
)

// class is a size of photograph.
type class struct {
	name          string
	width, height int
	quality       int // of the JPEG
	grain         int // amplitude, of 255
}

// classes come from what people upload: a picture shrunk for the web (about
// 100 kB), one of a messenger (1 MB), one of a phone's camera (4 MB). Base64
// makes 5.4 MB of the last, which fits the 6 MB that AWS Lambda takes.
var classes = []class{
	{"small", 1024, 768, 79, 6},
	{"medium", 2560, 1920, 89, 10},
	{"large", 4032, 3024, 93, 14},
}

// Sizes names the size classes, the smallest first.
func Sizes() []string {
	var all []string
	for _, c := range classes {
		all = append(all, c.name)
	}
	return all
}

func classOf(size string) (class, error) {
	for _, c := range classes {
		if c.name == size {
			return c, nil
		}
	}
	return class{}, fmt.Errorf("unknown size %q of photograph (%s)", size, strings.Join(Sizes(), ", "))
}

// Take draws the scene of a seed at a size class.
func Take(size string, seed int64) (*image.RGBA, error) {
	c, err := classOf(size)
	if err != nil {
		return nil, err
	}
	return newScene(seed).draw(c.width, c.height, c.grain), nil
}

// JPEG is Take, encoded.
func JPEG(size string, seed int64) ([]byte, error) {
	c, err := classOf(size)
	if err != nil {
		return nil, err
	}
	img, err := Take(size, seed)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: c.quality}); err != nil {
		return nil, fmt.Errorf("encode photograph: %w", err)
	}
	return b.Bytes(), nil
}
