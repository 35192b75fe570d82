package fleet

import (
	"context"

	"coldstorm/runtime/live"
)

// A Launcher starts containers of one image, and nodes for them. Its methods may be
// called from any goroutine.
type Launcher interface {
	// Launch returns when the container's process has been executed.
	Launch(context.Context, Spec) (live.Sandbox, error)
	// StartNode makes room that holds a node's containers together to size, and says
	// whether it does: not every host can.
	StartNode(name string, size Size) (limited bool, err error)
	// StopNode removes a node, which is empty.
	StopNode(name string) error
}

// Spec says how to start a container.
type Spec struct {
	live.Spec
	Node string // of that name; empty: on none
	Size Size
}
