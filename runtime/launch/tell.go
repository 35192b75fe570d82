package launch

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"coldstorm/results"
)

// TellingProgram is FirstProgram but for what it writes: the time of its first
// instructions, for ReadTold. One clock reading is all that it does more.
func TellingProgram() []byte { return executable(tellAMD64, tellARM64) }

// toldSize is that of struct timespec, on machines of 64 bits.
const toldSize = 16

// ReadTold reads what TellingProgram writes. An error is of reading, or says that it was
// no time.
func ReadTold(r io.Reader) (results.Stamp, error) {
	var b [toldSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, fmt.Errorf("first instruction: %w", err)
	}
	sec, nsec := binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])
	if sec >= 1<<33 || nsec >= uint64(time.Second) || sec|nsec == 0 {
		return 0, fmt.Errorf("first instruction: %x is no time", b)
	}
	return results.Stamp(sec*uint64(time.Second) + nsec), nil
}

var (
	tellAMD64 = []byte{
		0xb8, 228, 0, 0, 0, // mov eax, SYS_clock_gettime
		0xbf, 1, 0, 0, 0, // mov edi, CLOCK_MONOTONIC; then stdout, the same
		0x48, 0x8d, 0x74, 0x24, 0xf0, // lea rsi, [rsp-16]
		0x0f, 0x05, // syscall
		0xb8, 1, 0, 0, 0, // mov eax, SYS_write
		0xba, toldSize, 0, 0, 0, // mov edx, 16
		0x0f, 0x05, // syscall
		0xb8, 34, 0, 0, 0, // mov eax, SYS_pause
		0x0f, 0x05, // syscall
		0xeb, 0xf7, // jmp -9
	}
	tellARM64 = []uint32{
		0xd10043ff, // sub sp, sp, 16
		0xd2800e28, // mov x8, SYS_clock_gettime
		0xd2800020, // mov x0, CLOCK_MONOTONIC
		0x910003e1, // mov x1, sp
		0xd4000001, // svc 0
		0xd2800808, // mov x8, SYS_write
		0xd2800020, // mov x0, 1
		0xd2800202, // mov x2, 16
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
