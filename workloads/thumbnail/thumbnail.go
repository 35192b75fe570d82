package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"

	"golang.org/x/image/draw"
)

// Event is what the function takes.
type Event struct {
	Image   []byte `json:"image"`   // JPEG; base64 in the JSON
	Width   int    `json:"width"`   // of the box to fit, in pixels; 200 by default, at most 4096
	Height  int    `json:"height"`  // likewise
	Quality int    `json:"quality"` // of the thumbnail's JPEG, 1..100; 80 by default

	Records []Record `json:"Records"` // of an object created; its contents are the image
}

// Record is as much as matters of one that S3 sends, with the object's contents,
// which coldstorm adds.
type Record struct {
	S3 struct {
		Object struct {
			Content []byte `json:"content"`
		} `json:"object"`
	} `json:"s3"`
}

// Answer is what it returns.
type Answer struct {
	Image  []byte `json:"image"` // JPEG; base64 in the JSON
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Bytes  int    `json:"bytes"` // of the image
}

// maxPixels bounds what is decoded: a few bytes can claim any size, and the
// function's memory is what it is.
const maxPixels = 64 << 20

// BadEvent is the error type that a caller sees for an event that can't be
// served.
type BadEvent struct{ why string }

func (e BadEvent) Error() string { return e.why }

func bad(format string, args ...any) error { return BadEvent{fmt.Sprintf(format, args...)} }

func thumbnail(_ context.Context, e Event) (Answer, error) {
	if err := e.complete(); err != nil {
		return Answer{}, err
	}
	photo, err := decode(e.Image)
	if err != nil {
		return Answer{}, err
	}
	size := fit(photo.Bounds().Size(), e.Width, e.Height)
	small := image.NewRGBA(image.Rectangle{Max: size})
	draw.BiLinear.Scale(small, small.Bounds(), photo, photo.Bounds(), draw.Src, nil)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, small, &jpeg.Options{Quality: e.Quality}); err != nil {
		return Answer{}, fmt.Errorf("encode thumbnail: %w", err)
	}
	return Answer{b.Bytes(), size.X, size.Y, b.Len()}, nil
}

// complete fills in defaults and refuses what can't be meant.
func (e *Event) complete() error {
	for _, d := range []struct {
		name             string
		value            *int
		otherwise, limit int
	}{
		{"width", &e.Width, 200, 4096},
		{"height", &e.Height, 200, 4096},
		{"quality", &e.Quality, 80, 100},
	} {
		if *d.value == 0 {
			*d.value = d.otherwise
		}
		if *d.value < 1 || *d.value > d.limit {
			return bad("%s is %d, not in 1..%d", d.name, *d.value, d.limit)
		}
	}
	if len(e.Records) > 0 {
		e.Image = e.Records[0].S3.Object.Content
	}
	if len(e.Image) == 0 {
		return bad("the event has no image")
	}
	return nil
}

func decode(b []byte) (image.Image, error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, bad("the image is not a JPEG: %v", err)
	}
	if c.Width*c.Height > maxPixels {
		return nil, bad("the image is %d x %d, more than %d pixels", c.Width, c.Height, maxPixels)
	}
	photo, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, bad("the image is damaged: %v", err)
	}
	if photo.Bounds().Empty() {
		return nil, bad("the image is empty")
	}
	return photo, nil
}

// fit scales a size down into a box, keeping its proportions, to whole pixels
// and at least one.
func fit(size image.Point, width, height int) image.Point {
	if size.X <= width && size.Y <= height {
		return size
	}
	if size.X*height > size.Y*width {
		return image.Pt(width, max(1, (size.Y*width+size.X/2)/size.X))
	}
	return image.Pt(max(1, (size.X*height+size.Y/2)/size.Y), height)
}
