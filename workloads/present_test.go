package workloads

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnObjectOfABucketMayBeAnyFile(t *testing.T) {
	dir := t.TempDir()
	photo := []byte{0xff, 0xd8, 0xff, 0xe0, 0}
	if err := os.WriteFile(filepath.Join(dir, "photo.jpg"), photo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "event.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, storms string
		refused      bool
	}{
		{"by a bucket alone", "storms: [{shape: burst, n: 2, trigger: bucket, payloads: [photo]}]", false},
		{"beside requests with another", "storms: [{shape: burst, n: 2, payloads: [event]}, {name: b, shape: burst, n: 2, trigger: bucket, payloads: [photo]}]", false},
		{"beside a schedule, which carries none", "storms: [{shape: burst, n: 2, trigger: schedule}, {name: b, shape: burst, n: 2, trigger: bucket}]", false},
		{"by requests too", "storms: [{shape: burst, n: 2}, {name: b, shape: burst, n: 2, trigger: bucket, payloads: [photo]}]", true},
		{"by a queue", "storms: [{shape: burst, n: 2, trigger: queue}]", true},
		{"of a sweep", "storms: [{shape: burst, n: 2, trigger: bucket}]\nsweep: {burst: [1], payload: photo}", true},
		{"by none", "storms: [{shape: burst, n: 2, payloads: [event]}]", true},
	} {
		path := filepath.Join(dir, "t.yaml")
		text := "function: {workload: hello}\npayloads: [{name: photo, file: photo.jpg}, {name: event, file: event.json}]\n" + c.storms + "\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Load(path)
		switch {
		case c.refused && (err == nil || !strings.Contains(err.Error(), "photo.jpg is not JSON")):
			t.Errorf("%s: error %v", c.name, err)
		case !c.refused && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case !c.refused:
			if body, err := s.Body(s.Payloads[0]); err != nil || !bytes.Equal(body, photo) {
				t.Errorf("%s: %q, error %v", c.name, body, err)
			}
		}
	}
}
