// Package launch starts, freezes, thaws, measures and stops sandboxes, with a
// stamp for every phase of a start.
//
// Start executes the running binary once more as a small daemon, the launcher's
// process, and a Launcher speaks with it over sockets. It is a process of its
// own because launches, and what ends after them, must not delay an engine or a load
// generator, and because a program of many threads can't enter a user namespace. When
// its client goes, however it goes, the daemon ends every sandbox, removes the cgroups
// that it made, and goes too; its mounts are in a namespace of its own and end with it.
//
// A daemon that is killed takes all that it started with it, containers of OCI runtimes
// too, since it is the first process of a pid namespace (pid.go); the cgroups are
// removed by its client, the next Start or Clean, which also thaw what a version 1
// freezer keeps from dying. The process launcher alone has no such namespace: its
// programs are found by a mark in their environment (mark.go). What stays: controllers
// handed down from a version 2 cgroup, which others may use by then; and of the process
// launcher, a program's descendant that left its session and emptied its environment.
//
// In the daemon a launch is data: scripts of about 60 system calls (script, compile),
// which a child that shares the daemon's memory runs in a loop of raw calls up to execve
// (child). The daemon goes on beside it: a cold start's network is made on another
// processor while its root is completed, by a thread that then sees it through to its
// program, and a child can wait with all but its rights (pooled) or all but execve
// (parked) done. It is born in the mount namespace of its image (room). A pooled
// sandbox's network is used again for its image (spare), and what is to be removed is
// while nothing is launched (sweep): the kernel does so in threads that it doesn't preempt.
// Turned down: the Go binary re-executed as the sandbox's init, which costs 1.4 ms a
// launch; a C helper, which needs a toolchain; vfork, which holds its parent's thread; os/exec
// with Cloneflags, which forks as soon as a user namespace is asked for (3.5 ms at
// 256 MB of heap) and can't mount.
//
// A sandbox has its own mount, pid, network, ipc, uts and cgroup namespaces,
// limited by cgroups (version 1, 2 or both, each controller where the host has
// it). As root it runs as UID and GID without a capability. An ordinary user's
// daemon lives in a user namespace, and uses the cgroups that were delegated to
// the user, each controller by itself; what is not is not limited, sandboxes
// without a freezer are frozen by signals, and Host says so and what to do. To
// hand controllers down from the version 2 cgroup that a run is alone in, its own
// processes are moved into a leaf of it, and back at the end (leaf.go). Turned
// down: to ask systemd for a scope by D-Bus, which not every host has; and to move
// a user's other programs, which are not ours to move.
//
// Always: no_new_privs, Docker's default system call filter less what needs a
// capability, /proc and /sys masked as runc masks them, a /dev of six nodes on a
// read-only mount that sandboxes share, no file but the standard streams open. As root
// a cgroup refuses other devices too (devices.go); an ordinary user's sandboxes are kept
// from them by two locks, not three: mknod needs a capability that nobody has, and no
// mount but /dev opens nodes. Not done: AppArmor and SELinux profiles, /sys/fs/cgroup
// inside, a session keyring (the filter refuses every call on keys).
//
// Its network is loopback alone. The socket on which the Runtime API is to
// listen is made inside by the daemon and comes to the client as a descriptor
// (Sandbox.Listener), so nothing else is reachable and no address can collide. A
// server inside is reached in the same way (Sandbox.DialContext).
//
// Config.Runtime puts another launcher in the place of this one, in the same
// process and behind the same client: a plain process of the host, or an OCI
// runtime (runc, crun, runsc), which gets what the script does as a bundle. One
// conformance suite holds all of them to the same rules. Turned down: a client of
// its own for each, which would leave the pools, cgroups, exits and cleaning to be
// written again; create and start in two steps, which cost a command more and
// tell as little of what happens between. Not done: a runtime whose guest needs a
// network device (kata).
//
// Children are waited for and killed by pid, by one goroutine under one lock,
// rather than by pidfd: a thousand sandboxes then cost the daemon no descriptor,
// and every clone copies the daemon's table of them.
package launch
