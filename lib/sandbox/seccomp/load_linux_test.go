package seccomp

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// build builds testdata/confined.
func build(t *testing.T) string {
	t.Helper()
	command := filepath.Join(t.TempDir(), "confined")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", command, "./testdata/confined")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return command
}

func TestApply(t *testing.T) {
	t.Parallel()
	command := build(t)
	tests := []struct{ does, want string }{
		{"threads", `^<nil> true\ntrue <nil>\n(NoNewPrivs: 1\nSeccomp: 2\n){5,}$`},
		{"disobedient thread", `^<nil>\nseccomp: thread \d+ did not follow\nfalse\n$`},
		{"twice", ""}, // dies: after the second filter there is no third
		{"churn", `^20000\n$`},
	}
	for _, test := range tests {
		t.Run(test.does, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), command, test.does)
			cmd.Env = []string{"GODEBUG=containermaxprocs=0,updatemaxprocs=0"}
			out, err := cmd.CombinedOutput()
			if test.want == "" {
				if err == nil || !strings.Contains(err.Error(), "bad system call") || len(out) > 0 {
					t.Errorf("got %v, %q, want death by a bad system call", err, out)
				}
				return
			}
			if err != nil || !regexp.MustCompile(test.want).Match(out) {
				t.Errorf("got %v, %q, want %s", err, out, test.want)
			}
		})
	}
}
