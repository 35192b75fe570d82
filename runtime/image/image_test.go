package image

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// elfFile is the smallest ELF header that inspect takes; interp adds the
// section that makes a program dynamic.
func elfFile(machine elf.Machine, interp bool) []byte {
	var b bytes.Buffer
	n := uint16(0)
	if interp {
		n = 1
	}
	binary.Write(&b, binary.LittleEndian, elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1,
		Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: n,
	})
	if interp {
		const name = "/lib64/ld.so\x00"
		binary.Write(&b, binary.LittleEndian, elf.Prog64{Type: uint32(elf.PT_INTERP), Off: 120, Filesz: uint64(len(name))})
		b.WriteString(name)
	}
	return b.Bytes()
}

func here() elf.Machine { return machines[runtime.GOARCH] }

func other() elf.Machine {
	if here() == elf.EM_AARCH64 {
		return elf.EM_X86_64
	}
	return elf.EM_AARCH64
}

// file is one file of a function to make.
type file struct {
	name string
	mode fs.FileMode
	data string
}

func makeDir(t testing.TB, files []file) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		p := filepath.Join(dir, f.name)
		os.MkdirAll(filepath.Dir(p), 0o700)
		var err error
		if f.mode&fs.ModeSymlink != 0 {
			err = os.Symlink(f.data, p)
		} else if err = os.WriteFile(p, []byte(f.data), 0o600); err == nil {
			err = os.Chmod(p, f.mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	os.Chmod(dir, 0o700)
	return dir
}

func makeZip(t testing.TB, windows bool, files []file) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.bin") // the name says nothing
	if err := os.WriteFile(path, zipBytes(t, windows, files), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func zipBytes(t testing.TB, windows bool, files []file) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		if !windows {
			h.SetMode(f.mode)
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(f.data))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func good() []file {
	return []file{
		{"bootstrap", 0o700, string(elfFile(here(), false))},
		{"lib/data.txt", 0o600, "hello"},
		{"lib/tool", 0o750, "tool"},
		{"link", fs.ModeSymlink | 0o777, "lib/data.txt"},
	}
}

// TestOpen says that a directory and a zip of the same files are the same
// image, readable by anyone and writable by no one.
func TestOpen(t *testing.T) {
	store := t.TempDir()
	dir := makeDir(t, good())
	if err := os.Chtimes(filepath.Join(dir, "bootstrap"), times(), times()); err != nil {
		t.Fatal(err)
	}
	a, err := Open(dir, store)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(makeZip(t, false, good()), store)
	if err != nil {
		t.Fatal(err)
	}
	if a.Digest != b.Digest || a.Layers[0] != b.Layers[0] {
		t.Errorf("%s and %s", a.Digest, b.Digest)
	}
	if !a.Static || a.HostUsr || a.Reason != "" || a.Bytes != int64(64+5+4) || a.Argv[0] != "/var/task/bootstrap" || a.Dir != "/var/task" {
		t.Errorf("%+v", a)
	}
	for _, img := range []Image{a, b} { // the times are of whichever came first
		fi, err := os.Stat(filepath.Join(img.Layers[0], "var/task/bootstrap"))
		if src, err2 := os.Stat(filepath.Join(dir, "bootstrap")); err != nil || err2 != nil || fi.ModTime().Unix() != src.ModTime().Unix() {
			t.Errorf("%v, %v, %v", fi, err, err2)
		}
	}
	for name, want := range map[string]fs.FileMode{
		"": fs.ModeDir | 0o755, "var": fs.ModeDir | 0o755, "var/task": fs.ModeDir | 0o755, "var/task/lib": fs.ModeDir | 0o755,
		"var/task/bootstrap": 0o555, "var/task/lib/data.txt": 0o444, "var/task/lib/tool": 0o555,
	} {
		fi, err := os.Lstat(filepath.Join(a.Layers[0], name))
		if err != nil || fi.Mode() != want {
			t.Errorf("%q: %v, want %v (%v)", name, fi, want, err)
		}
	}
	if to, err := os.Readlink(filepath.Join(a.Layers[0], "var/task/link")); err != nil || to != "lib/data.txt" {
		t.Errorf("link to %q, %v", to, err)
	}
	if left, _ := filepath.Glob(filepath.Join(store, "unpack-*")); len(left) > 0 {
		t.Errorf("left in the store: %v", left)
	}
	changed := good()
	changed[1].data = "hellO"
	if c, err := Open(makeDir(t, changed), store); err != nil || c.Digest == a.Digest {
		t.Errorf("a changed file gave %s again (%v)", c.Digest, err)
	}
}

func TestPrograms(t *testing.T) {
	for _, c := range []struct {
		rule, data string
		static     bool
		reason     string
		err        error
	}{
		{"a static program needs nothing", string(elfFile(here(), false)), true, "", nil},
		{"a dynamic one needs the host's libraries", string(elfFile(here(), true)), false, "/lib64/ld.so", nil},
		{"so does a script", "#!/bin/sh -e\nexit 0\n", false, "/bin/sh -e", nil},
		{"another processor's is refused", string(elfFile(other(), false)), false, "", ErrArchitecture},
		{"text is refused", "echo hello\n", false, "", ErrFormat},
		{"nothing is refused", "", false, "", ErrFormat},
		{"a broken program is refused", "\x7fELF\x02\x01", false, "", ErrFormat},
	} {
		img, err := Open(makeDir(t, []file{{"bootstrap", 0o755, c.data}}), t.TempDir())
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		if c.err != nil {
			hinted(t, c.rule, err)
			continue
		}
		if img.Static != c.static || img.HostUsr == c.static || !strings.Contains(img.Reason, c.reason) {
			t.Errorf("%s: %+v", c.rule, img)
		}
	}
}

func hinted(t *testing.T, rule string, err error) {
	t.Helper()
	if h, ok := errors.AsType[*Hint](err); !ok || h.Hint == "" {
		t.Errorf("%s: no hint in %v", rule, err)
	}
}

func TestRefusals(t *testing.T) {
	boot := file{"bootstrap", 0o755, string(elfFile(here(), false))}
	for _, c := range []struct {
		rule string
		path string
		err  error
		says string
	}{
		{"a directory without bootstrap", makeDir(t, []file{{"notes.txt", 0o644, "x"}}), ErrNoBootstrap, "go build -o bootstrap"},
		{"bootstrap one folder down", makeDir(t, []file{{"f/bootstrap", 0o755, boot.data}}), ErrNoBootstrap, "at its top"},
		{"bootstrap that is a folder", makeDir(t, []file{{"bootstrap/x", 0o755, "x"}}), ErrNoBootstrap, ""},
		{"bootstrap that leads nowhere", makeDir(t, []file{{"bootstrap", fs.ModeSymlink, "x"}}), ErrNoBootstrap, ""},
		{"bootstrap that leads to itself", makeDir(t, []file{{"bootstrap", fs.ModeSymlink, "bootstrap"}}), ErrNoBootstrap, ""},
		{"bootstrap that isn't executable", makeDir(t, []file{{"bootstrap", 0o644, boot.data}}), ErrNotExecutable, "chmod +x bootstrap"},
		{"a zip without Unix modes", makeZip(t, true, []file{boot}), ErrNotExecutable, "Windows"},
		{"a zip that climbs out", makeZip(t, false, []file{boot, {"../x", 0o644, "x"}}), ErrUnsafe, "leaves"},
		{"a zip that climbs out in the middle", makeZip(t, false, []file{boot, {"a/../../x", 0o644, "x"}}), ErrUnsafe, "leaves"},
		{"a zip that climbs out the Windows way", makeZip(t, false, []file{boot, {`..\x`, 0o644, "x"}}), ErrUnsafe, "leaves"},
		{"a zip with absolute names", makeZip(t, false, []file{boot, {"/etc/passwd", 0o644, "x"}}), ErrUnsafe, "absolute"},
		{"a zip with a drive", makeZip(t, false, []file{boot, {`C:\x`, 0o644, "x"}}), ErrUnsafe, "absolute"},
		{"a zip with a link outside", makeZip(t, false, []file{boot, {"l", fs.ModeSymlink | 0o777, "/etc"}}), ErrUnsafe, "outside"},
		{"a zip with a link that climbs", makeZip(t, false, []file{boot, {"a/l", fs.ModeSymlink | 0o777, "../../etc"}}), ErrUnsafe, "outside"},
		{"a zip that writes through a link", makeZip(t, false, []file{boot, {"l", fs.ModeSymlink | 0o777, "x"}, {"l/y", 0o644, "y"}}), ErrUnsafe, "below"},
		{"a zip with a device", makeZip(t, false, []file{boot, {"null", fs.ModeDevice | fs.ModeCharDevice | 0o666, ""}}), ErrUnsafe, "not a file"},
		{"a zip with a pipe", makeZip(t, false, []file{boot, {"p", fs.ModeNamedPipe | 0o666, ""}}), ErrUnsafe, "not a file"},
		{"a zip with one name twice", makeZip(t, false, []file{boot, boot}), ErrUnsafe, "twice"},
		{"a link that climbs behind another link", makeZip(t, false, []file{boot, {"p/q/up", fs.ModeSymlink | 0o777, "../.."}, {"p/q/l", fs.ModeSymlink | 0o777, "up/../../etc"}}), ErrUnsafe, "outside"},
		{"a directory with a link outside", makeDir(t, []file{boot, {"l", fs.ModeSymlink, "/etc/passwd"}}), ErrUnsafe, "outside"},
		{"a bare program", makeDir(t, []file{boot}) + "/bootstrap", ErrKind, "directory of its own"},
		{"a tar in gzip", makeDir(t, []file{{"x", 0o644, "\x1f\x8b\x08"}}) + "/x", ErrKind, "gunzip"},
		{"a device", "/dev/null", ErrKind, "directory or zip"},
		{"a text file", makeDir(t, []file{{"x", 0o644, "hello"}}) + "/x", ErrKind, "directory or zip"},
		{"an OCI layout with nothing in it", makeDir(t, []file{{"oci-layout", 0o644, "{}"}}), fs.ErrNotExist, "index.json"},
		{"nothing", filepath.Join(t.TempDir(), "absent"), fs.ErrNotExist, "registry.example/team/fn:tag"},
	} {
		store := t.TempDir()
		_, err := Open(c.path, store)
		if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.rule, err)
		}
		if left, _ := os.ReadDir(store); len(left) > 0 {
			t.Errorf("%s: left in the store: %v", c.rule, left)
		}
	}
}

