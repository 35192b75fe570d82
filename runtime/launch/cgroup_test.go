package launch

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFindCgroups(t *testing.T) {
	hybrid := `30 25 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs rw
31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
32 30 0:28 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory
33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
34 30 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
`
	for _, c := range []struct {
		rule, mounts, self string
		want               []string // controller version folder
	}{
		{
			"hybrid: each controller where it is", hybrid, "4:memory:/user/a\n2:cpu,cpuacct:/\n1:name=systemd:/x\n0::/user/a\n",
			[]string{" v2 /sys/fs/cgroup/unified/user/a", "cpu v1 /sys/fs/cgroup/cpu,cpuacct", "cpuacct v1 /sys/fs/cgroup/cpu,cpuacct", "memory v1 /sys/fs/cgroup/memory/user/a"},
		},
		{
			"version 2 alone", "40 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/user.slice/s.scope\n",
			[]string{" v2 /sys/fs/cgroup/user.slice/s.scope"},
		},
		{
			"a container sees a part of a tree", "40 25 0:26 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", "4:memory:/docker/abc/x\n",
			[]string{"memory v1 /sys/fs/cgroup/memory/x"},
		},
		{
			"a container that sees another part than its own", "40 25 0:26 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", "4:memory:/\n",
			[]string{"memory v1 /sys/fs/cgroup/memory"},
		},
		{"a mounted tree that the process isn't in", "40 25 0:26 / /c rw - cgroup cgroup rw,pids\n", "", nil},
		{"spaces in mount points", `40 25 0:26 / /a\040b rw - cgroup cgroup rw,pids` + "\n", "3:pids:/\n", []string{"pids v1 /a b"}},
		{"rubbish", "x - cgroup\n\n- -\n", "a:b\n:::\n", nil},
	} {
		var got []string
		for name, h := range findCgroups(c.mounts, c.self) {
			v := " v1 "
			if h.v2 {
				v = " v2 "
			}
			got = append(got, name+v+h.dir)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%q, want\n%q", c.rule, got, c.want)
		}
	}
}

func TestFindCgroupsSharesATree(t *testing.T) {
	found := findCgroups("31 30 0:27 / /c rw - cgroup cgroup rw,cpu,cpuacct\n", "2:cpu,cpuacct:/\n")
	if found["cpu"] == nil || found["cpu"] != found["cpuacct"] {
		t.Error("controllers mounted together are two trees")
	}
}

func FuzzFindCgroups(f *testing.F) {
	f.Add("31 30 0:27 / /c rw - cgroup cgroup rw,cpu\n", "2:cpu:/\n")
	f.Fuzz(func(t *testing.T, mounts, self string) {
		for _, h := range findCgroups(mounts, self) {
			if h == nil || h.fd != -1 {
				t.Errorf("%+v", h)
			}
		}
	})
}

func TestField(t *testing.T) {
	const text = "low 0\noom_kill 3\noom_kill_group 9\n"
	for key, want := range map[string]int64{"oom_kill": 3, "oom_kill_group": 9, "low": 0, "absent": 0} {
		if got := field(text, key); got != want {
			t.Errorf("%s = %d, want %d", key, got, want)
		}
	}
}

func TestHandedDown(t *testing.T) {
	tree := func(controllers string, files map[string]string) string {
		dir := t.TempDir()
		for name, text := range map[string]string{"cgroup.controllers": controllers, "cgroup.procs": "", "cgroup.subtree_control": "", "cgroup.events": "populated 1\n", "cgroup.type": "domain\n"} {
			if given, ok := files[name]; ok {
				text = given
			}
			if text != "none" {
				os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
			}
		}
		return dir
	}
	type files = map[string]string
	has, lacks := tree("cpu memory", nil), tree("hugetlb", nil)
	busy, refuses := tree("cpu memory", files{"cgroup.procs": "7\n"}), tree("cpu memory", files{"cgroup.subtree_control": "none"})
	some, all := tree("memory", nil), tree("cpu memory pids", nil)
	threads := tree("cpu memory pids", files{"cgroup.type": "domain threaded\n"})
	root := tree("cpu memory pids", files{"cgroup.procs": "1\n", "cgroup.events": "none", "cgroup.type": "none"})
	for _, c := range []struct {
		rule    string
		bases   []string
		want    string
		refused string // controllers
	}{
		{"our own cgroup comes first", []string{has, busy}, has, "pids"},
		{"one with processes gives way to one above", []string{busy, has}, has, "pids"},
		{"one that refuses likewise", []string{refuses, has}, has, "pids"},
		{"one of threads likewise", []string{threads, has}, has, "pids"},
		{"the root may have processes", []string{root}, root, ""},
		{"one without the controllers is passed over", []string{lacks, has}, has, "pids"},
		{"one with more is taken before an earlier one", []string{some, has, all}, all, ""},
		{"what is had is had without the rest", []string{busy, some}, some, "cpu pids"},
		{"none has any: the first is good for freezing", []string{lacks, tree("", nil)}, lacks, "cpu memory pids"},
		{"all refuse", []string{busy, refuses}, refuses, "cpu memory pids"},
		{"one that is not there", []string{"/nowhere"}, "", ""},
	} {
		got, errs := handedDown(c.bases, []string{"cpu", "memory", "pids"})
		if refused := strings.Join(slices.Sorted(maps.Keys(errs)), " "); got != c.want || refused != c.refused {
			t.Errorf("%s: %q, %v", c.rule, got, errs)
		}
	}
	if on, _ := os.ReadFile(filepath.Join(has, "cgroup.subtree_control")); !strings.Contains(string(on), "+memory") {
		t.Errorf("subtree_control holds %q", on)
	}
	if on, _ := os.ReadFile(filepath.Join(busy, "cgroup.subtree_control")); len(on) > 0 {
		t.Errorf("one with processes was asked for %q", on)
	}
}

