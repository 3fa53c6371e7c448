package seccomp

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
)

var (
	pureProfiles = []Profile{Compile, Load, Mount, Run, ReadFolders, WriteFolders}
	allProfiles  = slices.Concat(pureProfiles, forC(pureProfiles))
	allArchs     = []Arch{AMD64, ARM64}
)

func forC(pure []Profile) []Profile {
	var all []Profile
	for _, p := range pure {
		all = append(all, p.WithC())
	}
	return all
}

// machine runs a filter as the kernel does.
type machine struct {
	*bpf.VM
	names map[uint32]string // of the calls by their numbers
}

func newMachine(t *testing.T, p Profile, arch Arch, names map[uint32]string) machine {
	t.Helper()
	raw, err := Program(p, arch, testPID, Files{})
	if err != nil {
		t.Fatal(err)
	}
	program, ok := bpf.Disassemble(raw)
	if !ok {
		t.Fatal("not all instructions are known")
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	return machine{vm, names}
}

// verdict returns what the filter answers. The virtual machine reads words as a
// network does, the kernel as the processor: so each half of an argument is
// written as a word of its own.
func (m machine) verdict(t *testing.T, nr, audit uint32, args [6]uint64) uint32 {
	t.Helper()
	data := binary.BigEndian.AppendUint32(nil, nr)
	data = binary.BigEndian.AppendUint32(data, audit)
	data = append(data, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff) // the instruction pointer
	for _, a := range args {
		data = binary.BigEndian.AppendUint32(data, uint32(a))
		data = binary.BigEndian.AppendUint32(data, uint32(a>>32))
	}
	n, err := m.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}

// kernelNumbers returns the names of system calls by their numbers, as
// golang.org/x/sys has them.
func kernelNumbers(t *testing.T, arch Arch) map[uint32]string {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "unix",
		fmt.Sprintf("zsysnum_linux_%s.go", arch)))
	if err != nil {
		t.Fatal(err)
	}
	names := map[uint32]string{}
	for _, m := range regexp.MustCompile(`(?m)^\s+SYS_(\w+)\s+= (\d+)$`).FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.ParseUint(m[2], 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		names[uint32(n)] = strings.ToLower(m[1])
	}
	return names
}

func auditOf(arch Arch) uint32 {
	return map[Arch]uint32{AMD64: 0xc000003e, ARM64: 0xc00000b7}[arch]
}

// forEach runs a test for each program.
func forEach(t *testing.T, test func(t *testing.T, p Profile, arch Arch, m machine)) {
	t.Helper()
	for _, arch := range allArchs {
		names := kernelNumbers(t, arch)
		for _, p := range allProfiles {
			t.Run(string(arch)+"/"+string(p), func(t *testing.T) {
				t.Parallel()
				test(t, p, arch, newMachine(t, p, arch, names))
			})
		}
	}
}

// TestNoArgumentIsTakenForANumber calls each number with arguments that are
// numbers of calls that are allowed.
func TestNoArgumentIsTakenForANumber(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, p Profile, arch Arch, m machine) {
		t.Helper()
		tempting := []uint64{0, ^uint64(0), 1 << 32}
		for nr, name := range m.names {
			if expected(p, arch, call{name: name}) == retAllow {
				tempting = append(tempting, uint64(nr))
			}
		}
		for nr := range uint32(601) {
			for _, a := range tempting {
				c := call{m.names[nr], [6]uint64{a, a, a, a, a, a}}
				if got, want := m.verdict(t, nr, auditOf(arch), c.args), expected(p, arch, c); got != want {
					t.Fatalf("call %d (%s) with %#x everywhere: %#x, want %#x", nr, c.name, a, got, want)
				}
			}
		}
	})
}

