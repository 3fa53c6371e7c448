// Package examples checks what the example modules do against what the standard
// library says they should. That plasm-run runs them as their READMEs show is
// tested in readme_test.go.
package examples

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// result is what a module left behind.
type result struct {
	stdout, stderr string
	exitCode       uint32
}

// runner instantiates the committed module name once a call.
func runner(t *testing.T, name string) func(t *testing.T, stdin []byte, args ...string) result {
	t.Helper()
	ctx := context.Background() // t.Context ends before the clean-up
	runtime := wazero.NewRuntime(ctx)
	t.Cleanup(func() {
		if err := runtime.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	wasi_snapshot_preview1.MustInstantiate(ctx, runtime)
	binary, err := os.ReadFile(filepath.Join(name, name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := runtime.CompileModule(ctx, binary)
	if err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T, stdin []byte, args ...string) result {
		t.Helper()
		var stdout, stderr bytes.Buffer
		config := wazero.NewModuleConfig().WithName("").WithArgs(append([]string{"module"}, args...)...).
			WithStdin(bytes.NewReader(stdin)).WithStdout(&stdout).WithStderr(&stderr)
		code := uint32(0)
		instance, err := runtime.InstantiateModule(ctx, compiled, config)
		if exit := (*sys.ExitError)(nil); errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		} else if err := instance.Close(ctx); err != nil {
			t.Fatal(err)
		}
		return result{stdout.String(), stderr.String(), code}
	}
}

// check fails the test unless the module ended well, in silence but for want.
func check(t *testing.T, got result, want string) {
	t.Helper()
	if got.exitCode != 0 || got.stderr != "" {
		t.Errorf("exit code %d, stderr %q", got.exitCode, got.stderr)
	}
	if got.stdout != want {
		t.Errorf("stdout is %.200q, want %.200q", got.stdout, want)
	}
}

// noise returns size bytes of every kind.
func noise(size int) []byte {
	data := make([]byte, size)
	_, _ = rand.Read(data) // never fails
	return data
}

func TestHello(t *testing.T) {
	t.Parallel()
	run := runner(t, "hello")
	inputs := map[string][]byte{
		"nothing":         {},
		"a word":          []byte("hello"),
		"one byte":        []byte("x"),
		"a line":          []byte("hello\n"),
		"every length":    []byte("aé€𝄞, aé€𝄞"),
		"bounds":          []byte("\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"),
		"overlong":        []byte("\xc0\xaf \xc1\xbf \xe0\x80\xaf \xe0\x9f\xbf \xf0\x80\x80\xaf \xf0\x8f\xbf\xbf"),
		"surrogates":      []byte("\xed\xa0\x80 \xed\xbf\xbf"),
		"beyond Unicode":  []byte("\xf4\x90\x80\x80 \xf5\x80\x80\x80 \xff"),
		"cut short":       []byte("a\xc3"),
		"cut in between":  []byte("\xe2\x82 \xf0\x9d\x84"),
		"continuation":    []byte("\x80\xbf"),
		"exactly a block": bytes.Repeat([]byte("é"), 32*1024),
		"more than that":  bytes.Repeat([]byte("a€"), 100_000),
		"noise":           noise(1 << 16),
	}
	for name, input := range inputs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, run(t, input), reversed(input))
		})
	}
}

// reversed is what hello does: the standard library, too, takes a byte that is
// not part of UTF-8 as one character.
func reversed(text []byte) string {
	var characters []string
	for len(text) > 0 {
		_, size := utf8.DecodeRune(text)
		characters = append(characters, string(text[:size]))
		text = text[size:]
	}
	slices.Reverse(characters)
	return strings.Join(characters, "")
}

func TestCat(t *testing.T) {
	t.Parallel()
	run := runner(t, "cat")
	for _, size := range []int{0, 1, 64 << 10, 64<<10 + 1, 1 << 20} {
		data := noise(size)
		check(t, run(t, data), string(data))
	}
}

func TestWordcount(t *testing.T) {
	t.Parallel()
	run := runner(t, "wordcount")
	tests := map[string]string{
		"":                                "0 0 0\n",
		"\n":                              "1 0 1\n",
		"no newline":                      "0 2 10\n",
		"one\ntwo three\n":                "2 3 14\n",
		" \t\v\f\r\n a \n":                "2 1 10\n",
		"höher":                           "0 1 6\n",
		strings.Repeat("word ", 20_000):   "0 20000 100000\n",
		strings.Repeat("x", 64<<10) + "y": "0 1 65537\n",
	}
	for input, want := range tests {
		check(t, run(t, []byte(input)), want)
	}
}

func TestSHA256(t *testing.T) {
	t.Parallel()
	run := runner(t, "sha256")
	sizes := []int{64 << 10, 64<<10 + 55, 64<<10 + 56, 1 << 20}
	for size := range 130 { // every way in which a block can end
		sizes = append(sizes, size)
	}
	for _, size := range sizes {
		data := noise(size)
		sum := sha256.Sum256(data)
		check(t, run(t, data), hex.EncodeToString(sum[:])+"\n")
	}
}

func TestMandelbrot(t *testing.T) {
	t.Parallel()
	run := runner(t, "mandelbrot")
	shown, err := os.ReadFile("mandelbrot/mandelbrot.png")
	if err != nil {
		t.Fatal(err)
	}
	check(t, run(t, nil), string(shown))

	for _, size := range [][2]int{{1, 1}, {2, 3}, {300, 20}, {1000, 2}, {64, 64}} {
		width, height := size[0], size[1]
		got := run(t, nil, fmt.Sprint(width), fmt.Sprint(height))
		check(t, got, got.stdout)
		picture, err := png.Decode(strings.NewReader(got.stdout))
		if err != nil {
			t.Errorf("%d by %d: %v", width, height, err)
			continue
		}
		if b := picture.Bounds(); b.Dx() != width || b.Dy() != height {
			t.Errorf("%d by %d: the picture is %v", width, height, b)
		}
		for y := range height { // the set is its own mirror image
			for x := range width {
				if picture.At(x, y) != picture.At(x, height-1-y) {
					t.Fatalf("%d by %d: row %d is not the mirror of row %d", width, height, y, height-1-y)
				}
			}
		}
	}
}

func TestMandelbrotUsage(t *testing.T) {
	t.Parallel()
	run := runner(t, "mandelbrot")
	for _, args := range [][]string{
		{"1"},
		{"1", "2", "3"},
		{"0", "1"},
		{"1", "-1"},
		{"1", "16385"},
		{"1", "x"},
		{"", "1"},
		{"1x", "1"},
	} {
		want := result{"", "usage: mandelbrot [WIDTH HEIGHT], each 1 to 16384\n", 2}
		if got := run(t, nil, args...); got != want {
			t.Errorf("mandelbrot %q: %+v, want %+v", args, got, want)
		}
	}
}

func TestModulesAreSmall(t *testing.T) {
	t.Parallel()
	modules, err := filepath.Glob("*/*.c")
	if err != nil || len(modules) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	for _, source := range modules {
		info, err := os.Stat(strings.TrimSuffix(source, ".c") + ".wasm")
		if err != nil {
			t.Error(err)
		} else if info.Size() > 32<<10 {
			t.Errorf("%s has %d bytes: what is in there?", info.Name(), info.Size())
		}
	}
}
