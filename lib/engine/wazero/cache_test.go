package wazero

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/engine"
	"plasm/test/guest"
	"plasm/test/loading"
)

// compiled returns a module's machine code.
func compiled(t *testing.T, module []byte) *os.File {
	t.Helper()
	code, err := loading.Code(t, Engine{}, module)
	must(t, err)
	return code
}

// TestCacheIsWazeros holds what this package knows of wazero's insides and the wazero
// that is linked together: an upgrade that changes them fails here.
func TestCacheIsWazeros(t *testing.T) {
	t.Parallel()
	if _, err := (&code{}).cache(); err != nil {
		t.Error(err)
	}
}

// TestCodeIsTheSame runs each guest that ends twice from one file.
func TestCodeIsTheSame(t *testing.T) {
	t.Parallel()
	for name, module := range guest.All() {
		if guest.Bad(name) || guest.Endless(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code := compiled(t, module)
			before, err := io.ReadAll(code)
			must(t, err)
			host := func() engine.Host {
				return engine.Host{
					Args: []string{"a"}, Env: []string{"A=b"}, Stdin: inputFile(t, "input\n"),
					StdinKnown: true,
				}
			}
			want := play(t, module, nil, host())
			for range 2 {
				if diff := cmp.Diff(want, play(t, module, code, host())); diff != "" {
					t.Errorf("again (-once +again):\n%s", diff)
				}
			}
			loading.Rewind(t, code)
			after, err := io.ReadAll(code)
			must(t, err)
			if !bytes.Equal(before, after) {
				t.Error("running has changed the machine code")
			}
		})
	}
}

// TestCodeIsUsed runs one module with the code of another, which only the
// supervisor's key and digest prevent: so nothing is compiled to load a module.
func TestCodeIsUsed(t *testing.T) {
	t.Parallel()
	other := compiled(t, named(t, "exit-255"))
	if got := play(t, named(t, "exit-3"), other, engine.Host{}); got.Result.ExitCode != 255 {
		t.Errorf("%+v: the module was compiled again", got)
	}
}

// TestCodeDamaged damages machine code in each way that wazero can see. It is
// refused: the module's skeleton, which would trap, never runs.
func TestCodeDamaged(t *testing.T) {
	t.Parallel()
	module := named(t, "args")
	data, err := io.ReadAll(compiled(t, module))
	must(t, err)
	refused := func(what string, data []byte) {
		t.Helper()
		if _, err := (Engine{}).Load(t.Context(), module, inputFile(t, string(data)), 1); !errors.Is(err,
			engine.ErrCode) {
			t.Errorf("%s: %v", what, err)
		}
	}
	changed := func(at int, b byte) []byte {
		data := bytes.Clone(data)
		data[at] += b
		return data
	}
	refused("empty", nil)
	refused("other magic", changed(0, 1))
	refused("other version", changed(7, 1))
	refused("version too far", changed(6, 255-data[6]))
	refused("code changed", changed(len(data)/2, 1))
	for n := range data {
		if n <= 64 || n >= len(data)-64 || n%37 == 0 {
			refused("cut short", data[:n])
		}
	}
}

// full takes so many bytes and no more.
type full struct{ left int }

var errFull = errors.New("full")

func (f *full) Write(p []byte) (int, error) {
	n := min(len(p), f.left)
	f.left -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

// TestCompileHasNoRoom does not blame the module for a file that takes no more.
func TestCompileHasNoRoom(t *testing.T) {
	t.Parallel()
	for _, left := range []int{0, 10} {
		if err := (Engine{}).Compile(t.Context(), named(t, "nothing"), &full{left}); !errors.Is(err, errFull) ||
			codeOf(err) != "" {
			t.Errorf("with room for %d bytes: %v", left, err)
		}
	}
}

// TestManyFunctions loads a module whose list of functions is longer than what is read
// of its machine code at a time.
func TestManyFunctions(t *testing.T) {
	t.Parallel()
	b := body(guest.Code{})
	for range 20_000 {
		b.Funcs = append(b.Funcs, guest.Func{})
	}
	if _, err := loading.Load(t, Engine{}, b.Bytes(), 1); err != nil {
		t.Error(err)
	}
}