// TestEdgesOfArguments calls what has rules for its arguments with each bit of
// arguments that would do flipped.
func TestEdgesOfArguments(t *testing.T) {
	t.Parallel()
	bases := map[string][][6]uint64{
		// threads, C's threads, fork, vfork, namespaces
		"clone":   {{0xd0f00}, {0x50f00}, {0x3d0f00}, {17}, {0x4000 | 17}, {0x10000000}, {0x7e020000}},
		"futex":   {{0, 128}, {0, 129}, {0, 0}, {0, 1}, {0, 6}, {0, 12 | 128}, {0, 9 | 128}, {0, 9 | 128 | 256}},
		"tgkill":  {{testPID, testPID, 23}, {1, 1, 9}, {testPID + 1, 1, 9}, {0}},
		"getpgid": {{0x7ffffff5}, {0}, {1}},
		"mmap": {
			{0, 1, 3, 0x22},
			{0, 1, 0, 0x22},
			{0, 1, 3, 0x32},
			{0, 1, 3, 0x28},
			{0, 1, 7, 0x22},
			{0, 1, 3, 0x21},
			{0, 1, 3, 0x122},
			{0, 1, 3, 0x40022},
			{0, 1, 5, 0x40022},
			{0, 1, 1, 2},
			{0, 1, 3, 0x20022},
			{0, 1, 0, 0x4022},
			{0, 1, 7, 0x20022},
		},
		"madvise": {
			{0, 0, 4},
			{0, 0, 8},
			{0, 0, 14},
			{0, 0, 15},
			{0, 0, 25},
			{0, 0, 100},
			{0, 0, 101},
			{0, 0, 12},
			{0, 0, 9},
		},
		"prctl":    {{0x53564d41, 0}, {0x53564d41, 1}, {4, 1}, {1, 9}, {22, 2}, {38, 1}},
		"mprotect": {{0, 0, 0}, {0, 0, 1}, {0, 0, 3}, {0, 0, 5}, {0, 0, 4}, {0, 0, 7}, {0, 0, 6}},
		"fcntl": {
			{0, 3},
			{0, 4},
			{0, 4, 0o4000},
			{0, 4, 0o20000},
			{0, 0},
			{0, 1030, 5},
			{0, 8, 1},
			{0, 10, 9},
			{0, 1026, 1},
			{0, 1031, 1 << 20},
		},
		"openat": {
			{0, 0, 0},
			{0, 0, 0o2000000},
			{0, 0, 1},
			{0, 0, 2},
			{0, 0, 0o102},
			{0, 0, 0o1000},
			{0, 0, 0o2000},
			{0, 0, 0o20200000 | 2},
			{0, 0, 0o10000000},
		},
		"seccomp":    {{1, 1}, {0, 0}, {1, 0}, {1, 8}, {2, 0}, {3, 0}},
		"clone3":     {{0}},
		"mremap":     {{0, 1, 2, 1}, {0, 1, 2, 3}, {0, 1, 2, 0}},
		"ioctl":      {{2, 0x5401}, {0, 0x5412}, {0, 0x541b}},
		"membarrier": {{32}, {64}, {0}, {1}, {128, 1}},
	}
	forEach(t, func(t *testing.T, p Profile, arch Arch, m machine) {
		t.Helper()
		for nr, name := range m.names {
			for _, args := range bases[name] {
				for _, c := range variants(name, args) {
					if got, want := m.verdict(t, nr, auditOf(arch), c.args), expected(p, arch, c); got != want {
						t.Fatalf("%s%#x: %#x, want %#x", name, c.args, got, want)
					}
				}
			}
		}
	})
}

// variants returns a call with one argument changed in every way that matters.
func variants(name string, args [6]uint64) []call {
	all := []call{{name, args}}
	for i := range args {
		changed := []uint64{0, 1, ^uint64(0), args[i] | 0xffffffff<<32}
		for bit := range 64 {
			changed = append(changed, args[i]^1<<bit)
		}
		for _, a := range changed {
			c := call{name, args}
			c.args[i] = a
			all = append(all, c)
		}
	}
	return all
}

