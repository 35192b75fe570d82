package launch

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Why a controller could not be had, beside what the kernel says.
var (
	errNotMounted    = errors.New("no cgroup tree with it is mounted")
	errNotHandedDown = errors.New("not handed down")
	errOccupied      = errors.New("programs that are not of this run are in it")
)

// A place is where a run stands, as far as what to do about a missing controller
// depends on it.
type place struct {
	root    bool // the host's, by right and not only by user namespace
	uid     int
	v1      map[string]string // this process's cgroup, by version 1 controller
	own     string            // this process's version 2 cgroup; empty if none is mounted
	top     string            // where version 2 is mounted
	systemd bool
	manager string   // cgroup of the systemd manager of the user; empty if none runs
	given   []string // controllers that it was given
	runtime bool     // the way to it is in the environment (XDG_RUNTIME_DIR)
}

// findPlace finds out for this process.
func findPlace(rootless bool) place {
	p := place{root: !rootless, uid: hostUID(), v1: map[string]string{}}
	found, _ := ownCgroups() // without, they aren't mounted
	for c, h := range found {
		if h.v2 {
			p.own, p.top = h.dir, h.top
		} else {
			p.v1[c] = h.dir
		}
	}
	_, err := os.Stat("/run/systemd/system") // sd_booted(3)
	p.systemd = err == nil
	p.runtime = os.Getenv("XDG_RUNTIME_DIR") != ""
	if p.own != "" {
		id := strconv.Itoa(p.uid)
		dir := filepath.Join(p.top, "user.slice/user-"+id+".slice/user@"+id+".service")
		if _, err := os.Stat(dir); err == nil {
			p.manager, p.given = dir, words(filepath.Join(dir, "cgroup.controllers"))
		}
	}
	return p
}

// hostUID is the user as the host counts, from inside of a user namespace too
// (user_namespaces(7), uid_map).
func hostUID() int {
	f := words("/proc/self/uid_map")
	if len(f) == 3 && f[0] == "0" && f[2] == "1" {
		if n, err := strconv.Atoi(f[1]); err == nil {
			return n
		}
	}
	return os.Geteuid()
}

// hint is what a person can do about a controller that could not be had.
func (p place) hint(controller string, err error) string {
	dir, v1 := p.v1[controller]
	switch {
	case errors.Is(err, unix.EROFS):
		return "the tree is mounted read-only: mount -o remount,rw " + p.where(dir) + "; in a container, --privileged, or a writable /sys/fs/cgroup"
	case p.own == "" && !v1:
		return "as root: mount -t cgroup2 cgroup2 /sys/fs/cgroup"
	case v1 && !p.root:
		return p.give1()
	case p.root && errors.Is(err, errOccupied):
		return "start coldstorm as the only program in its cgroup, as in: systemd-run --scope -p Delegate=yes coldstorm run"
	case p.root && errors.Is(err, errNotHandedDown):
		return fmt.Sprintf("the kernel has it off (cgroup_enable=%s on its command line), a version 1 tree holds it, or it was not handed to this container", controller)
	case p.root:
		return ""
	case p.manager != "" && !inherent(controller) && !slices.Contains(p.given, controller):
		return fmt.Sprintf(`sudo mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\nDelegate=cpu cpuset io memory pids\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload && sudo systemctl restart user@%d.service (which ends what runs in your session: save first)`, p.uid)
	case p.manager != "":
		return p.manage() + "systemd-run --user --scope -p Delegate=yes coldstorm run"
	case p.systemd:
		return fmt.Sprintf("sudo loginctl enable-linger %d && %ssystemd-run --user --scope -p Delegate=yes coldstorm run", p.uid, p.manage())
	}
	return p.give2()
}

// manage is how a user's systemd is found where the session doesn't say, as
// after su.
func (p place) manage() string {
	if p.runtime {
		return ""
	}
	return fmt.Sprintf("XDG_RUNTIME_DIR=/run/user/%d ", p.uid)
}

func (p place) where(v1 string) string {
	if v1 != "" {
		return v1
	}
	return p.top
}

// give1 gives the user a cgroup in every version 1 tree and moves the shell into
// them.
func (p place) give1() string {
	dirs := slices.Compact(slices.Sorted(maps.Values(p.v1)))
	return fmt.Sprintf(`sudo sh -c 'for dir in %s; do mkdir -p $dir/coldstorm.%d && chown -R %d $dir/coldstorm.%d && echo $1 >$dir/coldstorm.%d/cgroup.procs; done' sh $$`,
		strings.Join(dirs, " "), p.uid, p.uid, p.uid, p.uid)
}

// give2 gives the user a version 2 cgroup as systemd would, and moves the shell
// into one below it: a cgroup with processes hands nothing down.
func (p place) give2() string {
	return fmt.Sprintf(`sudo sh -c 'cd %s && echo "+cpu +memory +pids" >cgroup.subtree_control && mkdir -p coldstorm.%d/shell && cd coldstorm.%d && chown %d . cgroup.procs cgroup.threads cgroup.subtree_control shell shell/cgroup.procs && echo $1 >shell/cgroup.procs' sh $$`, p.top, p.uid, p.uid, p.uid)
}
