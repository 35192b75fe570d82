package launch

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldstorm/runtime/image"
)

// kinds of launcher that the attempts of an image are made on.
var launchers = []struct {
	name   string
	config Config
}{
	{"as root", Config{}},
	{"in a user namespace", Config{Rootless: true}},
	{"without overlay", Config{bind: true}},
}

// onEach runs a test on each kind of launcher.
func onEach(t *testing.T, test func(*testing.T, *Launcher, *ground)) {
	for _, kind := range launchers {
		t.Run(kind.name, func(t *testing.T) {
			if kind.config.Rootless && os.Geteuid() != 0 {
				t.Skip("the others are in one already")
			}
			l := start(t, kind.config)
			test(t, l, newGround(t, l, Spec{}))
		})
	}
}

// verdict launches what s says and returns what it printed, or why it wasn't launched.
func (g *ground) verdict(t *testing.T, s Spec) string {
	t.Helper()
	if len(s.Image.Layers) == 0 {
		s.Image = g.spec.Image
	}
	b, err := g.l.Launch(context.Background(), s)
	if err != nil {
		return "not launched: " + err.Error()
	}
	defer b.Close()
	out, _ := io.ReadAll(b.Stdout)
	return strings.TrimSpace(string(out))
}

// TestDescriptorsLeadNowhere says that a launch leaves nothing of the launcher's
// open that an image could name as its folder, its program or its interpreter
// (CVE-2024-21626): from a folder of the host's there is a way up to all others.
func TestDescriptorsLeadNowhere(t *testing.T) {
	onEach(t, func(t *testing.T, l *Launcher, g *ground) {
		fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", l.pid))
		if err != nil && os.Geteuid() == 0 {
			t.Fatal(err)
		}
		last := 32 // where an ordinary user may not see how many it has
		for _, fd := range fds {
			var n int
			fmt.Sscan(fd.Name(), &n)
			last = max(last, n)
		}
		program := strings.Repeat("../", 32) + g.task + "/bootstrap"
		for n := range last + 8 { // a launch opens some more
			fd := fmt.Sprint("/proc/self/fd/", n)
			for way, s := range map[string]Spec{
				"folder":  {Dir: fd, Argv: []string{TaskDir + "/bootstrap", "climb", g.dir + "/marker"}},
				"program": {Argv: []string{fd + "/" + program, "prey"}},
			} {
				v := g.verdict(t, s)
				if !strings.HasPrefix(v, "refused: ") && !strings.HasPrefix(v, "not launched: ") {
					t.Errorf("%s as %s: %q", fd, way, v)
				}
			}
		}
		for n := range last + 8 {
			s := Spec{Image: g.spec.Image, Dir: fmt.Sprint("/proc/self/fd/", n), Argv: []string{TaskDir + "/bootstrap", "climb", g.dir + "/marker"}}
			l.Park(s, 1) // an error, or ready for the launch
			if v := g.verdict(t, s); !strings.HasPrefix(v, "refused: ") && !strings.HasPrefix(v, "not launched: ") {
				t.Errorf("%s as folder of a parked one: %q", s.Dir, v)
			}
		}
		l.Park(Spec{Image: g.spec.Image, Argv: []string{"/"}}, 0)
		script := g.task + "/script"
		if err := os.WriteFile(script, []byte("#!/proc/self/fd/3/"+program+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if v := g.verdict(t, Spec{Argv: []string{TaskDir + "/script"}}); !strings.HasPrefix(v, "not launched: ") {
			t.Errorf("interpreter: %q", v)
		}
	})
}

// TestLauncherIsNotOverwritten says that a sandbox which runs the launcher's own
// binary, as /proc/self/exe of the process that becomes it, can't write to that
// (CVE-2019-5736).
func TestLauncherIsNotOverwritten(t *testing.T) {
	onEach(t, func(t *testing.T, l *Launcher, g *ground) {
		img := g.spec.Image
		img.HostUsr = true // this test's binary may want the host's linker
		v := g.verdict(t, Spec{Image: img, Argv: []string{"/proc/self/exe", "__overwrite", TaskDir + "/bootstrap"}})
		if v != "refused: read-only file system" { // whoever owns it
			t.Errorf("%q", v)
		}
	})
}

// TestImagesStayInside gives what a sandbox mounts on, or is sure to find, as a
// link to the host or as a file.
func TestImagesStayInside(t *testing.T) {
	onEach(t, func(t *testing.T, l *Launcher, g *ground) {
		for _, name := range []string{"proc", "dev", "sys", "etc", "tmp", "var", "var/task", "dev/shm", "dev/pts", "proc/self", "sys/firmware", "root", "home", "usr", "opt", "var/tmp", "etc/passwd"} {
			for kind, put := range map[string]func(string) error{
				"a link to the host": func(p string) error { return os.Symlink(g.dir, p) },
				"a link that climbs": func(p string) error { return os.Symlink(strings.Repeat("../", 32)+g.dir, p) },
				"a file":             func(p string) error { return os.WriteFile(p, []byte("x"), 0o666) },
			} {
				layer := t.TempDir()
				os.MkdirAll(filepath.Join(layer, filepath.Dir(name)), 0o755)
				if err := put(filepath.Join(layer, name)); err != nil {
					t.Fatal(err)
				}
				s := Spec{Image: image.Image{Layers: append([]string{layer}, g.spec.Image.Layers...)}}
				if !l.Host().Overlay.OK { // one layer, with the program in it unless there is no way to that
					s.Image.Layers = s.Image.Layers[:1]
					if name != "var" && name != "var/task" {
						os.MkdirAll(layer+TaskDir, 0o755)
						program, _ := os.ReadFile(g.task + "/bootstrap")
						os.WriteFile(layer+TaskDir+"/bootstrap", program, 0o755)
					}
				}
				for _, try := range [][]string{{"read", "/" + name + "/marker"}, {"create", "/" + name + "/new"}, {"climb", g.dir + "/marker"}} {
					s.Argv = append([]string{TaskDir + "/bootstrap"}, try...)
					v := g.verdict(t, s)
					own := try[0] == "create" && (strings.HasPrefix(name, "tmp") || name == "dev/shm" || l.Host().Rootless && name == "proc") // folders of its own, which take files
					if !strings.HasPrefix(v, "refused: ") && !strings.HasPrefix(v, "not launched: ") && !(own && v == "reached") {
						t.Errorf("/%s as %s, %v: %q", name, kind, try, v)
					}
				}
			}
		}
		g.unharmed(t)
	})
}
