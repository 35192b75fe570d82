package launch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// bundles are what an OCI runtime's sandboxes are made of. All lies in a mount
// namespace of the launcher's own, in which a tmpfs covers a folder of the host,
// so that nothing of it is seen outside or outlives the launcher:
//
//	TOP/base, TOP/hostbase, TOP/host  as on the stage
//	TOP/l/N                           layers of images, read-only
//	TOP/r/N                           root filesystems, read-only, one an image
//	TOP/b/ID                          a sandbox's bundle
//	TOP/state                         the runtime's own
//
// In the same place the runtime sees of every cgroup tree nothing but the
// launcher's folder, as if that were its root, and of no other tree: neither
// can it make a cgroup elsewhere, nor does it take an empty version 2 tree
// beside version 1 controllers, which crun refuses, for the host's.
type bundles struct {
	path     string // the runtime's program
	quirks   quirks
	rootless bool
	errands  chan func() // for a thread that stands in the place

	top string
	ns  int // descriptor of the mount namespace
	st  *stage

	mu     sync.Mutex
	layers layers
	roots  map[string]string // by what they are made of
	n      int
}

// stand moves the calling thread, which must be locked and stay so, into the
// place. The first one makes it.
func (o *bundles) stand(i int, cg *cgroups) error {
	if i > 0 {
		return joinMounts(o.ns)
	}
	if err := o.make(cg); err != nil {
		return fmt.Errorf("place for bundles: %w", err)
	}
	return nil
}

func (o *bundles) make(cg *cgroups) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("mount namespace: %w", err)
	}
	unix.Umask(0)
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	hide := func() error { return narrowCgroups(cg) }
	if o.rootless {
		hide = func() error { return sealCgroups(o.quirks.noCgroups) }
	}
	if err := hide(); err != nil {
		return err
	}
	// Over a folder that neither the runtime nor its work needs.
	free := slices.DeleteFunc([]string{"/mnt", "/media", "/srv", "/home"}, func(dir string) bool { return strings.HasPrefix(o.path, dir+"/") })
	var err error
	if o.top, err = mountTop(nosuid, free); err != nil {
		return err
	}
	o.layers.top = filepath.Join(o.top, "l")
	o.st = &stage{rootless: o.rootless}
	for _, dir := range []string{"base", "hostbase", "host", "l", "r", "b", "state"} {
		if err := os.Mkdir(filepath.Join(o.top, dir), 0o755); err != nil {
			return err
		}
	}
	if err := o.st.buildBase(o.top); err != nil {
		return err
	}
	for _, base := range []string{"base", "hostbase"} { // runc gives a tmpfs the mode of the folder below, whatever it is told
		if err := os.Chmod(filepath.Join(o.top, base, "tmp"), 0o777|os.ModeSticky); err != nil {
			return err
		}
	}
	if err := o.st.buildHost(o.top); err != nil {
		return err
	}
	o.ns, err = unix.Open("/proc/thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	return err
}

// cgroupRoot is where runtimes look for cgroups.
const cgroupRoot = "/sys/fs/cgroup"

