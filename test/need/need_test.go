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
	for want, ask := range map[string]func(testing.TB){
		"":                            func(tb testing.TB) { need.Program(tb, "sh", "-c", "exit 0") },
		"sh is not here: not tonight": func(tb testing.TB) { need.Program(tb, "sh", "-c", "echo not tonight; exit 1") },
		"no-such-program":             func(tb testing.TB) { need.Found(tb, "no-such-program") },
		"no clang that compiles for wasm32-wasi: ": func(tb testing.TB) { need.Clang(tb) },
	} {
		s := &skipped{TB: t}
		ask(s)
		why := strings.Join(s.why, "; ")
		if (why == "") != (want == "") || !strings.Contains(why, want) {
			t.Errorf("skipped for %q, want %q", why, want)
		}
	}
}
