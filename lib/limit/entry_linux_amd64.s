#include "textflag.h"

// The memory that admit stands on, a goroutine whose stack has no end, as far as a
// function looks, and where the kernel's stack is meanwhile.
GLOBL stack<>(SB), NOPTR, $65536
GLOBL goroutine<>(SB), NOPTR, $1024
GLOBL args<>(SB), NOPTR, $8

// entry stands before _rt0_amd64_linux, and hands the stack on as the kernel made it.
TEXT ·entry(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVQ	SP, AX
	MOVQ	AX, args<>(SB)
	LEAQ	stack<>+65472(SB), SP
	ANDQ	$~15, SP
	LEAQ	goroutine<>(SB), R14
	XORPS	X15, X15	// zero, by Go's convention
	MOVQ	·enter(SB), DX
	MOVQ	(DX), CX
	CALL	CX
	MOVQ	args<>(SB), SP
	XORL	DX, DX	// nothing to call at the end, by the System V convention
	JMP	_rt0_amd64_linux(SB)
