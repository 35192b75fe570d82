package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// item is an entry of a layer to make. kind is the tar's.
type item struct {
	kind byte
	name string
	data string // of a file its contents, of a link its target
	mode int64
}

func dir(name string) item       { return item{tar.TypeDir, name, "", 0o755} }
func reg(name, data string) item { return item{tar.TypeReg, name, data, 0o644} }
func sym(name, to string) item   { return item{tar.TypeSymlink, name, to, 0o777} }
func hard(name, to string) item  { return item{tar.TypeLink, name, to, 0o644} }
func gone(name string) item {
	return reg(filepath.Join(filepath.Dir(name), ".wh."+filepath.Base(name)), "")
}
func opaque(name string) item       { return reg(name+"/.wh..wh..opq", "") }
func with(i item, mode int64) item  { i.mode = mode; return i }
func special(k byte, n string) item { return item{k, n, "", 0o666} }
func layerTar(items ...item) []byte { return tarOf(items, nil) }
func unlimited() tally              { return tally{Bytes: MaxImageBytes, Entries: MaxEntries} }
func times() time.Time              { return time.Unix(1_700_000_000, 0) }

// tarOf writes a tar, with records of extended attributes if wanted.
func tarOf(items []item, records map[string]string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, i := range items {
		h := &tar.Header{Typeflag: i.kind, Name: i.name, Mode: i.mode, ModTime: times(), PAXRecords: records}
		if records != nil {
			h.Format = tar.FormatPAX
		}
		if i.kind == tar.TypeReg {
			h.Size = int64(len(i.data))
		} else {
			h.Linkname = i.data
		}
		if err := w.WriteHeader(h); err != nil {
			panic(fmt.Sprint(i, ": ", err))
		}
		if i.kind == tar.TypeReg {
			w.Write([]byte(i.data))
		}
	}
	w.Close()
	return b.Bytes()
}

