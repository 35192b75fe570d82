package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"coldstorm/runtime/image"
	"coldstorm/runtime/launch"
	"coldstorm/runtime/live"
	"coldstorm/runtime/snapshot"
)

// Snapshot is what a deployment with SnapStart took.
type Snapshot struct {
	Init    time.Duration `json:"init_ns"` // of the function, once
	Bytes   int64         `json:"bytes"`   // of memory that every environment gets
	Regions int           `json:"regions"` // of memory
}

// Snapshot is that of the last deployment with SnapStart.
func (e *Engine) Snapshot() Snapshot {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.taken
}

// snapshots are the layers of an engine's snapshots. The zero value is ready.
type snapshots struct {
	mu   sync.Mutex
	dir  string
	lock *os.File // on it, or nil
}

// mostMemory bounds a snapshot: by the function's memory, also where that has no limit.
func mostMemory(c live.Config) int64 {
	if c.MemoryMB == 0 {
		return defaultMemory
	}
	return int64(c.MemoryMB) << 20
}

const defaultMemory = 128 << 20

// publish runs the init of the function of l, and returns its image with a layer that
// restores it from there.
func (s *server) publish(ctx context.Context, l launcher, c live.Config) (image.Image, error) {
	img := l.image
	if why := s.unable(c); why != nil {
		return img, why
	}
	layer, err := s.snapshots.layer()
	if err != nil {
		return img, fmt.Errorf("SnapStart: %w", err)
	}
	var taken snapshot.Snapshot
	took, err := live.Publish(ctx, l, c, func(b live.Sandbox) (err error) {
		taken, err = snapshot.Take(b.(*sandbox).PID, launch.APIPort, layer, mostMemory(c))
		return err
	})
	if err == nil {
		img.Layers = append([]string{layer}, img.Layers...)
		img.Argv, img.Managed = taken.Argv, false
		l.image = img
		err = live.Rehearse(ctx, l, c)
	}
	if err != nil {
		return l.image, fmt.Errorf("SnapStart: %w", errors.Join(err, os.RemoveAll(filepath.Dir(layer))))
	}
	s.send(message{Snapshot: &Snapshot{Init: took, Bytes: taken.Bytes, Regions: taken.Regions}})
	return img, nil
}

// unable says why no function of this configuration can be restored here.
func (s *server) unable(c live.Config) error {
	host := s.launcher.Host()
	switch {
	case host.Launcher != launch.RuntimeBuiltin:
		return fmt.Errorf("SnapStart: sandboxes of launcher %s are not restored: coldstorm's own are", host.Launcher)
	case len(c.Extensions) > 0:
		return errors.New("SnapStart: a function with extensions is several processes, and one alone can be restored")
	}
	if err := snapshot.Possible(); err != nil {
		return fmt.Errorf("SnapStart: %w", err)
	}
	return nil
}

// layer makes an empty folder for a layer, in one that nobody else may enter: it will
// hold a function's memory. The name is that of a run's own folder, so that clean finds
// what a killed engine left.
func (s *snapshots) layer() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		var err error
		if s.dir, s.lock, err = ownFolder("snapshots"); err != nil {
			return "", err
		}
	}
	top, err := os.MkdirTemp(s.dir, "")
	if err != nil {
		return "", err
	}
	layer := filepath.Join(top, "layer")
	return layer, errors.Join(os.Mkdir(layer, 0o755), os.Chmod(layer, 0o755))
}

func (s *snapshots) remove() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		return nil
	}
	defer s.lock.Close()
	return os.RemoveAll(s.dir)
}

// ownFolder makes a folder of the engine's, whose name and lock are those of a command's
// own: another command leaves it alone, and finds it if this engine is killed.
func ownFolder(of string) (dir string, lock *os.File, err error) {
	return image.Own(func() (string, error) {
		return os.MkdirTemp("", "coldstorm-work-"+strconv.Itoa(os.Getpid())+"-"+of+"-")
	})
}
