package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"coldstorm/runtime/image"
	"coldstorm/workloads"
)

// A sandbox executes one program. Where an image has external extensions that is
// the supervisor, which starts them and the image's own program. Turned down: the
// supervisor for every function, which costs a start two more executions; a
// sandbox for each extension, which could not share the function's files and
// network.

// supervisorPath is the supervisor's inside a sandbox, and in the layer that
// brings it there.
const supervisorPath = "/.coldstorm/supervisor"

// extensions are the names of an image's external extensions, the executables of
// /opt/extensions, whichever layer they come from.
func extensions(img image.Image) (names []string) {
	for _, layer := range img.Layers {
		folder := filepath.Join(layer, "opt/extensions")
		all, _ := os.ReadDir(folder) // most layers have none
		for _, e := range all {
			i, err := os.Stat(filepath.Join(folder, e.Name()))
			if err == nil && i.Mode().IsRegular() && i.Mode()&0o111 != 0 && !slices.Contains(names, e.Name()) {
				names = append(names, e.Name())
			}
		}
	}
	slices.Sort(names)
	return names
}

// supervisor is the layer that brings the supervisor into sandboxes, made once it
// is needed. The zero value is ready.
type supervisor struct {
	mu   sync.Mutex
	dir  string
	lock *os.File // on it, or nil
}

// layer is the layer's folder.
func (s *supervisor) layer() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir != "" {
		return s.dir, nil
	}
	program, err := workloads.Supervisor()
	if err != nil {
		return "", err
	}
	dir, lock, err := ownFolder("supervisor")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, supervisorPath)
	err = errors.Join(os.Chmod(dir, 0o755), os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, program, 0o755))
	if err != nil {
		lock.Close()
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	s.dir, s.lock = dir, lock
	return dir, nil
}

func (s *supervisor) remove() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir := s.dir
	s.dir = ""
	defer s.lock.Close()
	return os.RemoveAll(dir)
}

// supervised is an image with the supervisor in a layer of its own, if it has
// extensions, and their names. An image without extensions is left as it is.
func supervised(img image.Image, s *supervisor) (image.Image, []string, error) {
	names := extensions(img)
	if len(names) == 0 {
		return img, nil, nil
	}
	dir, err := s.layer()
	if err != nil {
		return img, nil, fmt.Errorf("extensions: %w", err)
	}
	img.Layers = append(slices.Clone(img.Layers), dir)
	return img, names, nil
}
