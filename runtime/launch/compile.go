package launch

import (
	"fmt"
	"strconv"

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
	atCloned  = iota // its first call: its namespaces exist
	atRootfs         // its root filesystem is whole, and the only one that it sees
	atCgroups        // it is in its cgroups, if there are any
	atJoined         // it is in its network, if that is one of its own
	atSecured        // its rights are gone, and it waits to be told to execute
	atBegun          // a child that was ready hears what it is to be
	atExec           // the next call is execve
)

// Descriptors of a child while it is not a program yet.
const (
	selfFD  = 3 // pidfd of the daemon
	firstFD = 4 // the first that means nothing to it
)

// streams makes the child a session of its own, with its standard streams.
func (st *stage) streams(s *script, stdout, stderr int) {
	s.stamp(atCloned)
	s.dieWith(st.self)
	s.call(0, unix.SYS_SETSID)
	s.call(0, unix.SYS_DUP3, stdout, 1, 0)
	s.call(0, unix.SYS_DUP3, stderr, 2, 0)
	if st.self > 0 {
		s.call(0, unix.SYS_DUP3, st.self, selfFD, unix.O_CLOEXEC)
	}
}

// dieWith has the kernel end a child with the thread that cloned it, and stops one whose
// daemon was killed before that call. self is the daemon's pidfd; 0 where the kernel has
// none.
func (s *script) dieWith(self int) {
	s.call(0, unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, int(unix.SIGKILL), 0, 0, 0)
	if self > 0 {
		s.call(wantZero, unix.SYS_PPOLL, &unix.PollFd{Fd: int32(self), Events: unix.POLLIN}, 1, &unix.Timespec{}, 0, 8)
	}
}

// limits sets what a program may open and leave behind.
func (s *script) limits() {
	s.call(0, unix.SYS_UMASK, 0o022)
	s.slack()
	s.call(0, unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: openFiles, Max: openFiles})
	s.call(0, unix.SYS_PRLIMIT64, 0, unix.RLIMIT_CORE, &unix.Rlimit{})
}

// slack has timers go off as late as the kernel's default is, not the daemon's.
func (s *script) slack() { s.call(0, unix.SYS_PRCTL, unix.PR_SET_TIMERSLACK, 50_000, 0, 0, 0) }

// closeRest has execve close all but the standard streams.
func (s *script) closeRest() {
	s.call(0, unix.SYS_CLOSE_RANGE, 3, int(^uint32(0)), unix.CLOSE_RANGE_CLOEXEC)
}

// unblock lets every signal through.
func (s *script) unblock() {
	s.call(0, unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, new(uint64), 0, 8)
}

// joinCgroups enters the cgroups of a group.
//
// A version 1 cgroup is entered through tasks: a single-threaded child that
// writes itself there takes no global lock, where cgroup.procs costs a grace
// period of RCU (8 ms measured).
func (st *stage) joinCgroups(s *script, g *cgroups, group string) {
	for _, h := range g.all {
		if !h.v2 { // of those it was born in one
			s.call(save, unix.SYS_OPENAT, h.fd, group+"/tasks", unix.O_WRONLY|unix.O_CLOEXEC)
			s.call(useSaved, unix.SYS_WRITE, 0, "0", 1)
			s.call(useSaved, unix.SYS_CLOSE, 0)
		}
	}
	if g.shared != nil {
		g.shared.enter(s)
	}
	if len(g.all) > 0 {
		s.call(0, unix.SYS_UNSHARE, unix.CLONE_NEWCGROUP)
		s.stamp(atCgroups)
	} else {
		s.call(mayFail, unix.SYS_UNSHARE, unix.CLONE_NEWCGROUP)
	}
}

// joinNetwork enters the network namespace of which the daemon has that descriptor.
func (st *stage) joinNetwork(s *script, ns int) {
	s.call(save, unix.SYS_OPENAT, st.fds, strconv.Itoa(ns), unix.O_RDONLY|unix.O_CLOEXEC)
	s.call(useSaved, unix.SYS_SETNS, 0, unix.CLONE_NEWNET)
	s.stamp(atJoined)
}

// compile compiles what is the same for every child.
func (st *stage) compile() {
	st.shown, st.secured = &script{}, st.rights()
	st.kernel(st.shown, "")
}

// kernel mounts what the kernel shows of itself, and /tmp, into the root at top: "" or
// a folder's path.
func (st *stage) kernel(s *script, top string) {
	st.mountProc(s, top)
	s.mount(0, "shm", top+"/dev/shm", "tmpfs", nosuid|nodev|noexec, "mode=1777,"+roomOf(shmBytes))
	if !st.lean {
		pts := "newinstance,ptmxmode=0666,mode=0620"
		if !st.rootless {
			pts += ",gid=5"
		}
		s.mount(mayFail, "devpts", top+"/dev/pts", "devpts", nosuid|noexec, pts)
		s.mount(mayFail, "mqueue", top+"/dev/mqueue", "mqueue", nosuid|nodev|noexec, "")
	}
	s.call(save, unix.SYS_OPENAT, unix.AT_FDCWD, top+"/dev/null", unix.O_RDWR|unix.O_CLOEXEC)
	s.call(useSaved, unix.SYS_DUP3, 0, 0, 0)
}