// tree lists what a folder holds: "name/" of a folder, "name=contents",
// "name>target", "name!" of a whiteout; a folder that is opaque ends with "/!".
func tree(t testing.TB, root string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, p)
		if err != nil || rel == "." {
			return err
		}
		switch d.Type() {
		case fs.ModeDir:
			rel += "/"
			if isOpaque(root, rel) {
				rel += "!"
			}
		case 0:
			data, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			rel += "=" + string(data)
		case fs.ModeSymlink:
			to, err := os.Readlink(p)
			if err != nil {
				return err
			}
			rel += ">" + to
		case fs.ModeDevice | fs.ModeCharDevice:
			rel += "!"
		default:
			rel += "?" + d.Type().String()
		}
		all = append(all, rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestUntar says what each kind of layer becomes, and that nothing is written
// outside whatever it is.
func TestUntar(t *testing.T) {
	for _, c := range []struct {
		rule string
		tar  []byte
		err  error
		want string // tree, separated by spaces
	}{
		{"files, folders and links", layerTar(dir("a/"), reg("a/f", "x"), sym("a/l", "f"), hard("a/h", "a/f")), nil, "a/ a/f=x a/h=x a/l>f"},
		{"the top may be named", layerTar(dir("./"), reg("./f", "x")), nil, "f=x"},
		{"folders that are only implied are made", layerTar(reg("a/b/f", "x")), nil, "a/ a/b/ a/b/f=x"},
		{"a leading slash is the image's top", layerTar(reg("/etc/passwd", "x")), nil, "etc/ etc/passwd=x"},
		{"several are, too", layerTar(reg("///f", "x")), nil, "f=x"},
		{"climbing out is refused", layerTar(reg("../f", "x")), ErrUnsafe, ""},
		{"and in the middle", layerTar(reg("a/../../f", "x")), ErrUnsafe, ""},
		{"and behind a slash", layerTar(reg("/../f", "x")), ErrUnsafe, ""},
		{"and of a folder", layerTar(dir("../d/")), ErrUnsafe, ""},
		{"and where it would come back", layerTar(dir("a/"), reg("a/../f", "x")), ErrUnsafe, ""},
		{"a backslash is a letter", layerTar(reg(`..\f`, "x")), nil, `..\f=x`},
		{"links may lead anywhere", layerTar(sym("l", "/etc/passwd"), sym("m", "../../x")), nil, "l>/etc/passwd m>../../x"},
		{"writing through one is refused", layerTar(sym("l", "../out"), reg("l/f", "x")), ErrUnsafe, ""},
		{"and through one inside", layerTar(dir("d/"), sym("l", "d"), reg("l/f", "x")), ErrUnsafe, ""},
		{"and through two", layerTar(dir("a/"), sym("a/up", ".."), sym("b", "a/up/.."), reg("b/f", "x")), ErrUnsafe, ""},
		{"and making a folder through one", layerTar(sym("l", "../out"), dir("l/d/")), ErrUnsafe, ""},
		{"a file replaces a link, and not what that leads to", layerTar(sym("l", "../out/secret"), reg("l", "x")), nil, "l=x"},
		{"a folder replaces a link, too", layerTar(sym("l", "../out"), dir("l/"), reg("l/f", "x")), nil, "l/ l/f=x"},
		{"a link replaces a file", layerTar(reg("f", "x"), sym("f", "y")), nil, "f>y"},
		{"nothing but an empty place replaces a folder", layerTar(dir("d/"), sym("d", "../out"), reg("d/f", "x")), ErrUnsafe, ""},
		{"a file below a file is refused", layerTar(reg("f", "x"), reg("f/g", "x")), ErrUnsafe, ""},
		{"the last of a name counts", layerTar(reg("f", "old"), reg("f", "new")), nil, "f=new"},
		{"which doesn't change its other name", layerTar(reg("f", "old"), hard("h", "f"), reg("f", "new")), nil, "f=new h=old"},
		{"a hard link outside is refused", layerTar(hard("h", "../out/secret")), ErrUnsafe, ""},
		{"and by an absolute name", layerTar(hard("h", "/out/secret")), ErrUnsafe, ""},
		{"and through a link", layerTar(sym("l", "../out"), hard("h", "l/secret")), ErrUnsafe, ""},
		{"and to a folder", layerTar(dir("d/"), hard("h", "d")), ErrUnsafe, ""},
		{"and to what comes later", layerTar(hard("h", "f"), reg("f", "x")), ErrUnsafe, ""},
		{"a hard link to a link is that link", layerTar(sym("l", "../out/secret"), hard("h", "l")), nil, "h>../out/secret l>../out/secret"},
		{"a hard link to itself is nothing", layerTar(reg("f", "x"), hard("f", "f")), nil, "f=x"},
		{"devices and pipes are left out", layerTar(special(tar.TypeChar, "dev/null"), special(tar.TypeBlock, "sda"), special(tar.TypeFifo, "p"), reg("f", "x")), nil, "f=x"},
		{"a whiteout hides", layerTar(dir("a/"), gone("a/f")), nil, "a/ a/f!"},
		{"one at the top does, too", layerTar(gone("f")), nil, "f!"},
		{"an opaque folder hides what is below it", layerTar(dir("a/"), reg("a/f", "x"), opaque("a")), nil, "a/! a/f=x"},
		{"wherever its mark stands", layerTar(opaque("a"), dir("a/"), reg("a/f", "x")), nil, "a/! a/f=x"},
		{"a whiteout hides nothing of its layer", layerTar(reg("f", "x"), gone("f")), nil, "f=x"},
		{"nor one that comes first", layerTar(gone("f"), reg("f", "x")), nil, "f=x"},
		{"a folder that was removed and made again is opaque", layerTar(gone("d"), dir("d/"), reg("d/f", "x")), nil, "d/! d/f=x"},
		{"a whiteout in an opaque folder is not needed", layerTar(opaque("a"), gone("a/f")), nil, "a/!"},
		{"a whiteout outside is refused", layerTar(gone("../f")), ErrUnsafe, ""},
		{"and through a link", layerTar(sym("l", "../out"), gone("l/secret")), ErrUnsafe, ""},
		{"and an opaque mark through a link", layerTar(sym("l", "../out"), opaque("l")), ErrUnsafe, ""},
		{"a whiteout of nothing is refused", layerTar(reg(".wh.", "")), ErrUnsafe, ""},
		{"and of the folder itself", layerTar(reg("a/.wh..", "")), ErrUnsafe, ""},
		{"and of the one above", layerTar(reg("a/.wh...", "")), ErrUnsafe, ""},
		{"a name below a whiteout is refused", layerTar(reg(".wh.a/f", "x")), ErrUnsafe, ""},
		{"aufs's own files are nothing", layerTar(reg(".wh..wh.aufs", ""), special(tar.TypeFifo, ".wh..wh.orph")), nil, ""},
		{"a mount point that was removed is an empty folder", layerTar(gone("tmp")), nil, "tmp/!"},
		{"long names are refused", layerTar(reg(strings.Repeat("x", 256), "x")), ErrUnsafe, ""},
		{"long paths are refused", layerTar(reg(strings.Repeat("x/", 2100)+"f", "x")), ErrUnsafe, ""},
		{"an empty link is refused", layerTar(sym("l", "")), ErrUnsafe, ""},
		{"the top is a folder", layerTar(sym("./", "../out")), ErrUnsafe, ""},
		{"unknown kinds are refused", layerTar(item{'Z', "f", "", 0o644}), ErrUnsafe, ""},
		{"attributes are dropped", tarOf([]item{dir("a/"), reg("a/f", "x")}, map[string]string{"SCHILY.xattr.user.overlay.opaque": "y", "SCHILY.xattr.security.capability": "x"}), nil, "a/ a/f=x"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			box := t.TempDir()
			out := filepath.Join(box, "out")
			os.Mkdir(out, 0o755)
			os.WriteFile(filepath.Join(out, "secret"), []byte("secret"), 0o644)
			in := filepath.Join(box, "in")
			os.Mkdir(in, 0o755)
			_, err := untarInto(in, bytes.NewReader(c.tar), unlimited())
			if !errors.Is(err, c.err) {
				t.Fatalf("%v", err)
			}
			if got := strings.Join(tree(t, out), " "); got != "secret=secret" {
				t.Errorf("outside there is %s", got)
			}
			if got := strings.Join(tree(t, in), " "); c.err == nil && got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestAttributes says what is kept of a mode and a time.
func TestAttributes(t *testing.T) {
	in := t.TempDir()
	_, err := untarInto(in, bytes.NewReader(layerTar(
		with(dir("tmp/"), 0o1777), with(dir("closed/"), 0o500), with(reg("closed/f", "x"), 0o4755), with(reg("secret", "x"), 0o600), with(dir("g/"), 0o2755),
	)), unlimited())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{
		".": fs.ModeDir | 0o755, "tmp": fs.ModeDir | fs.ModeSticky | 0o777, "closed": fs.ModeDir | 0o500,
		"closed/f": 0o755, "secret": 0o600, "g": fs.ModeDir | 0o755,
	} {
		fi, err := os.Lstat(filepath.Join(in, name))
		if err != nil || fi.Mode() != want {
			t.Errorf("%s: %v, want %v (%v)", name, fi.Mode(), want, err)
		}
		if name != "." && !fi.ModTime().Equal(times()) {
			t.Errorf("%s is of %v", name, fi.ModTime())
		}
	}
	if err := RemoveTree(filepath.Join(in, "closed")); err != nil {
		t.Errorf("a folder that nobody may write to: %v", err)
	}
}

// TestBounds says that neither what a tar announces nor what it holds goes
// beyond its room.
func TestBounds(t *testing.T) {
	sparse := sparseTar(1 << 40)
	for _, c := range []struct {
		rule string
		tar  []byte
		room tally
		err  error
	}{
		{"as many bytes as there is room for", layerTar(reg("a", "12"), reg("b", "34")), tally{Bytes: 4, Entries: 2}, nil},
		{"and one more", layerTar(reg("a", "12"), reg("b", "345")), tally{Bytes: 4, Entries: 2}, ErrTooLarge},
		{"as many entries", layerTar(dir("a/"), gone("b")), tally{Entries: 2}, nil},
		{"and one more, only implied", layerTar(dir("a/"), reg("b/c", "")), tally{Entries: 2}, ErrTooLarge},
		{"a sparse file of a terabyte", sparse, tally{Bytes: 1 << 20, Entries: 10}, ErrTooLarge},
	} {
		if _, err := untarInto(t.TempDir(), bytes.NewReader(c.tar), c.room); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
}

// sparseTar is a tar of a file that is one hole.
func sparseTar(size int64) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	body := "1\n" + strconv.FormatInt(size, 10) + "\n0\n"
	body += strings.Repeat("\x00", 512-len(body))
	h := &tar.Header{Typeflag: tar.TypeReg, Name: "GNUSparseFile.0/hole", Mode: 0o644, Size: int64(len(body)), Format: tar.FormatPAX}
	head := sparseRecords(size)
	if err := w.WriteHeader(h); err != nil {
		panic(err)
	}
	w.Write([]byte(body))
	w.Close()
	return append(head, b.Bytes()...)
}

// sparseRecords is an extended header, which package tar doesn't write for
// sparse files.
func sparseRecords(size int64) []byte {
	var body string
	for _, kv := range []string{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=hole", "GNU.sparse.realsize=" + strconv.FormatInt(size, 10)} {
		n := len(kv) + 2
		n += len(strconv.Itoa(n + len(strconv.Itoa(n))))
		body += fmt.Sprintf("%d %s\n", n, kv)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "x", Size: int64(len(body)), Format: tar.FormatUSTAR})
	w.Write([]byte(body))
	w.Flush()
	raw := b.Bytes()
	raw[156] = tar.TypeXHeader
	sum := int('x') - int('0')
	old, _ := strconv.ParseInt(strings.Trim(string(raw[148:156]), " \x00"), 8, 64)
	copy(raw[148:156], fmt.Sprintf("%06o\x00 ", int(old)+sum))
	return raw
}

// FuzzUntar says that no layer writes outside its folder, makes a device that is
// no whiteout, or takes more room than it was given.
func FuzzUntar(f *testing.F) {
	f.Add(layerTar(dir("a/"), reg("a/f", "x"), sym("a/l", "../../out"), hard("a/h", "a/f"), gone("a/g"), opaque("b")))
	f.Add(layerTar(sym("l", "../out"), reg("l/f", "x")))
	f.Add(layerTar(reg("f", "x"), reg("f/g", "x"), special(tar.TypeChar, "dev/null")))
	f.Add(sparseTar(1 << 40))
	f.Add(tarOf([]item{reg("f", "x")}, map[string]string{"SCHILY.xattr.user.overlay.opaque": "y"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		box := t.TempDir()
		in, out := filepath.Join(box, "in"), filepath.Join(box, "out")
		os.Mkdir(in, 0o755)
		os.Mkdir(out, 0o755)
		room := tally{Bytes: 1 << 20, Entries: 1000}
		got, err := untarInto(in, bytes.NewReader(data), room)
		if err == nil && (got.Bytes > room.Bytes || got.Entries > room.Entries) {
			t.Errorf("%+v", got)
		}
		if err := removable(in); err != nil {
			t.Error(err)
		}
		for _, dir := range []string{box, out} {
			left, err := os.ReadDir(dir)
			if want := map[string]int{box: 2, out: 0}[dir]; err != nil || len(left) != want {
				t.Errorf("%s: %v, %v", dir, left, err)
			}
		}
	})
}

// removable opens every folder and finds nothing but what may be there.
func removable(root string) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case d == nil:
			return err
		case d.IsDir():
			return os.Chmod(p, 0o700)
		case d.Type() == fs.ModeDevice|fs.ModeCharDevice:
			var st unix.Stat_t
			if err := unix.Lstat(p, &st); err != nil || st.Rdev != 0 {
				return fmt.Errorf("%s is device %x, %v", p, st.Rdev, err)
			}
		case d.Type()&^fs.ModeSymlink != 0:
			return fmt.Errorf("%s is %v", p, d.Type())
		}
		return nil
	})
}
