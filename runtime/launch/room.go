package launch

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A room is a mount namespace whose root is that of an image's sandboxes, with
// everything in it that they can share: the overlay of its layers, /dev and /sys, all
// read-only. A child that is cloned by a thread that stands there has a copy of these
// mounts by its birth, and nothing else: there is no old root to leave, and sandboxes
// share what the kernel remembers of the image's files.
//
// Turned down: an overlay and a pivot_root for every child, which cost 0.2 to 0.4 ms a
// launch, most of it for detaching the old root (it waits for a grace period of RCU).
type rooms struct {
	mu     sync.Mutex
	layers layers
	made   map[string]int // by what it depends on: the namespace's descriptor
}

// roomKey is what sandboxes that share a room have in common.
func roomKey(spec *Spec) string {
	return base(spec) + "\x00" + strings.Join(spec.Image.Layers, "\x00")
}

// enter moves the calling thread, which must be one of the stage's, to where a child of
// spec is to be born. It returns the layers' places on the stage, where that is where.
func (r *rooms) enter(st *stage, spec *Spec) (layers []string, err error) {
	ns, layers, err := r.find(st, spec)
	if err != nil || ns < 0 {
		return layers, err
	}
	// Without the lock: the call may wait, and others need not wait for it. A room is
	// there as long as the daemon.
	if _, err := raw(unix.SYS_SETNS, uintptr(ns), unix.CLONE_NEWNS); err != nil {
		return nil, fmt.Errorf("enter the image's mount namespace: %w", err)
	}
	return nil, nil
}

// find returns the namespace of spec's room, which it makes if there is none yet. For a
// writable root, which has no room, it returns -1 and the layers' places, and has moved the
// calling thread onto the stage.
func (r *rooms) find(st *stage, spec *Spec) (ns int, layers []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ns, known := r.made[roomKey(spec)]; known && !spec.Writable {
		return ns, nil, nil
	}
	if err := unix.Setns(st.ns, unix.CLONE_NEWNS); err != nil {
		return -1, nil, fmt.Errorf("enter the stage: %w", err)
	}
	if layers, err = r.layers.get(spec.Image.Layers); err != nil || spec.Writable {
		return -1, layers, err
	}
	if ns, err = st.newRoom(spec, layers); err != nil {
		return -1, nil, fmt.Errorf("root filesystem: %w", err)
	}
	if r.made == nil {
		r.made = map[string]int{}
	}
	r.made[roomKey(spec)] = ns
	return ns, nil, nil
}

// A fixture is a part of the stage that a root shows at a place of its own.
type fixture struct{ from, to string }

// fixtures lists those of a root, in the order of mounting.
func (st *stage) fixtures(spec *Spec) (list []fixture) {
	if spec.Image.HostUsr {
		for _, dir := range st.hostDirs {
			list = append(list, fixture{"/host/" + dir, "/" + dir})
		}
	}
	list = append(list, fixture{"/devtree", "/dev"})
	if st.sys == nil && !st.lean {
		list = append(list, fixture{"/systree", "/sys"})
	}
	return list
}

// lower is the option of an overlay that names the base, above the image's layers.
// So /dev, /proc, /sys, /tmp and the way to them are folders of ours whatever an image
// holds at these names.
func (st *stage) lower(spec *Spec, layers []string) string {
	return "lowerdir=" + strings.Join(slices.Concat([]string{base(spec)}, layers), ":")
}

// marks is the option of an overlay in which what hides a lower layer's file is marked by
// attributes that a user may set: so package image marks it in layers, and so must an
// upper layer without root.
func (st *stage) marks(spec *Spec) string {
	if len(spec.Image.Layers) > 1 || st.rootless && spec.Writable {
		return ",userxattr"
	}
	return ""
}

func base(spec *Spec) string {
	if spec.Image.HostUsr {
		return "/hostbase"
	}
	return "/base"
}

// newRoom makes a room, from a thread that stands on the stage and is there again
// afterwards. It returns the namespace's descriptor.
func (st *stage) newRoom(spec *Spec, layers []string) (ns int, err error) {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return -1, fmt.Errorf("mount namespace: %w", err)
	}
	if err = st.furnish(spec, layers); err == nil {
		ns, err = st.here()
	}
	if back := unix.Setns(st.ns, unix.CLONE_NEWNS); back != nil && err == nil {
		unix.Close(ns)
		err = fmt.Errorf("back to the stage: %w", back)
	}
	if err != nil {
		return -1, err
	}
	return ns, nil
}

// furnish makes the root of spec's image the root of the calling thread's mount
// namespace.
func (st *stage) furnish(spec *Spec, layers []string) error {
	if err := st.mountRoot(spec, layers); err != nil {
		return err
	}
	list := st.fixtures(spec)
	if st.rootless {
		list = append(list, fixture{"/proc", "/proc"}) // see mountProc
	}
	for _, m := range list {
		if err := unix.Mount(m.from, "/mnt"+m.to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("bind %s: %w", m.to, err)
		}
	}
	return st.leave("/mnt")
}

func (st *stage) mountRoot(spec *Spec, layers []string) error {
	if st.overlay {
		options := st.lower(spec, layers) + st.marks(spec)
		if err := unix.Mount("overlay", "/mnt", "overlay", nosuid|nodev|readonly, options); err != nil {
			return fmt.Errorf("overlay (%s): %w", options, err)
		}
		return nil
	}
	for _, m := range []fixture{{base(spec), ""}, {filepath.Join(layers[0], TaskDir), TaskDir}} { // one layer, over the base's folder
		if err := unix.Mount(m.from, "/mnt"+m.to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("bind %s: %w", m.to, err)
		}
	}
	return nil
}
