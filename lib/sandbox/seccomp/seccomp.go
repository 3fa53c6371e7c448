// Package seccomp holds the system-call filters of workers: what each task may
// call, the classic BPF program that says so, and its loading.
//
// A filter kills the process at any call that is not on its list. A rule may
// depend on arguments: the program looks at all 64 bits of each argument that it
// names, and loads the system call's number anew after each rule that did not
// match, so that no argument is ever taken for a number.
//
// One call answers instead of killing: getpgid of a process number that cannot
// exist. Its answer proves that the filter is there (see Proved).
package seccomp

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// Arch is a processor architecture, by its GOARCH.
type Arch string

// The architectures that filters exist for.
const (
	AMD64 Arch = "amd64"
	ARM64 Arch = "arm64"
)

// Offsets in struct seccomp_data (linux/seccomp.h), and the AUDIT_ARCH values
// of linux/audit.h.
const (
	offNumber = 0
	offArch   = 4
	offArgs   = 16

	auditAMD64 = 0xc000003e
	auditARM64 = 0xc00000b7

	x32Bit = 0x40000000 // system calls of the x32 ABI on amd64
)

// What a filter returns (linux/seccomp.h).
const (
	retKill  = 0x80000000 // SECCOMP_RET_KILL_PROCESS
	retErrno = 0x00050000 // SECCOMP_RET_ERRNO, with the number in the low 16 bits
	retAllow = 0x7fff0000 // SECCOMP_RET_ALLOW
)

// Program returns the filter of a profile. pid is the process that it is for:
// the only one that it may send signals to, which is how Go preempts goroutines.
func Program(p Profile, arch Arch, pid int) ([]bpf.RawInstruction, error) {
	audit := map[Arch]uint32{AMD64: auditAMD64, ARM64: auditARM64}[arch]
	rules := profiles(arch, pid)[p]
	if audit == 0 || rules == nil {
		return nil, fmt.Errorf("seccomp: no profile %q for %q", p, arch)
	}
	prog := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: audit, SkipTrue: 1},
		bpf.RetConstant{Val: retKill},
		bpf.LoadAbsolute{Off: offNumber, Size: 4},
	}
	if arch == AMD64 {
		prog = append(prog,
			bpf.JumpIf{Cond: bpf.JumpLessThan, Val: x32Bit, SkipTrue: 1},
			bpf.RetConstant{Val: retKill})
	}
	for _, r := range rules {
		nr, ok := number(r.call, arch)
		if !ok {
			return nil, fmt.Errorf("seccomp: no number for %q on %q", r.call, arch)
		}
		prog = append(prog, assemble(r, nr)...)
	}
	prog = append(prog, bpf.RetConstant{Val: retKill})
	return bpf.Assemble(prog)
}

// assemble returns the instructions of one rule. They are entered with the
// system call's number in the accumulator and, unless they return, left with it
// there.
func assemble(r rule, nr uint32) []bpf.Instruction {
	verdict := bpf.Instruction(bpf.RetConstant{Val: retAllow})
	if r.errno != 0 {
		verdict = bpf.RetConstant{Val: retErrno | r.errno}
	}
	var body []bpf.Instruction
	leave := map[int]uint32{} // where a jump leaves the rule unless the accumulator has the value
	for _, c := range r.conds {
		for half := range 2 {
			mask, value := uint32(c.mask), uint32(c.value)
			if half == 1 {
				mask, value = uint32(c.mask>>32), uint32(c.value>>32)
			}
			if mask == 0 {
				continue
			}
			// Both architectures are little-endian: the low half comes first.
			body = append(body, bpf.LoadAbsolute{Off: uint32(offArgs + 8*c.arg + 4*half), Size: 4})
			if mask != ^uint32(0) {
				body = append(body, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask})
			}
			leave[len(body)] = value
			body = append(body, nil)
		}
	}
	body = append(body, verdict)
	for at, value := range leave {
		body[at] = bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: value, SkipTrue: uint8(len(body) - at - 1)}
	}
	if len(leave) > 0 {
		body = append(body, bpf.LoadAbsolute{Off: offNumber, Size: 4})
	}
	return append([]bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: nr, SkipTrue: uint8(len(body))}}, body...)
}
