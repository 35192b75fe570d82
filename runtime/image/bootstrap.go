package image

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"strings"
)

// program is what can be told of bootstrap by looking at it.
type program struct {
	static bool
	reason string // why it isn't
}

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// checkBootstrap finds the program and says what it needs.
func checkBootstrap(s *src, list []entry) (program, error) {
	e, err := findBootstrap(list)
	if err != nil {
		return program{}, err
	}
	if e.mode&0o111 == 0 {
		hint := "chmod +x bootstrap"
		if s.windows && s.zip != nil {
			hint = "the zip was made without Unix modes, as on Windows; make it with build-lambda-zip, or with zip on Linux after chmod +x bootstrap"
		}
		return program{}, &Hint{ErrNotExecutable, hint}
	}
	r, err := s.open(e)
	if err != nil {
		return program{}, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes))
	if err != nil {
		return program{}, fmt.Errorf("bootstrap: %w", err)
	}
	return inspect(data)
}

// findBootstrap follows links inside the function.
func findBootstrap(list []entry) (entry, error) {
	name := "bootstrap"
	for range 8 {
		found := false
		for _, e := range list {
			if e.name != name {
				continue
			}
			switch e.mode.Type() {
			case 0:
				return e, nil
			case fs.ModeSymlink:
				name, found = path.Join(path.Dir(name), e.target), true
			}
			break
		}
		if !found {
			break
		}
	}
	return entry{}, &Hint{ErrNoBootstrap, bootstrapHint}
}

// inspect tells a static program from a dynamic one and from a script.
func inspect(data []byte) (program, error) {
	if bytes.HasPrefix(data, []byte("#!")) {
		line, _, _ := strings.Cut(string(data[:min(len(data), 256)]), "\n")
		return program{reason: "bootstrap is a script for " + strings.TrimSpace(line[2:])}, nil
	}
	if !bytes.HasPrefix(data, []byte("\x7fELF")) {
		return program{}, &Hint{ErrFormat, bootstrapHint}
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return program{}, &Hint{fmt.Errorf("%w: %v", ErrFormat, err), bootstrapHint}
	}
	if want := machines[runtime.GOARCH]; f.Machine != want {
		return program{}, &Hint{
			fmt.Errorf("%w: it is for %v, this host is %v", ErrArchitecture, f.Machine, want),
			"build it for this host; a Go function: GOARCH=" + runtime.GOARCH,
		}
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			interp := make([]byte, min(p.Filesz, 256))
			p.ReadAt(interp, 0)
			return program{reason: "bootstrap is linked dynamically (" + strings.TrimRight(string(interp), "\x00") + ")"}, nil
		}
	}
	return program{static: true}, nil
}
