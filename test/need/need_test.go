package need_test

import (
	"strings"
	"testing"

	"plasm/test/need"
)

// skipped is a test that notes why it is skipped, and goes on.
type skipped struct {
	testing.TB

	why []string
}

func (s *skipped) Helper() {}

func (s *skipped) Skip(args ...any) {
	for _, arg := range args {
		switch arg := arg.(type) {
		case error:
			s.why = append(s.why, arg.Error())
		case string:
			s.why = append(s.why, arg)
		}
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	t.Setenv("CLANG", "no-such-clang")
	s := &skipped{TB: t}
	need.Program(s, "sh", "-c", "exit 0")
	need.Program(s, "sh", "-c", "echo not tonight; exit 1")
	need.Found(s, "sh")
	need.Found(s, "no-such-program")
	need.Clang(s)
	need.Module(s, "no-such.wasm")
	want := []string{
		"sh is not here: not tonight", "no-such-program", "no clang that compiles for wasm32-wasi: ",
		"no no-such.wasm, which scripts/modules fetches",
	}
	if len(s.why) != len(want) {
		t.Fatalf("skipped for %q", s.why)
	}
	for i := range want {
		if !strings.Contains(s.why[i], want[i]) {
			t.Errorf("skipped for %q, want %q", s.why[i], want[i])
		}
	}
}
