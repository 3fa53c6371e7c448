package seccomp

import (
	"testing"

	"golang.org/x/net/bpf"
)

// TestFiles: with every profile that has no folders of the host, a file is read or written at
// an offset by no other descriptor than its own.
func TestFiles(t *testing.T) {
	t.Parallel()
	for arch, audit := range map[Arch]uint32{AMD64: auditAMD64, ARM64: auditARM64} {
		for _, p := range []Profile{Load, Run, Load.WithC(), Run.WithC()} {
			raw, err := Program(p, arch, testPID, Files{Pack: 7, Scratch: 8})
			if err != nil {
				t.Fatal(err)
			}
			program, _ := bpf.Disassemble(raw)
			vm, err := bpf.NewVM(program)
			if err != nil {
				t.Fatal(err)
			}
			m := machine{VM: vm}
			for call, allowed := range map[string][]uint64{"pread64": {7, 8}, "pwrite64": {8}} {
				nr, _ := number(call, arch)
				for _, fd := range []uint64{0, 1, 3, 4, 6, 7, 8, 9, 7 | 1<<32, 1 << 63} {
					want := uint32(retKill)
					for _, a := range allowed {
						if fd == a {
							want = retAllow
						}
					}
					if got := m.verdict(t, nr, audit, [6]uint64{fd}); got != want {
						t.Errorf("%s on %s: %s of %#x is %#x, want %#x", p, arch, call, fd, got, want)
					}
				}
			}
		}
	}
}
