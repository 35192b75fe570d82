package launch

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A cpio is an archive in the form that a kernel unpacks as its first root
// (newc; kernel: driver-api/early-userspace/buffer-format). The zero value is
// empty.
type cpio struct {
	b    bytes.Buffer
	n    int
	have map[string]bool
}

// add adds a file, folder or link under name, whose folders are added before it.
func (c *cpio) add(name string, mode fs.FileMode, data []byte) {
	name = strings.TrimPrefix(path.Clean(name), "/")
	if name == "." || c.have[name] {
		return
	}
	c.add(path.Dir(name), fs.ModeDir|0o755, nil)
	if c.have == nil {
		c.have = map[string]bool{}
	}
	c.have[name] = true
	c.entry(name, mode, data)
}

func (c *cpio) entry(name string, mode fs.FileMode, data []byte) {
	kind := map[fs.FileMode]int{0: 0o100000, fs.ModeDir: 0o040000, fs.ModeSymlink: 0o120000}[mode.Type()]
	c.n++
	// magic, inode, mode, uid, gid, links, mtime, size, 4 device numbers, length of name, checksum
	fmt.Fprintf(&c.b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", c.n, kind|int(mode.Perm()), 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
	c.b.WriteString(name + "\x00")
	c.pad()
	c.b.Write(data)
	c.pad()
}

func (c *cpio) pad() {
	for c.b.Len()%4 != 0 {
		c.b.WriteByte(0)
	}
}

// bytes ends the archive and returns it.
func (c *cpio) bytes() []byte {
	c.entry("TRAILER!!!", 0, nil)
	return c.b.Bytes()
}

// addFile adds a file of this machine.
func (c *cpio) addFile(name, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	c.add(name, 0o755, data)
	return nil
}

// addProgram adds a program of this machine under root, with its dynamic linker
// and libraries at the places where it looks for them.
func (c *cpio) addProgram(root, program string) error {
	f, err := elf.Open(program)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := c.addFile(path.Join(root, program), program); err != nil {
		return err
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			text, err := io.ReadAll(p.Open())
			if err != nil {
				return err
			}
			linker := strings.TrimRight(string(text), "\x00")
			if err := c.addFile(path.Join(root, linker), linker); err != nil {
				return err
			}
		}
	}
	libs, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	for _, lib := range libs {
		at := slices.IndexFunc(libraryDirs, func(dir string) bool { _, err := os.Stat(filepath.Join(dir, lib)); return err == nil })
		if at < 0 {
			return fmt.Errorf("%s wants %s: not found", program, lib)
		}
		if err := c.addProgram(root, filepath.Join(libraryDirs[at], lib)); err != nil {
			return err
		}
	}
	return nil
}

var libraryDirs = []string{"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"}

func TestCpio(t *testing.T) {
	var c cpio
	c.add("/a/b", 0o644, []byte("xyz"))
	c.add("a/l", fs.ModeSymlink|0o777, []byte("b"))
	c.add("a/b", 0o644, nil) // once
	const field = "00000000"
	head := func(ino, mode, size, name string) string {
		return "070701" + ino + mode + field + field + "00000001" + field + size + field + field + field + field + name + field
	}
	want := head("00000001", "000041ed", field, "00000002") + "a\x00" +
		head("00000002", "000081a4", "00000003", "00000004") + "a/b\x00\x00\x00xyz\x00" +
		head("00000003", "0000a1ff", "00000001", "00000004") + "a/l\x00\x00\x00b\x00\x00\x00" +
		head("00000004", "00008000", field, "0000000b") + "TRAILER!!!\x00\x00\x00\x00"
	if got := string(c.bytes()); got != want {
		t.Errorf("\n%q, want\n%q", got, want)
	}
}
