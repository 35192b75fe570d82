package engine

import (
	"context"
	"testing"

	"coldstorm/runtime/launch"
)

func BenchmarkSandboxCalls(b *testing.B) {
	l, err := launch.Start(launch.Config{})
	if err != nil {
		b.Skip(err)
	}
	defer l.Close()
	img, err := bootstrap()
	if err != nil {
		b.Fatal(err)
	}
	box, err := l.Launch(context.Background(), launch.Spec{ID: "x", Image: img, Env: []string{"MODE=deaf"}, MemoryBytes: 128 << 20})
	if err != nil {
		b.Fatal(err)
	}
	defer box.Stop()
	b.Run("usage", func(b *testing.B) {
		for b.Loop() {
			box.Usage()
		}
	})
	b.Run("freeze+thaw", func(b *testing.B) {
		for b.Loop() {
			box.Freeze()
			box.Thaw()
		}
	})
}