func TestOtherABIsAreKilled(t *testing.T) {
	t.Parallel()
	const auditI386, auditARM, auditX86BE = 0x40000003, 0x40000028, 0x8000003e
	forEach(t, func(t *testing.T, _ Profile, arch Arch, m machine) {
		t.Helper()
		for nr := range uint32(601) {
			for _, bits := range []uint32{0x40000000, 0x80000000, 0xc0000000} {
				if got := m.verdict(t, nr|bits, auditOf(arch), [6]uint64{}); got != retKill {
					t.Errorf("number %#x: %#x", nr|bits, got)
				}
			}
			for _, audit := range []uint32{
				0, auditI386, auditARM, auditX86BE,
				auditOf(AMD64) ^ auditOf(ARM64) ^ auditOf(arch),
			} {
				if got := m.verdict(t, nr, audit, [6]uint64{}); got != retKill {
					t.Errorf("number %d of architecture %#x: %#x", nr, audit, got)
				}
			}
		}
		if got := m.verdict(t, 0xffffffff, auditOf(arch), [6]uint64{}); got != retKill {
			t.Errorf("number -1: %#x", got)
		}
	})
}

// TestNumbersAreTheKernels compares numbers with those of golang.org/x/sys.
func TestNumbersAreTheKernels(t *testing.T) {
	t.Parallel()
	for _, arch := range allArchs {
		theirs := map[string]uint32{}
		for nr, name := range kernelNumbers(t, arch) {
			theirs[name] = nr
		}
		for name := range numbers {
			nr, ok := number(name, arch)
			if want, there := theirs[name]; ok != there || ok && nr != want {
				t.Errorf("%s on %s: %d (%v), want %d (%v)", name, arch, nr, ok, want, there)
			}
		}
		for _, name := range named() {
			if _, ok := numbers[name]; !ok {
				t.Errorf("%s: no number", name)
			}
		}
		if len(numbers) != len(named()) {
			t.Errorf("%d numbers, want %d", len(numbers), len(named()))
		}
	}
}

// TestPrograms holds the size of each program, so that a call more is noticed,
// and the rules of the kernel: length, jumps and how it ends.
func TestPrograms(t *testing.T) {
	t.Parallel()
	sizes := map[string]int{}
	for _, arch := range allArchs {
		for _, p := range allProfiles {
			raw, err := Program(p, arch, testPID, Files{})
			if err != nil {
				t.Fatal(err)
			}
			sizes[string(arch)+" "+string(p)] = len(raw)
			if len(raw) >= 4096 {
				t.Errorf("%s %s: %d instructions are more than the kernel takes", arch, p, len(raw))
			}
			if last := raw[len(raw)-1]; last != (bpf.RawInstruction{Op: 0x06, K: retKill}) {
				t.Errorf("%s %s: ends in %v", arch, p, last)
			}
			for i, r := range raw {
				if r.Op&0x07 == 0x05 && i+1+int(max(r.Jt, r.Jf)) >= len(raw) {
					t.Errorf("%s %s: instruction %d jumps out: %v", arch, p, i, r)
				}
			}
		}
	}
	golden := map[string]int{
		"amd64 compile": 183, "amd64 load": 201, "amd64 mount": 251,
		"amd64 run": 177, "amd64 read-folders": 213, "amd64 write-folders": 227,
		"arm64 compile": 181, "arm64 load": 199, "arm64 mount": 249,
		"arm64 run": 175, "arm64 read-folders": 211, "arm64 write-folders": 225,
		"amd64 c-compile": 241, "amd64 c-load": 287, "amd64 c-mount": 321,
		"amd64 c-run": 235, "amd64 c-read-folders": 271, "amd64 c-write-folders": 285,
		"arm64 c-compile": 253, "arm64 c-load": 299, "arm64 c-mount": 333,
		"arm64 c-run": 233, "arm64 c-read-folders": 269, "arm64 c-write-folders": 283,
	}
	for key, want := range golden {
		if sizes[key] != want {
			t.Errorf("%s: %d instructions, want %d", key, sizes[key], want)
		}
	}
	if len(golden) != len(sizes) {
		t.Errorf("sizes: %v", sizes)
	}
}

func TestUnknownPrograms(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		profile Profile
		arch    Arch
	}{{"", AMD64}, {"other", ARM64}, {Run, ""}, {Run, "riscv64"}} {
		if raw, err := Program(test.profile, test.arch, 1, Files{}); err == nil {
			t.Errorf("%q, %q: %d instructions, want an error", test.profile, test.arch, len(raw))
		}
	}
}
