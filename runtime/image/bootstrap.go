package image

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"strings"
)

// program is what can be told of an executable file by looking at it.
type program struct {
	script bool
	needs  string // what it can't run without: an interpreter, or a dynamic linker; empty if it is static
	line   string // how it asks for that
}

// reason says why a program is not static; empty if it is.
func (p program) reason() string {
	switch {
	case p.script:
		return "is a script for " + p.line
	case p.needs != "":
		return "is linked dynamically (" + p.line + ")"
	}
	return ""
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
		return program{}, &Hint{fmt.Errorf("bootstrap: %w", ErrNotExecutable), hint}
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
	p, err := inspect(bytes.NewReader(data))
	if err != nil {
		var h *Hint
		errors.As(err, &h)
		return p, &Hint{fmt.Errorf("bootstrap: %w", h.Err), h.Hint}
	}
	return p, nil
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
func inspect(file io.ReaderAt) (program, error) {
	head := make([]byte, 256) // what Linux reads of it
	n, _ := file.ReadAt(head, 0)
	head = head[:n]
	if bytes.HasPrefix(head, []byte("#!")) {
		line, _, _ := strings.Cut(string(head[2:]), "\n")
		line = strings.TrimSpace(line)
		needs, _, _ := strings.Cut(line, " ")
		return program{script: true, needs: needs, line: line}, nil
	}
	if !bytes.HasPrefix(head, []byte("\x7fELF")) {
		return program{}, &Hint{ErrFormat, bootstrapHint}
	}
	f, err := elf.NewFile(file)
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
			linker := strings.TrimRight(string(interp), "\x00")
			return program{needs: linker, line: linker}, nil
		}
	}
	return program{}, nil
}
