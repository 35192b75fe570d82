package engine

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"coldstorm/runtime/image"
	"coldstorm/runtime/launch"
	"coldstorm/runtime/live"
)

// asked is a launcher that notes what it would ask for.
type asked struct {
	launcher
	specs chan launch.Spec
}

func (a asked) Launch(_ context.Context, s live.Spec) (live.Sandbox, error) {
	a.specs <- a.spec(s)
	return nil, errors.New("not launched")
}

// TestThePoolIsFilledForWhatIsAsked says that what the pool is told comes next is what
// comes, also of a function that names no memory.
func TestThePoolIsFilledForWhatIsAsked(t *testing.T) {
	for memoryMB, want := range map[int]int64{0: 128 << 20, 512: 512 << 20} {
		f := Function{Name: "f", Image: image.Image{Layers: []string{"/x"}, Argv: []string{"/var/task/bootstrap"}}, MemoryMB: memoryMB}
		a := asked{launcher{image: f.Image, tmps: &tmps{}}, make(chan launch.Spec, 8)}
		function := live.New(a, f.config(nil))
		guess := a.next(function)
		function.Invoke(live.Request{})
		got := <-a.specs
		got.ID, got.Env, guess.Env = "", nil, nil
		if !reflect.DeepEqual(got, guess) || guess.MemoryBytes != want {
			t.Errorf("%d MB: asked for %+v, the pool is filled for %+v", memoryMB, got, guess)
		}
		if err := function.Close(); err != nil {
			t.Error(err)
		}
	}
}