func TestBases(t *testing.T) {
	for _, c := range [][2]string{
		{"/c/a/b", "/c/a/b /c /c/a"},
		{"/c", "/c"},
		{"/c/a/b/coldstorm-7-x-Lself", "/c/a/b/coldstorm-7-x-Lself /c/a/b /c /c/a"},
	} {
		if got := strings.Join(bases(c[0], "/c"), " "); got != c[1] {
			t.Errorf("from %s: %s", c[0], got)
		}
	}
}

func TestAncestors(t *testing.T) {
	for _, c := range [][3]string{
		{"/c/a/b", "/c", "/c/a/b /c/a /c"},
		{"/c", "/c", "/c"},
		{"/c/a", "/", "/c/a /c /"},
	} {
		if got := strings.Join(ancestors(c[0], c[1]), " "); got != c[2] {
			t.Errorf("ancestors of %s up to %s: %s", c[0], c[1], got)
		}
	}
}

// TestUnifiedLeavesNothing says that a folder that can't hand a controller down
// is not left behind: here it lacks the file to say so in.
func TestUnifiedLeavesNothing(t *testing.T) {
	top := t.TempDir()
	for name, text := range map[string]string{"cgroup.controllers": "memory", "cgroup.subtree_control": "memory", "cgroup.procs": ""} {
		if err := os.WriteFile(filepath.Join(top, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h := &hierarchy{v2: true, dir: top, top: top, fd: -1}
	if refused := h.openUnified("coldstorm-1-x", []string{"memory"}); refused["memory"] == nil {
		t.Error("memory was handed down without a file for it")
	}
	if left := foldersIn(top); len(left) > 0 || h.fd != -1 || h.dir != top {
		t.Errorf("left %v, %+v", left, h)
	}
}

// TestVersion2Files holds what is written to version 2 cgroups against the
// kernel's names for it, on folders that look like them: this needs no host
// whose controllers are there.
func TestVersion2Files(t *testing.T) {
	dir := t.TempDir()
	h := &hierarchy{v2: true, dir: dir, fd: -1}
	if err := h.open("coldstorm-1-x"); err != nil {
		t.Fatal(err)
	}
	g := &cgroups{at: map[string]*hierarchy{}, all: []*hierarchy{h}, v2: h}
	for _, c := range controllers {
		g.at[c] = h
	}
	if err := g.make("s1"); err != nil {
		t.Fatal(err)
	}
	box := filepath.Join(dir, "coldstorm-1-x", "s1")
	for name, text := range map[string]string{
		"memory.max": "", "memory.swap.max": "", "memory.oom.group": "", "pids.max": "", "cpu.max": "", "cgroup.freeze": "",
		"memory.peak": "4096\n", "memory.current": "8192\n", "memory.events": "oom 2\noom_kill 1\n", "cpu.stat": "usage_usec 1500\nuser_usec 1\n",
	} {
		if err := os.WriteFile(filepath.Join(box, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.limit("s1", &Spec{MemoryBytes: 1 << 20, Pids: 5, CPUs: 0.5}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"memory.max": "1048576", "memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "5", "cpu.max": "10000 20000"} {
		if got, _ := os.ReadFile(filepath.Join(box, name)); strings.TrimRight(string(got), "\x00") != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"memory.max", "memory.swap.max", "memory.oom.group"} {
		os.Truncate(filepath.Join(box, name), 0) // what is written is the whole, to the kernel
	}
	if err := g.relimit("s1", &Spec{Pids: 5}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"memory.max": "max", "memory.swap.max": "max", "memory.oom.group": "0"} {
		if got, _ := os.ReadFile(filepath.Join(box, name)); string(got) != want {
			t.Errorf("without a limit, %s holds %q, want %q", name, got, want)
		}
	}
	if !g.peakless() {
		t.Error("a folder without memory.peak has one")
	}
	if u := g.usage("s1"); u.PeakMemory != 8192 {
		t.Errorf("without memory.peak, %d bytes are used", u.PeakMemory)
	}
	ours := filepath.Join(dir, "coldstorm-1-x", "memory.peak") // our folder shows what the kernel has
	if err := os.WriteFile(ours, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if u := g.usage("s1"); u.CPU.Microseconds() != 1500 || u.PeakMemory != 4096 || u.OOMKills != 1 {
		t.Errorf("usage %+v", u)
	}
}
