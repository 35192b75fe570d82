package launch

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/runtime/image"
)

func TestSpecRoundTrip(t *testing.T) {
	want := Spec{
		ID: "a", Image: image.Image{Layers: []string{"/a:b", "/c,d"}, HostUsr: true}, Argv: []string{"/x", ""}, Env: []string{"A=é"},
		Dir: "/d", MemoryBytes: 1 << 40, CPUs: 0.0723, Pids: 7, TmpBytes: 9, Writable: true, Network: NetworkHost,
	}
	e := encoder{}
	want.encode(&e)
	var got Spec
	d := decoder{b: e.b}
	got.decode(&d)
	if d.err != nil || len(d.b) != 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, %d bytes left", got, d.err, len(d.b))
	}
}

func TestExitRoundTrip(t *testing.T) {
	want := Exit{Code: -1, Signal: unix.SIGKILL, OOM: true, At: 5, Usage: Usage{CPU: time.Second, PeakMemory: 6, OOMKills: 7}}
	e := encoder{}
	want.encode(&e)
	var got Exit
	d := decoder{b: e.b}
	got.decode(&d)
	if d.err != nil || got != want {
		t.Errorf("%+v, %v", got, d.err)
	}
}

func TestHostRoundTrip(t *testing.T) {
	want := Host{Rootless: true, Kernel: "k", Cgroup: "v2", Overlay: Part{OK: true}, Pids: Part{Reason: "r", Hint: "h"}, Lacks: []string{"l"}}
	e := encoder{}
	want.encode(&e)
	var got Host
	d := decoder{b: e.b}
	got.decode(&d)
	if d.err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, d.err)
	}
}

func FuzzSpecDecode(f *testing.F) {
	e := encoder{}
	(&Spec{ID: "a", Argv: []string{"b"}, CPUs: 1}).encode(&e)
	f.Add(e.b)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		var s, again Spec
		d := decoder{b: b}
		s.decode(&d)
		if d.err != nil || s.dir() != s.Dir {
			return
		}
		e := encoder{}
		s.encode(&e)
		d = decoder{b: e.b}
		again.decode(&d)
		e2 := encoder{}
		again.encode(&e2)
		if d.err != nil || !bytes.Equal(e.b, e2.b) {
			t.Errorf("%+v became %+v (%v)", s, again, d.err)
		}
	})
}

func TestSpecCheck(t *testing.T) {
	img := image.Image{Layers: []string{"/l"}, Argv: []string{"/var/task/bootstrap"}}
	for _, c := range []struct {
		rule, want string
		spec       Spec
	}{
		{"an image is enough", "", Spec{Image: img}},
		{"a program is needed", "no program", Spec{Image: image.Image{Layers: []string{"/l"}}}},
		{"a layer is needed", "without layers", Spec{Argv: []string{"/x"}}},
		{"no negative limits", "negative", Spec{Image: img, CPUs: -1}},
		{"no memory limit that starting alone exceeds", "memory limit of 16384 bytes: the least is 1048576", Spec{Image: img, MemoryBytes: 16 << 10}},
		{"the least memory limit", "", Spec{Image: img, MemoryBytes: MinMemory}},
		{"no unknown network", "unknown network", Spec{Image: img, Network: "bridge"}},
		{"no NUL bytes", "NUL", Spec{Image: img, Env: []string{"A=\x00"}}},
	} {
		err := c.spec.check()
		if (c.want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
	s := Spec{Image: img}
	s.check()
	if s.Pids != DefaultPids || s.TmpBytes != DefaultTmpBytes || s.Argv[0] != img.Argv[0] || s.dir() != TaskDir || s.hostname() != "localhost" {
		t.Errorf("defaults %+v", s)
	}
	if got := (Spec{ID: strings.Repeat("x", 100)}).hostname(); len(got) != 63 {
		t.Errorf("hostname of %d bytes", len(got))
	}
}
