package launch

// An attempt is one way out of a sandbox, or into another. testdata/escape makes
// it inside, where it must be refused, and its control makes the same outside,
// where it must reach its aim: an attempt that fails everywhere proves nothing.
//
// Words with a dollar stand for what there is to aim at: $HOST a folder of the
// host's with a marker in it, $TASK the image's folder, $SCRATCH one to write in
// (both of them as seen by who makes the attempt), $PID and $ADDR a process of the
// host's of the sandbox's own user and a marker in its memory, $NAME what it and a
// neighbouring sandbox call what they hold, $PORT where both listen, $IP an
// address of the host, $DAEMON the launcher's process, $HANDLE a file without a path.
type attempt struct {
	what    string // as the end of "a sandbox can't"
	try     string
	control control
	refusal string // part of what the refusal says, where there is no control
}

// control says who reaches the aim outside.
type control int

const (
	sameUser   control = iota // the user that the sandbox runs as
	asRoot                    // root
	onTerminal                // root, on a terminal
	nobody                    // it would do harm, or not every host has what it takes
)

var hostFiles = []attempt{
	{"read a host's file by its path", "read $HOST/marker", sameUser, ""},
	{"climb to it", "climb $HOST/marker", sameUser, ""},
	{"read it through a root, a folder or a descriptor in /proc", "everyroot $HOST/marker", sameUser, ""},
	{"read it through the root of init", "read /proc/1/root/$HOST/marker", nobody, "no such file"},
	{"read it through the folder of a host's process", "read /proc/$PID/cwd/marker", sameUser, ""},
	{"read it through the root of the launcher", "read /proc/$DAEMON/root/$HOST/marker", asRoot, ""},
	{"follow a link in the image to it", "read $TASK/link", sameUser, ""},
	{"follow a link in the image that climbs to it", "read $TASK/climbing", sameUser, ""},
	{"follow a link in the image to its folder", "read $TASK/folder/marker", sameUser, ""},
	{"open it by a handle", "handle $HANDLE $TASK", asRoot, ""},
	{"write one", "append $HOST/open", sameUser, ""},
	{"make one", "create $HOST/new", sameUser, ""},
	{"find a descriptor that was left open", "fds", sameUser, ""}, // every control has one
}

var hostProcesses = []attempt{
	{"see another's process", "others", sameUser, ""},
	{"signal one", "kill $PID", sameUser, ""},
	{"signal all", "killall", nobody, "see who is alive"},
	{"trace one", "ptrace $PID", sameUser, ""},
	{"read its memory", "vmread $PID $ADDR", sameUser, ""},
	{"hold on to it", "pidfd $PID", sameUser, ""},
	{"see its limits", "prlimit $PID", sameUser, ""},
	{"see its priority", "priority $PID", sameUser, ""},
	{"signal the launcher", "kill $DAEMON", asRoot, ""},
	{"trace the launcher", "ptrace $DAEMON", asRoot, ""},
}

// neighbours are attempts at what the host and another sandbox both hold.
var neighbours = []attempt{
	{"read another's file in /tmp", "read /tmp/$NAME", sameUser, ""},
	{"read another's shared file", "read /dev/shm/$NAME", sameUser, ""},
	{"attach another's shared memory", "shm $NAME", sameUser, ""},
	{"have another's semaphores", "sem $NAME", sameUser, ""},
	{"have another's messages", "msg $NAME", sameUser, ""},
	{"have another's message queue", "mq $NAME", sameUser, ""},
	{"have its user's keys", "key $NAME", sameUser, ""},
	{"connect to another's port on loopback", "tcp 127.0.0.1:$PORT", sameUser, ""},
	{"connect to another's port by IPv6", "tcp [::1]:$PORT", sameUser, ""},
	{"connect to an address of the host", "tcp $IP:$PORT", sameUser, ""},
	{"connect to a socket of another's in /tmp", "unix /tmp/$NAME.sock", sameUser, ""},
	{"connect to an abstract socket of another's", "unix @$NAME", sameUser, ""},
}

var networks = []attempt{
	{"open a raw socket", "socket raw", asRoot, ""},
	{"open a packet socket", "socket packet", asRoot, ""},
	{"open an IPsec socket", "socket key", asRoot, ""},
	{"open an express data path", "socket xdp", asRoot, ""},
	{"use the kernel's ciphers", "socket alg", asRoot, ""},
	{"talk to the hypervisor", "socket vsock", asRoot, ""},
	{"use amateur radio", "socket ax25", asRoot, ""},
	{"change an interface", "link", asRoot, ""},
	{"route for others", "openw /proc/sys/net/ipv4/ip_forward", asRoot, ""},
}

