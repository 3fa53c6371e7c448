package wasmtime

import (
	"strings"
	"testing"
	"unsafe"

	wt "github.com/bytecodealliance/wasmtime-go/v44"

	"plasm/test/guest"
)

// TestConfigIsAPointer holds what the settings that the Go interface has no name for
// rely on.
func TestConfigIsAPointer(t *testing.T) {
	t.Parallel()
	if unsafe.Sizeof(wt.Config{}) != unsafe.Sizeof(uintptr(0)) {
		t.Error("a Config is no longer one pointer")
	}
}

// TestFeaturesOff validates what each proposal brings that is not wanted, as only a
// worker that has been taken over would hand it on: of most of it preparation refuses
// the first byte.
func TestFeaturesOff(t *testing.T) {
	t.Parallel()
	const header = "\x00asm\x01\x00\x00\x00"
	module := func(sections string) []byte { return []byte(header + sections) }
	body := func(code string) []byte {
		return (&guest.Builder{Memory: &guest.Limits{Min: 1}, Funcs: []guest.Func{{Body: guest.Code(code)}}}).Bytes()
	}
	e := newEngine(newGrowth())
	if err := wt.ModuleValidate(e, body("\x01")); err != nil {
		t.Errorf("nop: %v", err)
	}
	for _, test := range []struct {
		words  string // of the refusal
		module []byte
	}{
		{"component model feature is not enabled", []byte("\x00asm\x0d\x00\x01\x00")},
		{"exceptions proposal not enabled", module("\x01\x04\x01\x60\x00\x00\x0d\x03\x01\x00\x00")},
		{"without the exception handling feature", module("\x06\x06\x01\x69\x00\xd0\x69\x0b")},
		{"without the gc feature", module("\x01\x03\x01\x5f\x00")},
		{"gc types are disallowed", module("\x06\x06\x01\x6e\x00\xd0\x6e\x0b")},
		{"gc types are disallowed", module("\x06\x06\x01\x6f\x00\xd0\x6f\x0b")}, // externref
		{"gc types are disallowed", module("\x06\x06\x01\x6c\x00\xd0\x6c\x0b")},
		{"function references required", module("\x01\x04\x01\x60\x00\x00\x06\x07\x01\x63\x00\x00\xd0\x00\x0b")},
		{"stack switching is disabled", module("\x01\x06\x02\x60\x00\x00\x5d\x00")},
		{"memory64 must be enabled", module("\x05\x03\x01\x04\x00")},
		{"multiple memories", module("\x05\x05\x02\x00\x00\x00\x00")},
		{"custom page sizes proposal must be enabled", module("\x05\x04\x01\x08\x00\x00")},
		{"threads must be enabled", module("\x05\x04\x01\x03\x00\x01")},
		{"threads support is not enabled", body("\xfe\x03\x00")},
		{"relaxed SIMD support is not enabled", body("\xfd\x0c" + zeros + "\xfd\x0c" + zeros + "\xfd\x80\x02\x1a")},
		{"wide arithmetic support is not enabled", body("\x42\x00\x42\x00\x42\x00\x42\x00\xfc\x13\x1a\x1a")},
	} {
		if err := wt.ModuleValidate(e, test.module); err == nil || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%v, want …%s…", err, test.words)
		}
	}
}

const zeros = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
