//go:build linux

package attack_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// numbers returns the numbers of system calls by their names, as
// golang.org/x/sys has them for this architecture.
func numbers(t *testing.T) map[string]string {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	must(t, err)
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "unix",
		"zsysnum_linux_"+runtime.GOARCH+".go"))
	must(t, err)
	all := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\s+SYS_(\w+)\s+= (\d+)$`).FindAllStringSubmatch(string(text), -1) {
		all[strings.ToLower(m[1])] = m[2]
	}
	return all
}

// serviceFilter is a filter like that of a service: other calls fail with EPERM,
// and clone3, whose flags no filter can see, with ENOSYS.
func serviceFilter(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "service-calls.txt"))
	must(t, err)
	nr := numbers(t)
	pairs := []string{nr["clone3"] + "=38"}
	for line := range strings.Lines(string(text)) {
		for name := range strings.FieldsSeq(line) {
			if strings.HasPrefix(line, "#") {
				break
			}
			if n, ok := nr[name]; ok {
				pairs = append(pairs, n+"=allow")
			}
		}
	}
	return []string{"1", strings.Join(pairs, ",")}
}

// refusing is a filter that answers some calls with an error.
func refusing(t *testing.T, errno int, calls ...string) []string {
	t.Helper()
	nr := numbers(t)
	var pairs []string
	for _, name := range calls {
		pairs = append(pairs, fmt.Sprintf("%s=%d", nr[name], errno))
	}
	return []string{"allow", strings.Join(pairs, ",")}
}
