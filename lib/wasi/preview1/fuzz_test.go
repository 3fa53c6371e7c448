package preview1

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"plasm/lib/wasi"
	"plasm/lib/wasi/live"
)

// program is a program with a folder that it may change and one that it may not, both with
// a file, a folder and a link.
func program(t *testing.T) *Guest {
	t.Helper()
	base := t.TempDir()
	c := wasi.Config{Args: []string{"module", "one"}, Env: []string{"A=b"}, StdinKnown: true, Stdout: io.Discard}
	for _, guest := range []string{"/rw", "/ro"} {
		root := filepath.Join(base, guest)
		must(t, os.MkdirAll(filepath.Join(root, "dir"), 0o700))
		must(t, os.WriteFile(filepath.Join(root, "file"), []byte("content"), 0o600))
		must(t, os.Symlink("file", filepath.Join(root, "link")))
		dir, err := live.Open(root, guest == "/ro")
		must(t, err)
		c.Preopens = append(c.Preopens, wasi.Preopen{Guest: guest, Dir: dir})
	}
	g := guestWith(t, c)
	for _, path := range []string{"file", "dir"} { // descriptors 5 and 6
		n, errno := wasi.Open(c.Preopens[0].Dir, path, false, wasi.OpenOptions{Read: true, Write: path == "file"})
		if errno != 0 {
			t.Fatal(errno)
		}
		d := g.descriptors.Get(3).child(wasi.NewDescriptor(n, wasi.Flags{}), dirRights|fileRights, dirRights|fileRights)
		if _, errno := g.descriptors.Add(d); errno != 0 {
			t.Fatal(errno)
		}
	}
	return g
}

// TestJunk calls every function with what engines leave above 32 bits: it must not matter.
func TestJunk(t *testing.T) {
	t.Parallel()
	for _, f := range Functions() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			var ends [2][]byte
			for i, junk := range []uint64{0, 0xdeadbeef << 32} {
				stack := make([]uint64, max(1, len(f.Params)))
				for n, p := range f.Params {
					stack[n] = uint64(8 * n)
					if p == I32 {
						stack[n] |= junk
					}
				}
				mem := page()
				err := program(t).Call(f, mem, stack)
				if err != nil && !errors.Is(err, ErrExited) {
					t.Fatal(err)
				}
				ends[i] = binary.LittleEndian.AppendUint64(mem, stack[0]&math.MaxUint32*uint64(len(f.Results)))
			}
			if !bytes.Equal(ends[0], ends[1]) {
				t.Error("junk above 32 bits counts")
			}
		})
	}
}

// TestNoMemory calls every function without memory: those that need it say so.
func TestNoMemory(t *testing.T) {
	t.Parallel()
	for _, f := range Functions() {
		stack := make([]uint64, max(1, len(f.Params)))
		err := program(t).Call(f, nil, stack)
		if want := slices.Contains(f.Params, I32) && f.memory; errors.Is(err, ErrNoMemory) != want {
			t.Errorf("%s: %v", f.Name, err)
		}
		if err := program(t).Call(f, []byte{}, stack); errors.Is(err, ErrNoMemory) {
			t.Errorf("%s: memory of 0 pages is none", f.Name)
		}
	}
}

// FuzzCall calls functions one after the other with random arguments and memory, as a
// program could: nothing panics, nothing hangs, and only memory that is there is written.
func FuzzCall(f *testing.F) {
	for i := range functions {
		for _, at := range []uint64{0, 8, 256, 4090, math.MaxUint32, math.MaxUint64} {
			call := []byte{byte(i)}
			for n := range uint64(9) {
				call = binary.LittleEndian.AppendUint64(call, at+n)
			}
			f.Add(call, []byte("\x10\x00\x00\x00\x04\x00\x00\x00file"))
		}
	}
	f.Fuzz(func(t *testing.T, calls, content []byte) {
		g := program(t)
		const size = 4096
		room := make([]byte, size+64) // behind memory stands what must stay
		mem := room[:size]
		copy(mem, content)
		for calls := calls; len(calls) > 0 && len(calls) < 4096; {
			f := functions[int(calls[0])%len(functions)]
			calls = calls[1:]
			stack := make([]uint64, max(1, len(f.Params)))
			for i := range f.Params {
				var b [8]byte
				calls = calls[copy(b[:], calls):]
				stack[i] = binary.LittleEndian.Uint64(b[:])
			}
			switch err := g.Call(f, mem, stack); {
			case errors.Is(err, ErrExited):
				return
			case err != nil:
				t.Fatalf("%s: %v", f.Name, err)
			case stack[0] > uint64(wasi.ENOTCAPABLE):
				t.Fatalf("%s returns %d", f.Name, stack[0])
			}
		}
		if !bytes.Equal(room[size:], make([]byte, 64)) {
			t.Fatal("it was written behind memory")
		}
	})
}