var mountsAndDevices = []attempt{
	{"mount", "mount $SCRATCH", asRoot, ""},
	{"bind", "bind / $SCRATCH", asRoot, ""},
	{"make its root writable", "remount /proc", asRoot, ""},
	{"unmount what masks", "umount /proc", asRoot, ""},
	{"leave by another root", "jailbreak $SCRATCH $HOST/marker", asRoot, ""},
	{"make a device", "mknod $SCRATCH/node 1 3", asRoot, ""},
	{"open a device that the image brings", "node $TASK/zero", sameUser, ""},
	{"open the host's disk that the image brings", "node $TASK/disk", asRoot, ""},
	{"find a device that does harm", "devices", sameUser, ""},
	{"read the kernel's log", "node /dev/kmsg", asRoot, ""},
	{"open the machine's memory", "node /dev/mem", nobody, "no such file"},
	{"open a disk", "node /dev/vda", nobody, "no such file"},
	{"open a loop device", "node /dev/loop-control", nobody, "no such file"},
	{"open FUSE", "node /dev/fuse", nobody, "no such file"},
	{"type into a terminal", "tty", onTerminal, ""},
}

var kernelFiles = []attempt{
	{"press a magic key", "openw /proc/sysrq-trigger", asRoot, ""},
	{"say what is run at a crash", "openw /proc/sys/kernel/core_pattern", asRoot, ""},
	{"say what loads modules", "openw /proc/sys/kernel/modprobe", asRoot, ""},
	{"have memory dropped", "openw /proc/sys/vm/drop_caches", asRoot, ""},
	{"write any file of the kernel's", "writables /proc /proc/pressure", asRoot, ""},
	{"write any file of a device's", "writables /sys", asRoot, ""},
	{"write into a cgroup", "writables /sys/fs", asRoot, ""},
	{"mount the cgroups", "call mount -1 -1 -1 -1 -1", asRoot, ""},
	{"read the kernel's memory", "bytes /proc/kcore", asRoot, ""},
	{"read its keys", "bytes /proc/keys", nobody, ""},
	{"read its timers", "bytes /proc/timer_list", asRoot, ""},
	{"read its log", "node /proc/kmsg", asRoot, ""},
	{"read its interrupts", "bytes /proc/interrupts", sameUser, ""},
	{"have itself spared when memory runs out", "oom -1000", nobody, "permission denied"}, // root may not either, without CAP_SYS_RESOURCE
	{"raise its limit on open files", "rlimit files", nobody, "operation not permitted"},
	{"raise its limit on dumps", "rlimit core", nobody, "operation not permitted"},
	{"gain rights from a program of root's", "exec $TASK/rooted whoami", sameUser, ""},
	{"gain rights from a program with capabilities", "exec $TASK/capable whoami", sameUser, ""},
	{"have any right", "whoami", asRoot, ""},
	{"set the clock", "clock", asRoot, ""},
}

var kernelCalls = callsOf(
	"keyctl 0 -3 0", "add_key", "request_key", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup 1", "io_uring_enter -1", "io_uring_register -1",
	"kexec_load 0 0 0 0xffff", "kexec_file_load -1 -1 0 0 0xffff", "init_module", "finit_module -1", "delete_module", "iopl 9", "ioperm -1 -1 -1",
	"swapon", "swapoff", "settimeofday 1", "clock_settime 0 1", "sethostname 0 -1", "setdomainname 0 -1", "syslog 10", "acct 1",
	"quotactl -1", "quotactl_fd -1 -1", "lookup_dcookie", "unshare 0x10000000", "unshare 0x00020000", "unshare 0x40000000", "unshare 0x04000000",
	"unshare 0x08000000", "unshare 0x20000000", "unshare 0x02000000", "unshare 0x00000080", "clone3", "setns -1", "personality 0x40000", "reboot",
	"mbind -1 -1 -1", "set_mempolicy -1 -1", "migrate_pages", "move_pages -1", "kcmp -1 -1", "process_madvise -1", "pidfd_getfd -1", "fanotify_init -1",
	"open_by_handle_at -1", "umount2 0 -1", "pivot_root", "chroot", "fsopen", "fspick", "fsmount -1", "fsconfig -1", "move_mount -1 0 -1 0 0xffff",
	"open_tree -1", "mount_setattr -1 0 -1", "x32 getpid",
)

func callsOf(list ...string) (all []attempt) {
	for _, c := range list {
		all = append(all, attempt{"call " + c, "call " + c, asRoot, ""})
	}
	for _, flag := range []string{"0x10000000", "0x00020000", "0x40000000", "0x04000000", "0x08000000", "0x20000000", "0x02000000"} {
		all = append(all, attempt{"make a process in a new namespace by " + flag, "clone " + flag, asRoot, ""})
	}
	return append(all, attempt{"make the calls of a 32-bit program", "ia32", sameUser, ""})
}
