package photo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/jpeg"
	"strings"
	"testing"
)

func TestSizesWeighWhatTheySay(t *testing.T) {
	for size, want := range map[string]int{"small": 100_000, "medium": 1_000_000, "large": 4_000_000} {
		b, err := JPEG(size, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) < want*85/100 || len(b) > want*115/100 {
			t.Errorf("%s: %d bytes, want %d give or take 15 %%", size, len(b), want)
		}
		// AWS Lambda takes 6,291,556 bytes of an event.
		if event, err := Event(size, 1); err != nil || len(event) > 6_291_556 {
			t.Errorf("%s: an event of %d bytes, error %v", size, len(event), err)
		}
	}
}

// The digest pins the pixels, not the JPEG: they come from integers alone, so
// they are these on every machine and with every version of Go.
func TestPixelsAreTheSameOnEveryMachine(t *testing.T) {
	img, err := Take("small", 1)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(img.Pix)
	const want = "0ef69b04eb956027997b92d6b483bf15accb8eb194ede84b7dd6991bf5cdd739"
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("pixels of small, seed 1: sha256 %s, want %s", got, want)
	}
}

func TestSeedsAreScenes(t *testing.T) {
	for seed := int64(2); seed <= 12; seed++ {
		check, err := Expect("small", seed)
		if err != nil {
			t.Fatal(err)
		}
		if err := check(respond(t, "small", 1, 200, 150)); err == nil || !strings.Contains(err.Error(), "not of the photograph") {
			t.Errorf("the thumbnail of seed 1 passes for that of seed %d: %v", seed, err)
		}
	}
	if _, err := Take("huge", 1); err == nil || !strings.Contains(err.Error(), "small, medium, large") {
		t.Errorf("size huge: error %v, want one that names the sizes", err)
	}
}

func TestCheck(t *testing.T) {
	check, err := Expect("small", 1)
	if err != nil {
		t.Fatal(err)
	}
	good := respond(t, "small", 1, 200, 150)
	for _, c := range []struct {
		rule, want string // want "" passes
		response   []byte
	}{
		{"the thumbnail itself", "", good},
		{"an error's JSON", "says 0 x 0", []byte(`{"errorMessage": "no"}`)},
		{"not JSON", "not its JSON", []byte("502 Bad Gateway")},
		{"another size", "says 100 x 75", respond(t, "small", 1, 100, 75)},
		{"a size that it is not", "is 100 x 75, not 200 x 150", lie(t, respond(t, "small", 1, 100, 75))},
		{"bytes that are no JPEG", "the image in the response", []byte(`{"image": "AAAA", "width": 200, "height": 150, "bytes": 3}`)},
	} {
		err := check(c.response)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", c.rule, err, c.want)
		}
	}
}

// respond answers as a function would that averages pixels.
func respond(t *testing.T, size string, seed int64, width, height int) []byte {
	t.Helper()
	img, err := Take(size, seed)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, shrink(img, width, height), &jpeg.Options{Quality: Quality}); err != nil {
		t.Fatal(err)
	}
	response, err := json.Marshal(answer{b.Bytes(), width, height, b.Len()})
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// lie changes the size that an answer says, not the picture.
func lie(t *testing.T, response []byte) []byte {
	t.Helper()
	var a answer
	if err := json.Unmarshal(response, &a); err != nil {
		t.Fatal(err)
	}
	a.Width, a.Height = 200, 150
	response, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func TestShrinkAveragesWhatAPixelCovers(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 4, 2))
	for i, v := range []byte{0, 10, 100, 200, 20, 30, 50, 250} {
		img.Pix[i*4] = v
	}
	got := shrink(img, 2, 1)
	if got.Pix[0] != 15 || got.Pix[4] != 150 {
		t.Errorf("shrink = %d, %d, want 15, 150", got.Pix[0], got.Pix[4])
	}
}
