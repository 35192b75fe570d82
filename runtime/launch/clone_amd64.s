#include "textflag.h"

// func rawClone(trap, a1, a2, a3, a4, a5 uintptr, c *child) (pid, errno uintptr)
//
// The child begins on the stack that the call gave it, at its top, and never
// comes back here.
TEXT ·rawClone(SB),NOSPLIT,$0-72
	MOVQ	a1+8(FP), DI
	MOVQ	a2+16(FP), SI
	MOVQ	a3+24(FP), DX
	MOVQ	a4+32(FP), R10
	MOVQ	a5+40(FP), R8
	MOVQ	c+48(FP), R12
	MOVQ	trap+0(FP), AX
	SYSCALL
	TESTQ	AX, AX
	JEQ	born
	CMPQ	AX, $0xfffffffffffff001
	JLS	ok
	MOVQ	$-1, pid+56(FP)
	NEGQ	AX
	MOVQ	AX, errno+64(FP)
	RET
ok:
	MOVQ	AX, pid+56(FP)
	MOVQ	$0, errno+64(FP)
	RET
born:
	MOVQ	SP, AX
	SUBQ	$32, AX
	ANDQ	$~15, AX
	MOVQ	R12, 0(AX)
	MOVQ	AX, SP
	CALL	·play(SB)
	INT	$3
