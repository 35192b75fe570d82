package launch

import (
	"fmt"

	"golang.org/x/sys/unix"
)

const (
	nosuid   = unix.MS_NOSUID
	nodev    = unix.MS_NODEV
	noexec   = unix.MS_NOEXEC
	readonly = unix.MS_RDONLY
)

// A birth is all that a child takes with it: the plan of one sandbox, and the
// descriptors that it needs on the way.
type birth struct {
	spec           *Spec
	layers         []string // on the stage, uppermost first
	tasks          []int    // version 1 cgroups to write itself into
	cgroup         bool     // it is in a cgroup of its own
	net            int      // network namespace; -1 for the host's
	stdout, stderr int

	cloned, ready, rootfs, exec *unix.Timespec // stamps
}

// flags are the namespaces of clone. The network's is joined, and the cgroup's
// made once the child is in its cgroup.
const birthFlags = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS

// compile turns a birth into the script that the child runs.
func (st *stage) compile(b *birth) *script {
	s := &script{ops: make([]op, 0, 96), keep: make([]any, 0, 160)}
	b.cloned = s.stamp()
	st.join(s, b)
	b.ready = s.stamp()
	st.root(s, b)
	b.rootfs = s.stamp()
	st.secure(s, b)
	b.exec = s.stamp()
	s.execve(b.spec.Argv[0], b.spec.Argv, b.spec.Env)
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
	s := st.compile(&birth{spec: &Spec{ID: "trial", Argv: []string{"/"}, TmpBytes: 1 << 20}, layers: []string{"/hostbase"}, net: -1, stdout: null, stderr: null})
	s.ops = s.ops[:len(s.ops)-1]
	s.exit(0)
	if err := s.try(birthFlags | unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("trial of a sandbox: %w", err)
	}
	return s.forbidden(), nil
}

// join enters cgroups and namespaces and takes the output streams.
//
// A version 1 cgroup is entered through tasks: a single-threaded child that
// writes itself there takes no global lock, where cgroup.procs costs a grace
// period of RCU (8 ms measured).
func (st *stage) join(s *script, b *birth) {
	for _, fd := range b.tasks {
		s.call(0, unix.SYS_WRITE, fd, "0", 1)
	}
	if b.cgroup {
		s.call(0, unix.SYS_UNSHARE, unix.CLONE_NEWCGROUP)
	} else {
		s.call(mayFail, unix.SYS_UNSHARE, unix.CLONE_NEWCGROUP)
	}
	if b.net >= 0 {
		s.call(0, unix.SYS_SETNS, b.net, unix.CLONE_NEWNET)
	}
	s.call(0, unix.SYS_SETSID)
	s.call(0, unix.SYS_DUP3, b.stdout, 1, 0)
	s.call(0, unix.SYS_DUP3, b.stderr, 2, 0)
}

// root mounts the root filesystem and makes it the only one there is. The base
// layer lies above the image's, so /dev, /proc, /sys, /tmp and the way to them
// are folders of ours whatever an image holds at these names.
func (st *stage) root(s *script, b *birth) {
	base := "/base"
	if b.spec.Image.HostUsr {
		base = "/hostbase"
	}
	st.mountRoot(s, b, base)
	s.call(0, unix.SYS_CHDIR, "/mnt")
	if b.spec.Image.HostUsr {
		for _, dir := range st.hostDirs {
			s.mount(0, "/host/"+dir, dir, "", unix.MS_BIND|unix.MS_REC, "")
		}
	}
	s.mount(0, "proc", "proc", "proc", nosuid|nodev|noexec, "")
	s.mount(mayFail, "sysfs", "sys", "sysfs", nosuid|nodev|noexec|readonly, "")
	st.mountDev(s)
	s.mount(0, "tmpfs", "tmp", "tmpfs", nosuid|nodev, "mode=1777,"+room(b.spec.TmpBytes))
	st.mask(s)
	s.call(save, unix.SYS_OPENAT, unix.AT_FDCWD, "dev/null", unix.O_RDWR)
	s.call(useSaved, unix.SYS_DUP3, 0, 0, 0)
	s.call(mayFail|save, unix.SYS_OPENAT, unix.AT_FDCWD, "proc/self/oom_score_adj", unix.O_WRONLY|unix.O_CLOEXEC)
	s.call(mayFail|useSaved, unix.SYS_WRITE, 0, "500", 3) // before the engine, should the machine run out of memory
	s.call(0, unix.SYS_PIVOT_ROOT, ".", ".")
	s.call(0, unix.SYS_UMOUNT2, ".", unix.MNT_DETACH)
	s.call(0, unix.SYS_CHDIR, "/")
}

