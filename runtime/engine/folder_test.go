package engine

import (
	"os"
	"testing"

	"coldstorm/runtime/image"
)

func TestAnotherCommandLeavesTheEnginesFoldersAlone(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s, v := &snapshots{}, &supervisor{}
	if _, err := s.layer(); err != nil {
		t.Fatal(err)
	}
	extra, err := v.layer()
	if err != nil {
		t.Fatal(err)
	}
	for dir, remove := range map[string]func() error{s.dir: s.remove, extra: v.remove} {
		if lock := image.Abandoned(dir); lock != nil {
			lock.Close()
			t.Errorf("%s is taken for a killed run's", dir)
		}
		if err := remove(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", dir, err)
		}
	}
}
