package launch

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// The daemon of every launcher but the plain process's is the first process of a pid
// namespace of its own. So the kernel ends all that it has started as it ends, however
// that happens and whatever a program has done about it: no signal that a program
// could take back, no list that could miss one. Only a task that a version 1 freezer
// holds waits to be thawed, by the client (Sandbox.let) or by Clean.
//
// Turned down: a tiny reaper above the daemon, which is one process more to be killed
// and spares nothing; a pid namespace for ordinary users alone: a clone with all its
// namespaces takes 90 us at best in one as without, in eight interleaved rounds of 600.
//
// So a pid means another process here than to the client. What is told of one goes
// as the credentials of a message, which the kernel translates (unix(7)).

// ownProc mounts a /proc of the daemon's own pid namespace over the host's, in its own
// mount namespace.
func ownProc() error {
	if err := unix.Mount("proc", "/proc", "proc", nosuid|nodev|noexec, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}

// sendPID sends an answer to a launch whose last field is the pid of a child, or 0 if
// it has ended and the pid may be another's.
func (d *daemon) sendPID(e encoder, pid int, fds ...int) error {
	last := e
	last.int(int64(pid))
	if d.runtime.kind == process { // which counts as the client does
		return sendPacket(launchFD, last.b, fds...)
	}
	creds := unix.UnixCredentials(&unix.Ucred{Pid: int32(pid), Uid: uint32(os.Geteuid()), Gid: uint32(os.Getegid())})
	err := sendMessage(launchFD, last.b, append(unix.UnixRights(fds...), creds...))
	if errors.Is(err, unix.ESRCH) {
		e.int(0)
		err = sendPacket(launchFD, e.b, fds...)
	}
	return err
}

// hearPIDs has a socket receive the credentials of whoever sends.
func hearPIDs(c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var err2 error
	err = raw.Control(func(fd uintptr) { err2 = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) })
	return errors.Join(err, os.NewSyscallError("setsockopt SO_PASSCRED", err2))
}

// namedPID is the pid in the credentials of a message; 0 without.
func namedPID(oob []byte) int {
	list, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return 0
	}
	for _, m := range list {
		if c, err := unix.ParseUnixCredentials(&m); err == nil {
			return int(c.Pid)
		}
	}
	return 0
}