// TestTooLarge says that a zip may not unpack to more than the limit, whatever
// its entries declare.
func TestTooLarge(t *testing.T) {
	boot := file{"bootstrap", 0o755, string(elfFile(here(), false))}
	big := strings.Repeat("\x00", 130<<20)
	path := makeZip(t, false, []file{boot, {"a", 0o644, big}, {"b", 0o644, big}})
	if _, err := Open(path, t.TempDir()); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v", err)
	}
	dir := makeDir(t, []file{boot})
	f, err := os.Create(filepath.Join(dir, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	f.Truncate(MaxBytes + 1)
	f.Close()
	if _, err := Open(dir, t.TempDir()); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v", err)
	}
}

// TestConcurrentOpens says that several may unpack the same function at once.
func TestConcurrentOpens(t *testing.T) {
	dir, store := makeDir(t, good()), t.TempDir()
	errs := make(chan error)
	for range 8 {
		go func() {
			img, err := Open(dir, store)
			if err == nil {
				_, err = os.Stat(filepath.Join(img.Layers[0], "var/task/link"))
			}
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestInside(t *testing.T) {
	for _, c := range []struct {
		rule, name, target string
		want               bool
	}{
		{"beside", "l", "x", true},
		{"below", "a/l", "b/c", true},
		{"up and down again", "a/b/l", "../../c", true},
		{"to the top", "a/l", "..", true},
		{"above the top", "a/l", "../..", false},
		{"above the top and back", "l", "../task/x", false},
		{"up behind a name, which may be a link", "a/b/l", "c/../d", false},
		{"dots and double slashes are nothing", "a/l", "./..//x", true},
		{"absolute", "l", "/var/task/x", false},
		{"empty", "l", "", false},
		{"NUL", "l", "a\x00b", false},
	} {
		if got := inside(c.name, c.target); got != c.want {
			t.Errorf("%s: %s -> %q: %v", c.rule, c.name, c.target, got)
		}
	}
}

func FuzzZip(f *testing.F) {
	f.Add(zipBytes(f, false, good()))
	f.Add(zipBytes(f, true, good()))
	f.Add(zipBytes(f, false, []file{{"../x", 0o644, "x"}, {"a/l", fs.ModeSymlink, "../.."}}))
	f.Add(zipBytes(f, false, []file{good()[0], {"p/up", fs.ModeSymlink | 0o777, ".."}, {"p/l", fs.ModeSymlink | 0o777, "up/../.."}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		box := t.TempDir()
		path, store := filepath.Join(box, "in", "f.zip"), filepath.Join(box, "a", "b", "store")
		os.Mkdir(filepath.Join(box, "in"), 0o755)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		img, err := Open(path, store)
		if err == nil && (len(img.Layers) != 1 || filepath.Dir(img.Layers[0]) != store) {
			t.Errorf("%+v", img)
		}
		filepath.WalkDir(box, func(p string, d fs.DirEntry, err error) error {
			rel, _ := filepath.Rel(box, p)
			switch {
			case err != nil:
				t.Error(err)
			case strings.HasPrefix(rel, "a/b/store/sha256-"):
				if d.Type()&^(fs.ModeDir|fs.ModeSymlink) != 0 {
					t.Errorf("%s is a %v", rel, d.Type())
				}
				if to, err := filepath.EvalSymlinks(p); err == nil && !strings.HasPrefix(to, filepath.Join(box, "a/b/store/sha256-")) {
					t.Errorf("%s leads to %s", rel, to)
				}
			case rel != "." && rel != "in" && rel != "in/f.zip" && rel != "a" && rel != "a/b" && rel != "a/b/store":
				t.Errorf("%s was written", rel)
			}
			return nil
		})
	})
}