// narrowCgroups leaves of all cgroup trees the folders that are ours, each in
// the place of its tree's root.
func narrowCgroups(cg *cgroups) error {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	type tree struct {
		h  *hierarchy
		fd int
	}
	var trees []tree
	for _, h := range cg.all {
		fd, err := unix.OpenTree(unix.AT_FDCWD, h.dir, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
		if err != nil {
			return fmt.Errorf("cgroup tree %s: %w", h.dir, err)
		}
		defer unix.Close(fd)
		trees = append(trees, tree{h, fd})
	}
	links := linksIn(cgroupRoot)
	var points []string
	for line := range strings.Lines(string(info)) {
		if m, ok := parseMount(line); ok {
			points = append(points, m.point)
		}
	}
	slices.Reverse(points) // what was mounted later may lie below
	for _, p := range points {
		if err := unix.Unmount(p, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("hide %s: %w", p, err)
		}
	}
	if len(trees) == 1 && trees[0].h.v2 && trees[0].h.top == cgroupRoot {
		return moveTree(trees[0].fd, cgroupRoot)
	}
	// A folder made by mistake would else be made in the host's.
	if err := unix.Mount("cgroup", cgroupRoot, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=0755"); err != nil {
		return fmt.Errorf("tmpfs on %s: %w", cgroupRoot, err)
	}
	for _, t := range trees {
		at := filepath.Join(cgroupRoot, filepath.Base(t.h.top))
		if err := os.Mkdir(at, 0o755); err != nil {
			return err
		}
		if err := moveTree(t.fd, at); err != nil {
			return err
		}
	}
	for name, to := range links { // cpu -> cpu,cpuacct
		if _, err := os.Stat(filepath.Join(cgroupRoot, to)); err == nil {
			if err := os.Symlink(to, filepath.Join(cgroupRoot, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// sealCgroups makes all cgroup trees read-only for a runtime in a user
// namespace, which may not take mounts away, or covers them. Where the host's root
// owns the namespace it could else make cgroups, which nobody would remove.
func sealCgroups(cover bool) error {
	if _, err := os.Stat(cgroupRoot); err != nil {
		return nil
	}
	if cover {
		if err := unix.Mount("cgroup", cgroupRoot, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC|unix.MS_RDONLY, "mode=0755"); err != nil {
			return fmt.Errorf("tmpfs on %s: %w", cgroupRoot, err)
		}
		return nil
	}
	return readOnly(cgroupRoot, unix.MOUNT_ATTR_NODEV)
}

func moveTree(fd int, at string) error {
	if err := unix.MoveMount(fd, "", unix.AT_FDCWD, at, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("cgroup tree on %s: %w", at, err)
	}
	return nil
}

func linksIn(dir string) map[string]string {
	links := map[string]string{}
	entries, _ := os.ReadDir(dir) // none is none
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil {
			links[e.Name()] = to
		}
	}
	return links
}

// lower returns what the overlay of an image is made of, putting layers into the
// place that are not there yet.
func (o *bundles) lower(s *Spec) (string, error) {
	list, err := o.layers.get(s.Image.Layers)
	return strings.Join(append([]string{filepath.Join(o.top, base(s))}, list...), ":"), err
}

// root returns an image's root filesystem, mounted: the one that its sandboxes
// share, or a writable one of a sandbox's own, in its bundle.
func (o *bundles) root(s *Spec, bundle string) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.roots == nil {
		o.roots = map[string]string{}
	}
	lower, err := o.lower(s)
	if err != nil {
		return "", err
	}
	if s.Writable {
		return o.writable(lower, s, bundle)
	}
	if at, ok := o.roots[lower]; ok {
		return at, nil
	}
	o.n++
	at := filepath.Join(o.top, "r", fmt.Sprint(o.n))
	if err := os.Mkdir(at, 0o755); err != nil {
		return "", err
	}
	if err := unix.Mount("overlay", at, "overlay", nosuid|nodev|readonly, "lowerdir="+lower+o.st.marks(s)); err != nil {
		return "", fmt.Errorf("mount overlay: %w", err)
	}
	o.roots[lower] = at
	return at, nil
}

// writable mounts a root that takes writes, in memory.
func (o *bundles) writable(lower string, s *Spec, bundle string) (string, error) {
	memory, at := filepath.Join(bundle, "w"), filepath.Join(bundle, "rootfs")
	for _, dir := range []string{memory, at} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return "", err
		}
	}
	if err := unix.Mount("tmpfs", memory, "tmpfs", nosuid|nodev, fmt.Sprintf("mode=0755,size=%d", s.TmpBytes)); err != nil {
		return "", fmt.Errorf("tmpfs for the upper layer: %w", err)
	}
	options := "lowerdir=" + lower + ",upperdir=" + memory + "/upper,workdir=" + memory + "/work" + o.st.marks(s)
	for _, dir := range []string{"upper", "work"} {
		if err := os.Mkdir(filepath.Join(memory, dir), 0o755); err != nil {
			return "", err
		}
	}
	if err := unix.Mount("overlay", at, "overlay", nosuid|nodev, options); err != nil {
		return "", fmt.Errorf("mount overlay: %w", err)
	}
	return at, nil
}

// discard removes a sandbox's bundle, from a thread in the place.
func (o *bundles) discard(bundle string) error {
	for _, dir := range []string{"rootfs", "w"} {
		if err := unix.Unmount(filepath.Join(bundle, dir), unix.MNT_DETACH); err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("remove %s: %w", bundle, err)
		}
	}
	return os.RemoveAll(bundle)
}
