package main

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"os"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ipcKey is the number of a name for System V's mechanisms.
func ipcKey(name string) int {
	h := fnv.New32()
	h.Write([]byte(name))
	return int(h.Sum32() >> 1)
}

func syscall3(nr, a, b, c uintptr) (int, error) {
	r, _, e := unix.Syscall(nr, a, b, c)
	if e != 0 {
		return -1, e
	}
	return int(r), nil
}

func holdFiles(name string) (func(), error) {
	var errs []error
	paths := []string{"/tmp/" + name, "/dev/shm/" + name}
	for _, p := range paths {
		errs = append(errs, os.WriteFile(p, []byte(marker), 0o666))
	}
	return func() {
		for _, p := range paths {
			os.Remove(p)
		}
	}, errors.Join(errs...)
}

func holdShm(name string) (func(), error) {
	id, err := unix.SysvShmGet(ipcKey(name), 4096, unix.IPC_CREAT|0o666)
	if err != nil {
		return nil, fmt.Errorf("shmget: %w", err)
	}
	if mem, err := unix.SysvShmAttach(id, 0, 0); err == nil {
		copy(mem, marker)
		unix.SysvShmDetach(mem)
	}
	return func() { unix.SysvShmCtl(id, unix.IPC_RMID, nil) }, nil
}

func sharedMemory(args []string) error {
	id, err := unix.SysvShmGet(ipcKey(args[0]), 0, 0)
	if err != nil {
		return err
	}
	mem, err := unix.SysvShmAttach(id, 0, unix.SHM_RDONLY)
	if err == nil && !strings.HasPrefix(string(mem), marker) {
		err = errors.New("other bytes")
	}
	return err
}

func holdSem(name string) (func(), error) {
	id, err := syscall3(unix.SYS_SEMGET, uintptr(ipcKey(name)), 1, unix.IPC_CREAT|0o666)
	return func() { syscall3(unix.SYS_SEMCTL, uintptr(id), 0, unix.IPC_RMID) }, err
}

func semaphores(args []string) error {
	_, err := syscall3(unix.SYS_SEMGET, uintptr(ipcKey(args[0])), 1, 0)
	return err
}

func holdMsg(name string) (func(), error) {
	id, err := syscall3(unix.SYS_MSGGET, uintptr(ipcKey(name)), unix.IPC_CREAT|0o666, 0)
	return func() { syscall3(unix.SYS_MSGCTL, uintptr(id), unix.IPC_RMID, 0) }, err
}

func messages(args []string) error {
	_, err := syscall3(unix.SYS_MSGGET, uintptr(ipcKey(args[0])), 0, 0)
	return err
}

func openQueue(name string, flags int) (int, error) {
	p, err := unix.BytePtrFromString(name)
	if err != nil {
		return -1, err
	}
	// As small as can be: a user's queues are bounded in bytes, those that a killed test
	// left included (mq_overview(7)).
	attr := struct{ flags, maxMessages, messageSize, messages, _, _, _, _ int }{maxMessages: 1, messageSize: 1}
	fd, _, e := unix.Syscall6(unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(p)), uintptr(flags), 0o666, uintptr(unsafe.Pointer(&attr)), 0, 0)
	if e != 0 {
		return -1, e
	}
	return int(fd), nil
}

func holdQueue(name string) (func(), error) {
	_, err := openQueue(name, unix.O_CREAT|unix.O_RDWR)
	p, _ := unix.BytePtrFromString(name)
	return func() { unix.Syscall(unix.SYS_MQ_UNLINK, uintptr(unsafe.Pointer(p)), 0, 0) }, err
}

func queue(args []string) error {
	fd, err := openQueue(args[0], unix.O_RDONLY)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// holdKey puts a key into its user's keyring, where it can.
func holdKey(name string) (func(), error) {
	id, err := unix.AddKey("user", name, []byte(marker), unix.KEY_SPEC_USER_KEYRING)
	return func() { unix.KeyctlInt(unix.KEYCTL_UNLINK, id, unix.KEY_SPEC_USER_KEYRING, 0, 0) }, ignorePerm(err)
}

// ignorePerm: inside a sandbox there are no keys.
func ignorePerm(err error) error {
	if errors.Is(err, unix.EPERM) {
		return nil
	}
	return err
}

func key(args []string) error {
	_, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", args[0], 0)
	return err
}

// holdSockets greets whoever connects: to an abstract socket, one in /tmp, and
// the port on every address.
func holdSockets(name, port string) (string, error) {
	os.Remove("/tmp/" + name + ".sock")
	tcp, err := net.Listen("tcp", ":"+port)
	abstract, err2 := net.Listen("unix", "@"+name)
	path, err3 := net.Listen("unix", "/tmp/"+name+".sock")
	if err := errors.Join(err, err2, err3); err != nil {
		return "0", err
	}
	os.Chmod("/tmp/"+name+".sock", 0o777)
	for _, l := range []net.Listener{tcp, abstract, path} {
		go func() {
			for {
				if c, err := l.Accept(); err == nil {
					io.WriteString(c, marker)
					c.Close()
				}
			}
		}()
	}
	_, port, err = net.SplitHostPort(tcp.Addr().String())
	return port, err
}

// dial reaches who greets with the marker.
func dial(network string) func([]string) error {
	return func(args []string) error {
		c, err := net.DialTimeout(network, args[0], 5*time.Second)
		if err != nil {
			return err
		}
		defer c.Close()
		text, err := io.ReadAll(c)
		if err == nil && string(text) != marker {
			err = errors.New("another answers")
		}
		return err
	}
}

func socket(args []string) error {
	kinds := map[string][3]int{
		"raw": {unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP}, "packet": {unix.AF_PACKET, unix.SOCK_RAW, 0},
		"alg": {unix.AF_ALG, unix.SOCK_SEQPACKET, 0}, "vsock": {unix.AF_VSOCK, unix.SOCK_STREAM, 0},
		"ax25": {unix.AF_AX25, unix.SOCK_DGRAM, 0}, "key": {unix.AF_KEY, unix.SOCK_RAW, 2}, "xdp": {unix.AF_XDP, unix.SOCK_RAW, 0},
	}
	k := kinds[args[0]]
	fd, err := unix.Socket(k[0], k[1], k[2])
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// linkUp sets loopback up, as it is: to be let is enough.
func linkUp([]string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}
