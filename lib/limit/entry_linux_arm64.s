#include "textflag.h"

// The memory that admit stands on, a goroutine whose stack has no end, as far as a
// function looks, and where the kernel's stack is meanwhile.
GLOBL stack<>(SB), NOPTR, $65536
GLOBL goroutine<>(SB), NOPTR, $1024
GLOBL args<>(SB), NOPTR, $8

// entry stands before _rt0_arm64_linux, and hands the stack on as the kernel made it.
TEXT ·entry(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVD	RSP, R0
	MOVD	R0, args<>(SB)
	MOVD	$stack<>+65472(SB), R1
	AND	$~15, R1, R1
	MOVD	R1, RSP
	MOVD	$goroutine<>(SB), g
	MOVD	·enter(SB), R26
	MOVD	(R26), R1
	CALL	(R1)
	MOVD	args<>(SB), R1
	MOVD	R1, RSP
	MOVD	ZR, R0	// nothing to call at the end
	MOVD	ZR, R30
	B	_rt0_arm64_linux(SB)
