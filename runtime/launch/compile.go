package launch

import (
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	nosuid   = unix.MS_NOSUID
	nodev    = unix.MS_NODEV
	noexec   = unix.MS_NOEXEC
	readonly = unix.MS_RDONLY
)

// birthFlags are the namespaces of clone. The network's is joined or inherited, and
// the cgroup's made once the child is in its cgroup.
const birthFlags = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS

// The moments that a child notes.
const (
	atCloned = iota // its first call: its namespaces exist
	atKernel        // the kernel's file systems are mounted
	atJoined        // it is in its cgroups and its network
	atBegun         // a child that was ready hears what it is to be
	atRootfs        // its root filesystem is the only one that it sees
	atExec          // its rights are gone, and the next call is execve
)

// Descriptors of a child while it is not a program yet.
const (
	selfFD  = 3 // pidfd of the daemon
	firstFD = 4 // the first that means nothing to it
)

// streams makes the child a session of its own, with its standard streams.
func (st *stage) streams(s *script, stdout, stderr int) {
	s.stamp(atCloned)
	s.mount(0, "", "/l", "", unix.MS_SLAVE, "") // layers that come to the stage come here too, and nothing goes back
	s.call(0, unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, int(unix.SIGKILL), 0, 0, 0)
	st.watch(s, st.self)
	s.call(0, unix.SYS_SETSID)
	s.call(0, unix.SYS_DUP3, stdout, 1, 0)
	s.call(0, unix.SYS_DUP3, stderr, 2, 0)
	if st.self > 0 {
		s.call(0, unix.SYS_DUP3, st.self, selfFD, unix.O_CLOEXEC)
	}
}

// watch stops a child whose daemon was killed before the child asked for a signal of
// that. fd is the daemon's pidfd.
func (st *stage) watch(s *script, fd int) {
	if st.self > 0 {
		s.call(wantZero, unix.SYS_PPOLL, &unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}, 1, &unix.Timespec{}, 0, 8)
	}
}

// join enters the cgroups of a group and, where ns is not nil, the network
// namespace whose descriptor in the daemon is written there by then (decimal, NUL).
//
// A version 1 cgroup is entered through tasks: a single-threaded child that
// writes itself there takes no global lock, where cgroup.procs costs a grace
// period of RCU (8 ms measured).
func (st *stage) join(s *script, g *cgroups, group string, ns []byte) {
	for _, h := range g.all {
		if !h.v2 { // of those it was born in one
			s.call(save, unix.SYS_OPENAT, h.fd, group+"/tasks", unix.O_WRONLY|unix.O_CLOEXEC)
			s.call(useSaved, unix.SYS_WRITE, 0, "0", 1)
			s.call(useSaved, unix.SYS_CLOSE, 0)
		}
	}
	if len(g.all) > 0 {
		s.call(0, unix.SYS_UNSHARE, unix.CLONE_NEWCGROUP)
	} else {
		s.call(mayFail, unix.SYS_UNSHARE, unix.CLONE_NEWCGROUP)
	}
	if ns != nil {
		s.call(save, unix.SYS_OPENAT, st.fds, ns, unix.O_RDONLY|unix.O_CLOEXEC)
		s.call(useSaved, unix.SYS_SETNS, 0, unix.CLONE_NEWNET)
	}
	s.stamp(atJoined)
}

// kernel mounts what the kernel shows of itself, on /g of the stage: root puts it
// into place.
func (st *stage) kernel(s *script) {
	if st.lean {
		s.mount(0, "proc", "/g/proc", "proc", nosuid|nodev|noexec, "subset=pid")
	} else {
		s.mount(0, "proc", "/g/proc", "proc", nosuid|nodev|noexec, "")
		st.mask(s)
		if st.sys == nil {
			s.mount(0, "/systree", "/g/sys", "", unix.MS_BIND|unix.MS_REC, "")
		}
	}
	st.mountDev(s)
	s.call(save, unix.SYS_OPENAT, unix.AT_FDCWD, "/g/dev/null", unix.O_RDWR|unix.O_CLOEXEC)
	s.call(useSaved, unix.SYS_DUP3, 0, 0, 0)
	s.mount(0, "tmpfs", "/g/tmp", "tmpfs", nosuid|nodev, tmpOptions(DefaultTmpBytes))
	s.stamp(atKernel)
}

func tmpOptions(bytes int64) string { return fmt.Sprintf("mode=1777,size=%d", bytes) }

func (st *stage) mountDev(s *script) {
	s.mount(0, "/devtree", "/g/dev", "", unix.MS_BIND|unix.MS_REC, "")
	s.mount(0, "shm", "/g/dev/shm", "tmpfs", nosuid|nodev|noexec, "mode=1777,size=65536k")
	if st.lean {
		return
	}
	pts := "newinstance,ptmxmode=0666,mode=0620"
	if !st.rootless {
		pts += ",gid=5"
	}
	s.mount(mayFail, "devpts", "/g/dev/pts", "devpts", nosuid|noexec, pts)
	s.mount(mayFail, "mqueue", "/g/dev/mqueue", "mqueue", nosuid|nodev|noexec, "")
}

