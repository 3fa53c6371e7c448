package packages

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// patience is for what takes a moment on an idle machine.
const patience = 2 * time.Minute

// grace is what a command has that took too long, to say where it is.
const grace = 10 * time.Second

// What scripts/test-package says: where the packages are, and a Debian root.
const (
	packagesVariable = "PLASM_TEST_PACKAGES"
	rootVariable     = "PLASM_TEST_ROOT"
)

// Versions that scripts/test-package builds of the one tree.
const (
	oldVersion = "0.9.0"
	newVersion = "0.10.0"
)

func TestMain(m *testing.M) {
	if built() == "" {
		return
	}
	os.Exit(m.Run())
}

// built is the folder of the packages: in old one of a lower version, in new all of
// the other, in again those of new once more.
func built() string { return os.Getenv(packagesVariable) }

// needMachines skips a test of machines in containers where there can be none:
// scripts/test-package has tried to make one.
func needMachines(t *testing.T) {
	t.Helper()
	if rootImage() == "" {
		t.Skip("no Debian machines in containers: they take root, namespaces and debootstrap")
	}
}

func rootImage() string { return os.Getenv(rootVariable) }

// deb is where a machine has a package.
func deb(folder, version string) string {
	return fmt.Sprintf("/packages/%s/plasm_%s-1_amd64.deb", folder, version)
}

// inGroup is a command in a process group of its own. When its time is up the group
// is sent SIGQUIT, at which a Go program writes where its goroutines are; and what
// is left of it when the test ends is killed.
func inGroup(ctx context.Context, t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGQUIT) }
	cmd.WaitDelay = grace
	t.Cleanup(func() {
		if cmd.Process != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	})
	return cmd
}

// brief is a command that must end within patience.
func brief(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return inGroup(ctx, t, name, args...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
