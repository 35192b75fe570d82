package snapshot

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// A program is a static executable of system calls in a row: every argument is a number
// that is known as it is written, but for what registers keep. Its only segment begins
// with the file itself and is read and executed, never written.
//
// The kernel calls preserve all registers but rcx and r11. A step whose call fails tells
// its name on standard error and exits with status 125.
type program struct {
	base  uint64
	data  bytes.Buffer
	code  bytes.Buffer
	steps []uint64 // names, as address and length
	fails []int    // places in the code of jumps to the failure
}

const (
	headSize = 0x1000  // of the file, up to the data
	dataSize = 4 << 20 // room for data, before the code
	codeSize = 8 << 20
	failure  = 125 // exit status of a restore that failed
)

// A reg is an argument that a register keeps, less a number.
type reg struct {
	n    byte
	less uint32
}

var (
	kernelPage = reg{n: 15} // where the kernel has put its code into the new process
	memoryFile = reg{n: 12} // descriptor of the snapshot's memory
	otherFile  = reg{n: 13}
	aboveFile  = reg{n: 14}
)

// put keeps bytes, and returns where they will stand.
func (p *program) put(b []byte) uint64 {
	for p.data.Len()%64 != 0 {
		p.data.WriteByte(0)
	}
	at := p.base + headSize + uint64(p.data.Len())
	p.data.Write(b)
	return at
}

func (p *program) text(s string) uint64 { return p.put(append([]byte(s), 0)) }

