package snapshot

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseLayout(t *testing.T) {
	const stat = "7 (a ) b) S 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52\n"
	got, err := parseLayout(stat)
	if want := (layout{25, 26, 27, 44, 45, 46, 47, 48, 49, 50}); err != nil || got != want {
		t.Errorf("%v, got %+v", err, got)
	}
	if _, err := parseLayout("7 (a) S 3"); err == nil {
		t.Error("a short one was read")
	}
}

func TestGap(t *testing.T) {
	base, err := gap([]region{{start: 0x400000, end: 0xb00000}, {start: 0x10000000, end: 0x18000000}, {start: 0x7f0000000000, end: 0x7f0000001000}})
	if err != nil || base != 0x20000000 {
		t.Errorf("%v, %#x", err, base)
	}
}

// run executes a program that ends by itself.
func runProgram(t *testing.T, p *program) (string, error) {
	t.Helper()
	p.end()
	b, err := p.file()
	if err != nil {
		t.Fatal(err)
	}
	if f, err := elf.NewFile(bytes.NewReader(b)); err != nil || f.Type != elf.ET_EXEC || f.Entry < p.base {
		t.Fatalf("%v: %+v", err, f)
	}
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, b, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path).CombinedOutput()
	return string(out), err
}

func TestAProgramMakesItsCalls(t *testing.T) {
	p := &program{base: 1 << 28}
	p.begin()
	p.call("say", unix.SYS_WRITE, 1, p.text("hello\n"), 6)
	p.call("duplicate", unix.SYS_DUP, 1)
	for _, r := range []reg{memoryFile, otherFile, aboveFile} {
		p.keep(r)
		p.callFor(1, "say by "+string('0'+r.n), unix.SYS_WRITE, r, p.text("!"), 1)
		p.call("duplicate", unix.SYS_DUP, reg{n: r.n, less: 1})
	}
	p.try(unix.SYS_CLOSE, 77)
	p.call("end", unix.SYS_EXIT_GROUP, 7)
	out, err := runProgram(t, p)
	if x, ok := err.(*exec.ExitError); !ok || x.ExitCode() != 7 || out != "hello\n!!!" {
		t.Errorf("%v: %q", err, out)
	}
}

func TestAProgramSaysWhatFailed(t *testing.T) {
	for _, fail := range []func(*program){
		func(p *program) { p.call("close 77", unix.SYS_CLOSE, 77) },
		func(p *program) { p.callFor(2, "close 77", unix.SYS_WRITE, 1, p.text("x"), 1) },
	} {
		p := &program{base: 1 << 28}
		p.begin()
		p.call("look around", unix.SYS_GETPID)
		fail(p)
		p.call("end", unix.SYS_EXIT_GROUP, 0)
		out, err := runProgram(t, p)
		if x, ok := err.(*exec.ExitError); !ok || x.ExitCode() != failure || !bytes.HasSuffix([]byte(out), []byte("coldstorm: restore: close 77 failed\n")) {
			t.Errorf("%v: %q", err, out)
		}
	}
}

func TestTakeOfWhatIsNotThere(t *testing.T) {
	if _, err := Take(1<<30, 9001, t.TempDir(), 1); err == nil {
		t.Error("taken")
	}
}
