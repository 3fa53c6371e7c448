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

// Files are open files that may be read or written at an offset, by their descriptors; 0
// for none, as that is the guest's input.
type Files struct {
	Pack    int // to be read
	Scratch int // to be read and written
}

// rules are what a profile allows beside with these files.
func (f Files) rules() []rule {
	var rules []rule
	if f.Pack > 0 {
		rules = append(rules, when("pread64", equals(0, uint64(f.Pack))))
	}
	if f.Scratch > 0 {
		rules = append(rules, when("pread64", equals(0, uint64(f.Scratch))),
			when("pwrite64", equals(0, uint64(f.Scratch))))
	}
	return rules
}

// Program returns the filter of a profile, for a process with the given files. pid is the
// process: the only one that it may send signals to, which is how Go preempts goroutines.
func Program(p Profile, arch Arch, pid int, files Files) ([]bpf.RawInstruction, error) {
	audit := uint32(auditAMD64)
	if arch == ARM64 {
		audit = auditARM64
	}
	rules := rulesOf(p, arch, pid)
	if rules == nil || arch != AMD64 && arch != ARM64 {
		return nil, fmt.Errorf("seccomp: no profile %q for %q", p, arch)
	}
	rules = append(rules, files.rules()...)
	a := &assembler{code: make([]bpf.RawInstruction, 0, 256)}
	emit(a, bpf.LoadAbsolute{Off: offArch, Size: 4})
	emit(a, bpf.JumpIf{Cond: bpf.JumpEqual, Val: audit, SkipTrue: 1})
	emit(a, bpf.RetConstant{Val: retKill})
	emit(a, bpf.LoadAbsolute{Off: offNumber, Size: 4})
	if arch == AMD64 {
		emit(a, bpf.JumpIf{Cond: bpf.JumpLessThan, Val: x32Bit, SkipTrue: 1})
		emit(a, bpf.RetConstant{Val: retKill})
	}
	for i := range rules {
		nr, ok := number(rules[i].call, arch)
		if !ok {
			return nil, fmt.Errorf("seccomp: no number for %q on %q", rules[i].call, arch)
		}
		a.rule(&rules[i], nr)
	}
	emit(a, bpf.RetConstant{Val: retKill})
	return a.code, a.err
}

// assembler collects a program. A worker that starts has nothing in its caches,
// so that each allocation counts: instructions are never behind an interface.
type assembler struct {
	code []bpf.RawInstruction
	err  error // the first
}

func emit[I bpf.Instruction](a *assembler, instruction I) {
	raw, err := instruction.Assemble()
	if a.err == nil {
		a.err = err
	}
	a.code = append(a.code, raw)
}

// rule appends the instructions of one rule. They are entered with the system
// call's number in the accumulator and, unless they return, left with it there.
func (a *assembler) rule(r *rule, nr uint32) {
	// Where a jump leaves the rule: behind the verdict, and where the number has to be
	// loaded anew, at that.
	left := 1
	for _, c := range r.conds {
		left += c.instructions()
	}
	skip := left
	if left > 1 {
		skip++
	}
	emit(a, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: nr, SkipTrue: uint8(skip)})
	for _, c := range r.conds {
		for half := range 2 {
			mask, value := c.half(half)
			if mask == 0 {
				continue
			}
			// Both architectures are little-endian: the low half comes first.
			emit(a, bpf.LoadAbsolute{Off: uint32(offArgs + 8*c.arg + 4*half), Size: 4})
			left--
			if mask != ^uint32(0) {
				emit(a, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask})
				left--
			}
			left--
			emit(a, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: value, SkipTrue: uint8(left)})
		}
	}
	verdict := uint32(retAllow)
	if r.errno != 0 {
		verdict = retErrno | r.errno
	}
	emit(a, bpf.RetConstant{Val: verdict})
	if skip > left {
		emit(a, bpf.LoadAbsolute{Off: offNumber, Size: 4})
	}
}

// half returns the lower or the upper half of a condition.
func (c *cond) half(upper int) (mask, value uint32) {
	return uint32(c.mask >> (32 * upper)), uint32(c.value >> (32 * upper))
}

// instructions is how many a condition takes.
func (c *cond) instructions() (n int) {
	for half := range 2 {
		switch mask, _ := c.half(half); mask {
		case 0:
		case ^uint32(0):
			n += 2
		default:
			n += 3
		}
	}
	return n
}
