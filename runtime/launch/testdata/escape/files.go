package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func readFile(args []string) error {
	text, err := os.ReadFile(args[0])
	if err == nil && !strings.HasPrefix(string(text), marker) {
		err = fmt.Errorf("%s is another file", args[0])
	}
	return err
}

// readBytes reaches a file that yields a byte.
func readBytes(args []string) error {
	fd, err := unix.Open(args[0], unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, make([]byte, 64))
	if err == nil && n == 0 {
		err = errors.New("empty")
	}
	return err
}

// openForWriting writes nothing: to have been let in is enough.
func openForWriting(args []string) error {
	fd, err := unix.Open(args[0], unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func appendTo(args []string) error {
	f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("x")
	return errors.Join(err, f.Close())
}

// changeMode gives a file the mode that it has.
func changeMode(args []string) error {
	fi, err := os.Stat(args[0])
	if err != nil {
		return err
	}
	return unix.Chmod(args[0], uint32(fi.Mode().Perm()))
}

func createFile(args []string) error {
	f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err == nil {
		f.Close()
		os.Remove(args[0])
	}
	return err
}

var up = strings.Repeat("../", 32)

// climb goes up from where the program stands, through every way there is to name that.
func climb(args []string) error {
	var errs []error
	for _, from := range []string{"", "/", "/proc/self/cwd/", "/proc/self/root/", "/proc/1/root/", "/proc/1/cwd/", "/proc/thread-self/cwd/"} {
		err := readFile([]string{from + up + args[0]})
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// everyRoot reads a host's file through each root, folder and descriptor that
// /proc tells of.
func everyRoot(args []string) error {
	ways, _ := filepath.Glob("/proc/[0-9]*/root")
	for _, pattern := range []string{"/proc/[0-9]*/cwd", "/proc/[0-9]*/fd/*", "/proc/[0-9]*/task/*/fd/*"} {
		more, _ := filepath.Glob(pattern)
		for _, m := range more {
			ways = append(ways, m+"/"+up)
		}
	}
	if len(ways) == 0 {
		return errors.New("/proc tells of nothing")
	}
	var errs []error
	for _, w := range ways {
		if err := readFile([]string{w + "/" + args[0]}); err == nil {
			return nil
		} else if len(errs) < 3 {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// byHandle opens a file by the handle of its inode, which needs no path: type,
// handle in hex, and a folder on what is hoped to be its filesystem.
func byHandle(args []string) error {
	kind, err := strconv.Atoi(args[0])
	b, err2 := hex.DecodeString(args[1])
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	dir, err := unix.Open(args[2], unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	fd, err := unix.OpenByHandleAt(dir, unix.NewFileHandle(int32(kind), b), unix.O_RDONLY)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// descriptors looks for one beyond the standard streams, and for a standard
// stream that is more than a pipe or /dev/null.
func descriptors([]string) error {
	for n := range 1024 {
		to, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(n))
		switch {
		case err != nil, strings.HasPrefix(to, "anon_inode:"): // the Go runtime's own
		case n < 3 && (to == "/dev/null" || strings.HasPrefix(to, "pipe:")):
		default:
			return nil
		}
	}
	return errors.New("only standard streams")
}

// writables looks for a file below a folder of the kernel's that opens for
// writing and isn't the process's own.
func writables(args []string) error {
	err := errors.New("nothing opens for writing")
	filepath.WalkDir(args[0], func(path string, d fs.DirEntry, werr error) error {
		if werr != nil || err == nil {
			return fs.SkipDir
		}
		name := strings.TrimPrefix(path, "/proc/")
		if d.IsDir() {
			if _, notPid := strconv.Atoi(name); notPid == nil || slices.Contains(args[1:], path) {
				return fs.SkipDir
			}
			return nil
		}
		if d.Type().IsRegular() && !slices.Contains(args[1:], path) {
			if fi, serr := os.Stat(path); serr == nil && fi.Mode()&fs.ModeType == 0 && openForWriting([]string{path}) == nil {
				fmt.Fprintln(os.Stderr, path)
				err = nil
			}
		}
		return nil
	})
	return err
}
