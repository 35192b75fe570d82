#include "textflag.h"

// func rawClone(trap, a1, a2, a3, a4, a5 uintptr, c *child) (pid, errno uintptr)
//
// The child begins on the stack that the call gave it, at its top, and never
// comes back here.
TEXT ·rawClone(SB),NOSPLIT,$0-72
	MOVD	a1+8(FP), R0
	MOVD	a2+16(FP), R1
	MOVD	a3+24(FP), R2
	MOVD	a4+32(FP), R3
	MOVD	a5+40(FP), R4
	MOVD	c+48(FP), R19
	MOVD	trap+0(FP), R8
	SVC
	CBZ	R0, born
	CMN	$4095, R0
	BCC	ok
	MOVD	$-1, R4
	MOVD	R4, pid+56(FP)
	NEG	R0, R0
	MOVD	R0, errno+64(FP)
	RET
ok:
	MOVD	R0, pid+56(FP)
	MOVD	ZR, errno+64(FP)
	RET
born:
	MOVD	RSP, R9
	SUB	$32, R9
	AND	$~15, R9
	MOVD	R9, RSP
	MOVD	R19, 8(R9)
	CALL	·play(SB)
	UNDEF
