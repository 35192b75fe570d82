package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"image"
	"image/jpeg"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"coldstorm/workloads/thumbnail/photo"
)

var update = flag.Bool("update", false, "rewrite golden files")

// invoke calls the function as the Lambda runtime client does: bytes in, bytes
// out.
func invoke(event []byte) ([]byte, error) {
	return lambda.NewHandler(thumbnail).Invoke(context.Background(), event)
}

func TestThumbnailOfEachSizePassesItsCheck(t *testing.T) {
	for _, size := range photo.Sizes() {
		t.Run(size, func(t *testing.T) {
			event, err := photo.Event(size, 1)
			if err != nil {
				t.Fatal(err)
			}
			response, err := invoke(event)
			if err != nil {
				t.Fatal(err)
			}
			check, err := photo.Expect(size, 1)
			if err != nil {
				t.Fatal(err)
			}
			if err := check(response); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestThumbnailEqualsTheGoldenOne(t *testing.T) {
	event, err := photo.Event("small", 1)
	if err != nil {
		t.Fatal(err)
	}
	response, err := invoke(event)
	if err != nil {
		t.Fatal(err)
	}
	var a Answer
	if err := json.Unmarshal(response, &a); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/small.jpg"
	if *update {
		if err := os.WriteFile(golden, a.Image, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, wanted := decoded(t, a.Image), decoded(t, want)
	if got.Bounds() != image.Rect(0, 0, 200, 150) || wanted.Bounds() != got.Bounds() {
		t.Fatalf("bounds %v, golden %v, want 200 x 150", got.Bounds(), wanted.Bounds())
	}
	// Not the bytes: arm64 fuses multiplications with additions when scaling,
	// and Go's JPEG encoder may change.
	if d := photo.Difference(got, wanted); d > 1 {
		t.Errorf("colours differ from the golden thumbnail's by %.2f of 255 on average, want at most 1", d)
	}
}

func decoded(t *testing.T, b []byte) image.Image {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestAnObjectsContentsAreTheImage(t *testing.T) {
	event, err := photo.Event("small", 1)
	if err != nil {
		t.Fatal(err)
	}
	var e Event
	if err := json.Unmarshal(event, &e); err != nil {
		t.Fatal(err)
	}
	var r Record
	r.S3.Object.Content = e.Image
	created, err := json.Marshal(map[string]any{"Records": []Record{r}})
	if err != nil {
		t.Fatal(err)
	}
	want, err := invoke(event)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := invoke(created); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %.100s, %v", got, err)
	}
}

func TestBadEventsAreRefused(t *testing.T) {
	var gray bytes.Buffer
	if err := jpeg.Encode(&gray, image.NewGray(image.Rect(0, 0, 300, 100)), nil); err != nil {
		t.Fatal(err)
	}
	// The frame header says how large the picture is: 0xffc0, its length, its
	// precision, its height and its width.
	huge := bytes.Clone(gray.Bytes())
	at := bytes.Index(huge, []byte{0xff, 0xc0})
	copy(huge[at+5:], []byte{0xff, 0xff, 0xff, 0xff})

	for _, c := range []struct {
		rule, want string
		event      Event
	}{
		{"no image", "no image", Event{}},
		{"not a JPEG", "not a JPEG", Event{Image: []byte("GIF89a")}},
		{"cut off", "damaged", Event{Image: gray.Bytes()[:gray.Len()-20]}},
		{"claims 4 gigapixels", "more than", Event{Image: huge}},
		{"negative width", "width is -1", Event{Image: gray.Bytes(), Width: -1}},
		{"height beyond the limit", "height is 5000", Event{Image: gray.Bytes(), Height: 5000}},
		{"quality above 100", "quality is 101", Event{Image: gray.Bytes(), Quality: 101}},
	} {
		_, err := thumbnail(t.Context(), c.event)
		if badEvent := (BadEvent{}); !errors.As(err, &badEvent) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want a BadEvent with %q", c.rule, err, c.want)
		}
	}
	if _, err := invoke([]byte(`{"image": "not base64!"}`)); err == nil {
		t.Error("an image that is not base64 was served")
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		rule          string
		from          image.Point
		width, height int
		want          image.Point
	}{
		{"a wide picture fills the width", image.Pt(4000, 3000), 200, 200, image.Pt(200, 150)},
		{"a tall one fills the height", image.Pt(3000, 4000), 200, 200, image.Pt(150, 200)},
		{"a small one stays", image.Pt(100, 50), 200, 200, image.Pt(100, 50)},
		{"a line keeps a pixel", image.Pt(4000, 1), 200, 200, image.Pt(200, 1)},
		{"halves are rounded up", image.Pt(400, 301), 200, 200, image.Pt(200, 151)},
	} {
		if got := fit(c.from, c.width, c.height); got != c.want {
			t.Errorf("%s: fit(%v) = %v, want %v", c.rule, c.from, got, c.want)
		}
	}
}

func TestDefaultsAreTheDocumentedOnes(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 300, 100)), nil); err != nil {
		t.Fatal(err)
	}
	a, err := thumbnail(t.Context(), Event{Image: b.Bytes()})
	if err != nil || a.Width != 200 || a.Height != 67 || a.Bytes != len(a.Image) {
		t.Errorf("thumbnail of 300 x 100: %d x %d, %d bytes said, %d sent, error %v; want 200 x 67", a.Width, a.Height, a.Bytes, len(a.Image), err)
	}
}