// mountProc mounts a /proc of the child's pid namespace, and hides and protects parts
// of it. (A folder is hidden by an empty one of /dev, before something is mounted there.)
func (st *stage) mountProc(s *script, top string) {
	options := ""
	if st.lean {
		options = "subset=pid"
	}
	at := top + "/proc"
	if st.rootless && top == "" { // where the host's stands, without which the kernel lets a user namespace mount none
		at = "/tmp"
	}
	s.mount(0, "proc", at, "proc", nosuid|nodev|noexec, options)
	if at == "/tmp" {
		s.call(0, unix.SYS_UMOUNT2, "/proc", unix.MNT_DETACH)
		s.mount(0, "/tmp", "/proc", "", unix.MS_MOVE, "")
	}
	if st.lean {
		return
	}
	for _, p := range st.files {
		s.mount(0, top+"/dev/null", top+"/"+p, "", unix.MS_BIND, "")
	}
	for _, p := range st.dirs {
		s.mount(0, top+"/dev/mqueue", top+"/"+p, "", unix.MS_BIND, "")
	}
	for _, p := range st.readonly {
		s.mount(0, top+"/"+p, top+"/"+p, "", unix.MS_BIND|unix.MS_REC, "")
		s.mount(0, "", top+"/"+p, "", unix.MS_BIND|unix.MS_REMOUNT|readonly|nosuid|nodev|noexec, "")
	}
}

// inherited completes a root that the child has by its birth (see rooms).
func (st *stage) inherited(s *script, spec *Spec) {
	s.add(st.shown)
	s.mount(0, "tmpfs", "/tmp", "tmpfs", nosuid|nodev, tmpOptions(spec))
	s.stamp(atRootfs)
}

// written builds a root that takes writes, in memory, for a child that is born on the
// stage, and makes it the only one that there is.
func (st *stage) written(s *script, spec *Spec, layers []string) {
	s.mount(0, "tmpfs", "/s", "tmpfs", nosuid|nodev, "mode=0755,"+roomOf(spec.TmpBytes))
	s.call(0, unix.SYS_MKDIRAT, unix.AT_FDCWD, "/s/upper", 0o755)
	s.call(0, unix.SYS_MKDIRAT, unix.AT_FDCWD, "/s/work", 0o755)
	s.mount(0, "overlay", "/mnt", "overlay", nosuid|nodev, st.lower(spec, layers)+",upperdir=/s/upper,workdir=/s/work"+st.marks(spec))
	for _, m := range st.fixtures(spec) {
		s.mount(0, m.from, "/mnt"+m.to, "", unix.MS_BIND|unix.MS_REC, "")
	}
	st.kernel(s, "/mnt")
	s.mount(0, "tmpfs", "/mnt/tmp", "tmpfs", nosuid|nodev, tmpOptions(spec))
	s.call(0, unix.SYS_CHDIR, "/mnt")
	s.call(0, unix.SYS_PIVOT_ROOT, ".", ".")
	s.call(0, unix.SYS_UMOUNT2, ".", unix.MNT_DETACH)
	s.stamp(atRootfs)
}

func tmpOptions(spec *Spec) string { return "mode=1777," + roomOf(spec.TmpBytes) }

// A tmpfs is bounded in files too: an empty one takes a kilobyte of the kernel's
// memory, and nothing of the filesystem's size.
const (
	shmBytes     = 64 << 20 // size of /dev/shm, as Docker sets it
	bytesPerFile = 4 << 10
	maxFiles     = 1 << 17 // as in 512 MB
)

// roomOf is a tmpfs's size as options of its mount.
func roomOf(bytes int64) string {
	return "size=" + strconv.FormatInt(bytes, 10) + ",nr_inodes=" + strconv.FormatInt(min(bytes/bytesPerFile, maxFiles)+1, 10)
}

// secure gives up every right, the filter last. The bounding set is empty
// already: the thread that clones has dropped it. The folder is entered with nothing
// open any more: one named /proc/self/fd/N would lead to the host (CVE-2024-21626).
func (st *stage) secure(s *script, spec *Spec) {
	name := spec.hostname()
	s.call(0, unix.SYS_SETHOSTNAME, name, len(name))
	s.add(st.secured)
	s.call(0, unix.SYS_CHDIR, spec.dir())
}

// rights is the part of secure that is the same for every child.
func (st *stage) rights() *script {
	s := &script{}
	s.limits()
	if !st.rootless {
		s.call(0, unix.SYS_SETGROUPS, 0, 0)
		s.call(0, unix.SYS_SETRESGID, GID, GID, GID)
		s.call(0, unix.SYS_SETRESUID, UID, UID, UID)
	}
	s.call(0, unix.SYS_CAPSET, &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &[2]unix.CapUserData{})
	s.call(0, unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
	s.dieWith(min(st.self, selfFD)) // again: setresuid takes the signal back (no pidfd, 0, stays none)
	s.call(0, unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	s.call(0, unix.SYS_CLOSE_RANGE, 3, int(^uint32(0)), 0)
	s.unblock()
	f := filter()
	s.call(0, unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, &unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]})
	return s
}

// trial goes through everything but execve once, so that what a host forbids is
// known before anything is launched: as an error, or, for what sandboxes can do
// without, as a list.
func (st *stage) trial() ([]string, error) {
	spec := &Spec{ID: "trial", TmpBytes: 1 << 20}
	ns, err := st.newRoom(spec, []string{"/hostbase"})
	if err != nil {
		return nil, fmt.Errorf("trial of a sandbox: %w", err)
	}
	defer unix.Close(ns)
	null, err := unix.Open("/devtree/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(null)
	s := &script{}
	st.streams(s, null, null)
	st.inherited(s, spec)
	st.joinCgroups(s, &cgroups{}, "")
	st.secure(s, spec)
	s.exit(0)
	if err := unix.Setns(ns, unix.CLONE_NEWNS); err != nil {
		return nil, err
	}
	err = s.try(birthFlags | unix.CLONE_NEWNET)
	if err2 := unix.Setns(st.ns, unix.CLONE_NEWNS); err == nil {
		err = err2
	}
	if err != nil {
		return nil, fmt.Errorf("trial of a sandbox: %w", err)
	}
	return s.forbidden(), nil
}