// numbers keeps 64-bit ones.
func (p *program) numbers(list ...uint64) uint64 {
	b := make([]byte, 0, 8*len(list))
	for _, n := range list {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return p.put(b)
}

func (p *program) emit(b ...byte) { p.code.Write(b) }

func (p *program) imm32(n uint32) { p.code.Write(binary.LittleEndian.AppendUint32(nil, n)) }

func (p *program) imm64(n uint64) { p.code.Write(binary.LittleEndian.AppendUint64(nil, n)) }

// argument registers by their numbers: rdi, rsi, rdx, r10, r8, r9.
var argument = [6]byte{7, 6, 2, 10, 8, 9}

const (
	rax, rbx, rcx, rsp = 0, 3, 1, 4
)

// set has a register hold a number.
func (p *program) set(to byte, n uint64) {
	p.emit(0x48|to>>3, 0xb8|to&7) // mov to, n
	p.imm64(n)
}

// copy has a register hold another, less a number.
func (p *program) copy(to byte, r reg) {
	p.emit(0x48|r.n>>3<<2|to>>3, 0x89, 0xc0|r.n&7<<3|to&7) // mov to, r
	if r.less != 0 {
		p.emit(0x48|to>>3, 0x81, 0xe8|to&7) // sub to, less
		p.imm32(r.less)
	}
}

// try makes a call, whatever comes of it. An argument is a number or a reg.
func (p *program) try(nr uint64, args ...any) {
	for i, a := range args {
		switch a := a.(type) {
		case reg:
			p.copy(argument[i], a)
		case uint64:
			p.set(argument[i], a)
		case int:
			p.set(argument[i], uint64(a))
		default:
			panic(fmt.Sprintf("snapshot: argument of type %T", a))
		}
	}
	p.set(rax, nr)
	p.emit(0x0f, 0x05)
}

// call is a step that must not fail.
func (p *program) call(name string, nr uint64, args ...any) {
	p.step(name)
	p.try(nr, args...)
	p.emit(0x48, 0x3d) // cmp rax, -4095
	p.imm32(0xfffff001)
	p.failIf(0x83) // jae
}

// callFor is a step that must have one result.
func (p *program) callFor(want uint64, name string, nr uint64, args ...any) {
	p.step(name)
	p.try(nr, args...)
	p.set(rcx, want)
	p.emit(0x48, 0x39, 0xc8) // cmp rax, rcx
	p.failIf(0x85)           // jne
}

// keep keeps the last result.
func (p *program) keep(r reg) { p.emit(0x48|r.n>>3, 0x89, 0xc0|r.n&7) } // mov r, rax

// step names what comes.
func (p *program) step(name string) {
	p.set(rbx, uint64(len(p.steps)/2))
	text := "coldstorm: restore: " + name + " failed\n"
	p.steps = append(p.steps, p.text(text), uint64(len(text)))
}

// failIf jumps to the failure on a condition of the processor's.
func (p *program) failIf(condition byte) {
	p.emit(0x0f, condition)
	p.fails = append(p.fails, p.code.Len())
	p.imm32(0)
}

// begin finds the kernel's page by the vector behind the environment (elf.h, AT_SYSINFO_EHDR).
func (p *program) begin() {
	p.step("look for the kernel's page")
	p.emit(0x48, 0x89, 0xe6)             // mov rsi, rsp
	p.emit(0x48, 0x8b, 0x06)             // mov rax, [rsi]: the number of arguments
	p.emit(0x48, 0x8d, 0x74, 0xc6, 0x10) // lea rsi, [rsi+rax*8+16]
	p.emit(0x48, 0x8b, 0x06)             // environment: mov rax, [rsi]
	p.emit(0x48, 0x83, 0xc6, 0x08)       // add rsi, 8
	p.emit(0x48, 0x85, 0xc0)             // test rax, rax
	p.emit(0x75, 0xf4)                   // jnz environment
	p.emit(0x48, 0x8b, 0x06)             // vector: mov rax, [rsi]
	p.emit(0x4c, 0x8b, 0x7e, 0x08)       // mov r15, [rsi+8]
	p.emit(0x48, 0x83, 0xc6, 0x10)       // add rsi, 16
	p.emit(0x48, 0x85, 0xc0)             // test rax, rax
	p.failIf(0x84)                       // jz
	p.emit(0x48, 0x83, 0xf8, 33)         // cmp rax, AT_SYSINFO_EHDR
	p.emit(0x75, 0xe6)                   // jne vector
}

// become returns from a signal whose frame stands at.
func (p *program) become(at uint64) {
	p.step("return from the signal")
	p.set(rsp, at+8) // what calls a handler has taken its return address
	p.try(15)        // rt_sigreturn
}

// end writes the failure, where the jumps go.
func (p *program) end() {
	at := p.code.Len()
	table := p.numbers(p.steps...)
	p.emit(0x48, 0xc1, 0xe3, 0x04) // shl rbx, 4
	p.set(6, table)                // mov rsi, table
	p.emit(0x48, 0x01, 0xde)       // add rsi, rbx
	p.emit(0x48, 0x8b, 0x56, 0x08) // mov rdx, [rsi+8]
	p.emit(0x48, 0x8b, 0x36)       // mov rsi, [rsi]
	p.set(7, 2)                    // to standard error
	p.set(rax, 1)                  // write
	p.emit(0x0f, 0x05)             //
	p.set(7, failure)              //
	p.set(rax, 231)                // exit_group
	p.emit(0x0f, 0x05)             //
	for code := p.code.Bytes(); len(p.fails) > 0; p.fails = p.fails[1:] {
		from := p.fails[0]
		binary.LittleEndian.PutUint32(code[from:], uint32(at-from-4))
	}
}

// room is what a program takes of addresses at most.
const room = headSize + dataSize + codeSize

// file returns the executable.
func (p *program) file() ([]byte, error) {
	if p.data.Len() > dataSize || p.code.Len() > codeSize {
		return nil, unfit("its memory is in too many pieces")
	}
	var b bytes.Buffer
	entry := uint64(headSize + (p.data.Len()+63)&^63)
	size := entry + uint64(p.code.Len())
	le := binary.LittleEndian
	binary.Write(&b, le, elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Entry: p.base + entry, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 2,
	})
	binary.Write(&b, le, elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: p.base, Paddr: p.base, Filesz: size, Memsz: size, Align: pageSize,
	})
	binary.Write(&b, le, elf.Prog64{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W), Align: 16})
	b.Write(make([]byte, headSize-b.Len()))
	b.Write(p.data.Bytes())
	b.Write(make([]byte, int(entry)-b.Len()))
	b.Write(p.code.Bytes())
	return b.Bytes(), nil
}