func (st *stage) mountRoot(s *script, b *birth, base string) {
	if !st.overlay { // one layer, bound over the base's folder
		s.mount(0, base, "/mnt", "", unix.MS_BIND|unix.MS_REC, "")
		s.mount(0, b.layers[0]+TaskDir, "/mnt"+TaskDir, "", unix.MS_BIND|unix.MS_REC, "")
		return
	}
	lower := "lowerdir=" + base
	for _, l := range b.layers {
		lower += ":" + l
	}
	flags := nosuid | nodev
	if b.spec.Writable {
		s.mount(0, "tmpfs", "/s", "tmpfs", nosuid|nodev, "mode=0755,"+room(b.spec.TmpBytes))
		s.call(0, unix.SYS_MKDIRAT, unix.AT_FDCWD, "/s/upper", 0o755)
		s.call(0, unix.SYS_MKDIRAT, unix.AT_FDCWD, "/s/work", 0o755)
		lower += ",upperdir=/s/upper,workdir=/s/work"
		if st.rootless {
			lower += ",userxattr"
		}
	} else {
		flags |= readonly
	}
	s.mount(0, "overlay", "/mnt", "overlay", flags, lower)
}

func (st *stage) mountDev(s *script) {
	pts := "newinstance,ptmxmode=0666,mode=0620"
	if !st.rootless {
		pts += ",gid=5"
	}
	s.mount(0, "/devtree", "dev", "", unix.MS_BIND|unix.MS_REC, "")
	s.mount(mayFail, "devpts", "dev/pts", "devpts", nosuid|noexec, pts)
	s.mount(0, "shm", "dev/shm", "tmpfs", nosuid|nodev|noexec, "mode=1777,"+room(shmBytes))
	s.mount(mayFail, "mqueue", "dev/mqueue", "mqueue", nosuid|nodev|noexec, "")
}

// A tmpfs is bounded in files too: an empty one takes a kilobyte of the kernel's
// memory, and nothing of the filesystem's size.
const (
	shmBytes     = 64 << 20 // size of /dev/shm, as Docker sets it
	bytesPerFile = 4 << 10
	maxFiles     = 1 << 17 // as in 512 MB
)

// room is a tmpfs's size as options of its mount.
func room(bytes int64) string {
	return fmt.Sprintf("size=%d,nr_inodes=%d", bytes, min(bytes/bytesPerFile, maxFiles)+1)
}

func (st *stage) mask(s *script) {
	under := func(p string) how {
		if len(p) > 4 && p[:4] == "sys/" { // sysfs itself may be missing, and its paths with it
			return mayFail
		}
		return 0
	}
	for _, p := range st.files {
		s.mount(under(p), "/devtree/null", p, "", unix.MS_BIND, "")
	}
	for _, p := range st.dirs {
		s.mount(under(p), "/empty", p, "", unix.MS_BIND, "")
	}
	for _, p := range st.readonly {
		s.mount(0, p, p, "", unix.MS_BIND|unix.MS_REC, "")
		s.mount(0, "", p, "", unix.MS_BIND|unix.MS_REMOUNT|readonly|nosuid|nodev|noexec, "")
	}
}

// secure gives up every right, the filter last. The bounding set is empty
// already: the thread that clones has dropped it.
func (st *stage) secure(s *script, b *birth) {
	name := b.spec.hostname()
	s.call(0, unix.SYS_SETHOSTNAME, name, len(name))
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
	if st.self > 0 {                                                             // a daemon that was killed before that call sends no signal
		s.call(wantZero, unix.SYS_PPOLL, &unix.PollFd{Fd: int32(st.self), Events: unix.POLLIN}, 1, &unix.Timespec{}, 0, 8)
	}
	s.call(0, unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	s.call(0, unix.SYS_CLOSE_RANGE, 3, int(^uint32(0)), 0) // now, not at execve: a folder or program named /proc/self/fd/N would lead to the host (CVE-2024-21626)
	s.call(0, unix.SYS_CHDIR, b.spec.dir())
	s.call(0, unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, new(uint64), 0, 8)
	f := filter()
	s.call(0, unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, &unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]})
}