// mask hides and protects parts of /proc. What is to be read-only is bound from a
// read-only view of the whole, rather than bound and changed one by one.
func (st *stage) mask(s *script) {
	for _, p := range st.files {
		s.mount(0, "/devtree/null", "/g/"+p, "", unix.MS_BIND, "")
	}
	for _, p := range st.dirs {
		s.mount(0, "/empty", "/g/"+p, "", unix.MS_BIND, "")
	}
	if len(st.readonly) == 0 {
		return
	}
	s.mount(0, "/g/proc", "/p", "", unix.MS_BIND, "")
	s.mount(0, "", "/p", "", unix.MS_BIND|unix.MS_REMOUNT|readonly|nosuid|nodev|noexec, "")
	for _, p := range st.readonly {
		s.mount(0, "/p/"+strings.TrimPrefix(p, "proc/"), "/g/"+p, "", unix.MS_BIND, "")
	}
}

// root mounts the root filesystem and makes it the only one there is. The base
// layer lies above the image's, so /dev, /proc, /sys, /tmp and the way to them
// are folders of ours whatever an image holds at these names.
func (st *stage) root(s *script, spec *Spec, layers []string) {
	st.mountRoot(s, spec, layers)
	s.call(0, unix.SYS_CHDIR, "/mnt")
	if spec.Image.HostUsr {
		for _, dir := range st.hostDirs {
			s.mount(0, "/host/"+dir, dir, "", unix.MS_BIND|unix.MS_REC, "")
		}
	}
	for _, dir := range []string{"proc", "dev", "tmp", "sys"} {
		if dir != "sys" || (st.sys == nil && !st.lean) {
			s.mount(0, "/g/"+dir, dir, "", unix.MS_MOVE, "")
		}
	}
	if spec.TmpBytes != DefaultTmpBytes {
		s.mount(0, "", "tmp", "", unix.MS_REMOUNT|nosuid|nodev, tmpOptions(spec.TmpBytes))
	}
	s.call(0, unix.SYS_PIVOT_ROOT, ".", ".")
	s.call(0, unix.SYS_UMOUNT2, ".", unix.MNT_DETACH)
	s.call(0, unix.SYS_CHDIR, spec.dir())
	s.stamp(atRootfs)
}

func (st *stage) mountRoot(s *script, spec *Spec, layers []string) {
	base := "/base"
	if spec.Image.HostUsr {
		base = "/hostbase"
	}
	if !st.overlay { // one layer, bound over the base's folder
		s.mount(0, base, "/mnt", "", unix.MS_BIND|unix.MS_REC, "")
		s.mount(0, filepath.Join(layers[0], TaskDir), "/mnt"+TaskDir, "", unix.MS_BIND|unix.MS_REC, "")
		s.mount(0, "", "/mnt"+TaskDir, "", unix.MS_REC|unix.MS_PRIVATE, "") // it follows the stage no more
		return
	}
	lower := "lowerdir=" + base
	for _, l := range layers {
		lower += ":" + l
	}
	flags := nosuid | nodev
	if spec.Writable {
		s.mount(0, "tmpfs", "/s", "tmpfs", nosuid|nodev, fmt.Sprintf("mode=0755,size=%d", spec.TmpBytes))
		s.call(0, unix.SYS_MKDIRAT, unix.AT_FDCWD, "/s/upper", 0o755)
		s.call(0, unix.SYS_MKDIRAT, unix.AT_FDCWD, "/s/work", 0o755)
		lower += ",upperdir=/s/upper,workdir=/s/work"
	} else {
		flags |= readonly
	}
	if st.rootless || len(layers) > 1 { // where what hides a lower layer's file may be marked by attributes of a user's
		lower += ",userxattr"
	}
	s.mount(0, "overlay", "/mnt", "overlay", flags, lower)
}

// secure gives up every right, the filter last. The bounding set is empty
// already: the thread that clones has dropped it.
func (st *stage) secure(s *script, hostname string) {
	s.call(0, unix.SYS_SETHOSTNAME, hostname, len(hostname))
	s.add(st.secured)
	s.stamp(atExec)
}

// rights is the part of secure that is the same for every child.
func (st *stage) rights() *script {
	s := &script{}
	s.call(0, unix.SYS_UMASK, 0o022)
	s.call(0, unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: openFiles, Max: openFiles})
	s.call(0, unix.SYS_PRLIMIT64, 0, unix.RLIMIT_CORE, &unix.Rlimit{})
	if !st.rootless {
		s.call(0, unix.SYS_SETGROUPS, 0, 0)
		s.call(0, unix.SYS_SETRESGID, GID, GID, GID)
		s.call(0, unix.SYS_SETRESUID, UID, UID, UID)
	}
	s.call(0, unix.SYS_CAPSET, &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &[2]unix.CapUserData{})
	s.call(0, unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
	s.call(0, unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, int(unix.SIGKILL), 0, 0, 0) // after setresuid, which clears it
	st.watch(s, selfFD)
	s.call(0, unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	s.call(0, unix.SYS_CLOSE_RANGE, 3, int(^uint32(0)), unix.CLOSE_RANGE_CLOEXEC)
	s.call(0, unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, new(uint64), 0, 8)
	f := filter()
	s.call(0, unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, &unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]})
	return s
}

// trial goes through everything but execve once, so that what a host forbids is
// known before anything is launched: as an error, or, for what sandboxes can do
// without, as a list.
func (st *stage) trial() ([]string, error) {
	null, err := unix.Open("/devtree/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(null)
	s := &script{}
	spec := &Spec{TmpBytes: 1 << 20}
	st.streams(s, null, null)
	st.join(s, &cgroups{}, "", nil)
	s.add(st.mounted)
	st.root(s, spec, []string{"/hostbase"})
	st.secure(s, "trial")
	s.exit(0)
	if err := s.try(birthFlags | unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("trial of a sandbox: %w", err)
	}
	return s.forbidden(), nil
}
