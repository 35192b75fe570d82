package launch

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"slices"

	"coldstorm/results"
)

// FirstProgram returns a static ELF executable for this machine without any
// runtime or library: its first instructions write one byte to stdout, then it
// waits for ever. What passes from asking for a start to reading that byte is
// the launcher's time and nobody else's, which makes it the program to compare
// launchers with.
func FirstProgram() []byte { return executable(firstAMD64, firstARM64, '1') }

// executable is a static executable of one segment: this machine's instructions, and the
// data that follows them.
func executable(amd64 []byte, arm64 []uint32, data ...byte) []byte {
	const base, head = 0x400000, 64 + 56
	machine, code := uint16(62), slices.Clone(amd64) // elf(5)
	if runtime.GOARCH == "arm64" {
		machine, code = 183, nil
		for _, c := range arm64 {
			code = binary.LittleEndian.AppendUint32(code, c)
		}
	}
	code = append(code, data...)
	size := uint64(head + len(code))
	le := binary.LittleEndian
	b := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 9)...)
	for _, v := range []uint16{2 /* ET_EXEC */, machine} {
		b = le.AppendUint16(b, v)
	}
	b = le.AppendUint32(b, 1)
	for _, v := range []uint64{base + head, 64 /* program header */, 0} {
		b = le.AppendUint64(b, v)
	}
	b = le.AppendUint32(b, 0)
	for _, v := range []uint16{64, 56, 1, 0, 0, 0} {
		b = le.AppendUint16(b, v)
	}
	b = le.AppendUint32(b, 1 /* PT_LOAD */)
	b = le.AppendUint32(b, 5 /* r-x */)
	for _, v := range []uint64{0, base, base, size, size, 0x1000} {
		b = le.AppendUint64(b, v)
	}
	return append(b, code...)
}

var (
	firstAMD64 = []byte{
		0xb8, 1, 0, 0, 0, // mov eax, SYS_write
		0xbf, 1, 0, 0, 0, // mov edi, 1
		0x48, 0x8d, 0x35, 16, 0, 0, 0, // lea rsi, [rip+16]
		0xba, 1, 0, 0, 0, // mov edx, 1
		0x0f, 0x05, // syscall
		0xb8, 34, 0, 0, 0, // mov eax, SYS_pause
		0x0f, 0x05, // syscall
		0xeb, 0xf7, // jmp -9
	}
	firstARM64 = []uint32{
		0xd2800808, // mov x8, SYS_write
		0xd2800020, // mov x0, 1
		0x10000141, // adr x1, +40
		0xd2800022, // mov x2, 1
		0xd4000001, // svc 0
		0xd2800000, // mov x0, 0
		0xd2800001, // mov x1, 0
		0xd2800002, // mov x2, 0
		0xd2800003, // mov x3, 0
		0xd2800928, // mov x8, SYS_ppoll
		0xd4000001, // svc 0
		0x17fffffa, // b -6
	}
)

// First launches a sandbox and reads the first byte that its program writes:
// the stamps of its launch and the moment at which the byte was read. The
// sandbox is stopped and closed.
func (l *Launcher) First(ctx context.Context, s Spec) (st Stamps, first results.Stamp, mode string, err error) {
	type byteRead struct {
		at  results.Stamp
		err error
	}
	said := make(chan byteRead, 1)
	b, err := l.launch(ctx, s, func(b *Sandbox) {
		go func() {
			_, err := io.ReadFull(b.Stdout, make([]byte, 1))
			said <- byteRead{results.Now(), err}
		}()
	})
	if err != nil {
		return Stamps{}, 0, "", err
	}
	defer b.Close()
	got := <-said
	err = b.Stop() // before its exit is asked for: it may have closed stdout, and live on
	if err == nil && got.err != nil {
		err = fmt.Errorf("first byte of sandbox %s: %w (%v)", s.ID, got.err, b.Exit())
	}
	return b.Stamps, got.at, b.Mode, err
}
