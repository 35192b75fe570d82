package snapshot

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const smaps = `00400000-0041f000 r--p 00001000 fe:00 247702                             /usr/bin/py thon3 (x)
Size:                124 kB
VmFlags: rd mr mw me sd 
2712d000-27218000 rw-p 00000000 00:00 0                                  [heap]
VmFlags: rd wr mr mw me ac 
7fadf3fe8000-7fadf424e000 rw-p 00000000 00:00 0 
VmFlags: rd wr mr mw me ac wf 
7fadf45b6000-7fadf45bd000 r--s 00000000 fe:00 325737                     /usr/lib/gconv-modules.cache
VmFlags: rd mr me ms 
7fadf45c5000-7fadf45c7000 r-xp 00000000 00:00 0                          [vdso]
VmFlags: rd ex mr mw me de 
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
VmFlags: ex 
`

func TestParseMaps(t *testing.T) {
	got, err := parseMaps(strings.NewReader(smaps))
	want := []region{
		{start: 0x400000, end: 0x41f000, read: true, offset: 0x1000, inode: 247702, name: "/usr/bin/py thon3 (x)", flags: "rd mr mw me sd "},
		{start: 0x2712d000, end: 0x27218000, read: true, write: true, name: "[heap]", flags: "rd wr mr mw me ac "},
		{start: 0x7fadf3fe8000, end: 0x7fadf424e000, read: true, write: true, flags: "rd wr mr mw me ac wf "},
		{start: 0x7fadf45b6000, end: 0x7fadf45bd000, read: true, shared: true, inode: 325737, name: "/usr/lib/gconv-modules.cache", flags: "rd mr me ms "},
		{start: 0x7fadf45c5000, end: 0x7fadf45c7000, read: true, exec: true, name: "[vdso]", flags: "rd ex mr mw me de "},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, got %+v", err, got)
	}
	for _, r := range got {
		if err := r.check(); err != nil {
			t.Errorf("%+v: %v", r, err)
		}
	}
	if !got[2].wiped() || got[1].wiped() || !got[4].ofKernel() || got[0].ofKernel() || !got[0].ofFile() || got[2].ofFile() {
		t.Errorf("kinds of %+v", got)
	}
	for _, bad := range []string{
		"x", "1-2 r--p", "0041f000-00400000 r--p 0 0:0 1\n", "1000-2000 r--p 0 0:0 x\n", "1000-3000 r--p 0 0:0 1\n2000-4000 r--p 0 0:0 1\n",
	} {
		if _, err := parseMaps(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func FuzzParseMaps(f *testing.F) {
	f.Add(smaps)
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseMaps(strings.NewReader(text))
		for i, r := range list {
			if err == nil && (r.start >= r.end || i > 0 && r.start < list[i-1].end) {
				t.Errorf("%+v", list)
			}
			r.check()
		}
	})
}

func TestWhatCanNotBeLaid(t *testing.T) {
	for _, tt := range []struct {
		r    region
		want string
	}{
		{region{name: "[vdso]", flags: "rd sl "}, "this kernel seals [vdso]"},
		{region{write: true, shared: true, name: "/usr/x", inode: 1}, "shares memory that can be written (/usr/x)"},
		{region{shared: true}, "shares memory that can be written (anonymous memory)"},
		{region{name: "/usr/x (deleted)", inode: 1}, "a file that is gone"},
		{region{name: "/memfd:x", inode: 1, flags: "ht "}, "memory of a special kind"},
		{region{name: "/tmp/x", inode: 1}, "a file of /tmp or /dev"},
		{region{name: "socket:[7]", inode: 1}, "a file of /tmp or /dev"},
		{region{flags: "rd um "}, "memory of a special kind (anonymous memory: rd um)"},
		{region{name: "[uprobes]"}, "memory of an unknown kind ([uprobes])"},
	} {
		err := tt.r.check()
		if u := (Unfit{}); !errors.As(err, &u) || !strings.Contains(u.Reason, tt.want) {
			t.Errorf("%+v: %v, want %s", tt.r, err, tt.want)
		}
	}
}

func TestParseInfo(t *testing.T) {
	got, err := parseInfo("pos:\t4096\nflags:\t02100000\nmnt_id:\t29\n")
	if err != nil || got.pos != 4096 || got.flags != 0o2100000 {
		t.Errorf("%v, %+v", err, got)
	}
	for _, bad := range []string{"pos: x\n", "flags: 9\n"} {
		if _, err := parseInfo(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestHasConnection(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2329 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0000000000000000 100 0 0 10 0
   1: 0100007F:D2F4 0100007F:2329 01 00000000:00000000 00:00000000 00000000   993        0 101 1 0000000000000000 20 4 0 10 -1
   2: 0100007F:D2F5 0100007F:232A 01 00000000:00000000 00:00000000 00000000   993        0 102 1 0000000000000000 20 4 0 10 -1
`
	for inode, want := range map[string]bool{"100": false, "101": true, "102": false, "103": false} {
		if hasConnection(table, inode, 9001) != want {
			t.Errorf("inode %s: want %v", inode, want)
		}
	}
}

func TestDense(t *testing.T) {
	const mb = 1 << 20
	all := region{start: mb, end: 9 * mb}
	for _, tt := range []struct {
		rule string
		r    region
		runs []run
		want []run
	}{
		{"nothing", all, nil, nil},
		{"all, but for what is no large page", all, []run{{mb, 8 * mb}}, []run{{2 * mb, 6 * mb}}},
		{"with a small gap", all, []run{{2 * mb, mb}, {3*mb + pageSize, mb - pageSize}}, []run{{2 * mb, 2 * mb}}},
		{"with a large gap", all, []run{{2 * mb, mb}, {3*mb + mb/2, mb / 2}}, nil},
		{"apart", all, []run{{2 * mb, 2 * mb}, {6 * mb, 2 * mb}}, []run{{2 * mb, 2 * mb}, {6 * mb, 2 * mb}}},
		{"of a file", region{start: mb, end: 9 * mb, name: "/x"}, []run{{mb, 8 * mb}}, nil},
		{"of a stack", region{start: mb, end: 9 * mb, flags: "gd "}, []run{{mb, 8 * mb}}, nil},
	} {
		if got := dense(tt.r, tt.runs); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v", tt.rule, got)
		}
	}
}
