package launch

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

// TestAProgramTellsItsFirstInstruction says that it runs in every launcher, and that the
// time which it tells is after what came before it.
func TestAProgramTellsItsFirstInstruction(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bootstrap"), TellingProgram(), 0o755); err != nil {
		t.Fatal(err)
	}
	img := storeImage(t, dir)
	for _, name := range []string{RuntimeBuiltin, RuntimeProcess, "oci:crun"} {
		t.Run(name, func(t *testing.T) {
			c := Config{Runtime: name}
			needRuntime(t, c)
			b := run(t, start(t, c), Spec{Image: img})
			first, err := ReadTold(b.Stdout)
			read := results.Now()
			if err != nil {
				t.Fatal(err)
			}
			after := b.Stamps.Exec
			if after == 0 {
				after = b.Stamps.Cloned // an OCI runtime's command may end later than its program begins
			}
			if first.Sub(after) < 0 || read.Sub(first) < -50*time.Microsecond {
				t.Errorf("first instruction at %d, execve at %d, read at %d", first, after, read)
			}
		})
	}
}

func TestReadTold(t *testing.T) {
	second := "\x01\x00\x00\x00\x00\x00\x00\x00"
	none := strings.Repeat("\x00", 8)
	for _, c := range []struct {
		told, says string
		want       results.Stamp
	}{
		{second + second, "", 1_000_000_001},
		{none + second, "", 1},
		{second, "unexpected EOF", 0},
		{"", "EOF", 0},
		{none + none, "is no time", 0},
		{strings.Repeat("\xff", 8) + second, "is no time", 0},
		{second + strings.Repeat("\xff", 8), "is no time", 0},
	} {
		got, err := ReadTold(strings.NewReader(c.told))
		if got != c.want || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%x: %d, error %v, want %d, %q", c.told, got, err, c.want, c.says)
		}
	}
}

func FuzzReadTold(f *testing.F) {
	f.Add([]byte(strings.Repeat("\x01", toldSize)))
	f.Fuzz(func(t *testing.T, told []byte) {
		if at, err := ReadTold(bytes.NewReader(told)); (at <= 0) != (err != nil) {
			t.Errorf("%x: %d beside %v", told, at, err)
		}
	})
}
