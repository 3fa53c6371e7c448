package packages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"plasm/test/netlab"
)

// machine is a Debian machine in a container of systemd's, with a disk of its own
// over the root that all share, and a place on a lab's network.
type machine struct {
	t      *testing.T
	name   string
	space  string // its network
	disk   string
	groups []string // control groups, one for each hierarchy
	nspawn *exec.Cmd
	ended  chan struct{} // closed when nspawn has ended
	log    bytes.Buffer  // the console; after ended
	leader int           // process ID of its systemd
}

// boot starts a machine, whose disk is new. Packages are in its folder /packages.
func boot(t *testing.T, name string, at *netlab.Machine) *machine {
	t.Helper()
	needMachines(t)
	dir := t.TempDir()
	m := &machine{
		t: t, name: fmt.Sprintf("%s-%d", name, os.Getpid()), space: at.Namespace(),
		disk: filepath.Join(dir, "disk"),
	}
	for _, name := range []string{"upper", "work", "disk"} {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", rootImage(), dir, dir)
	must(t, syscall.Mount("overlay", m.disk, "overlay", 0, options))
	t.Cleanup(func() { must(t, syscall.Unmount(m.disk, 0)) })
	m.start()
	t.Cleanup(func() {
		if t.Failed() {
			journal, _ := m.try("journalctl", "--no-pager", "--boot", "--lines=200")
			t.Logf("%s:\n%s", name, journal)
		}
		m.stop()
	})
	return m
}

// hierarchies are the roots of the control groups in which systemd keeps its own.
func hierarchies() []string {
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		return []string{"/sys/fs/cgroup"}
	}
	return []string{"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"}
}

// start has the machine come up, and waits until it has.
func (m *machine) start() {
	m.t.Helper()
	m.groups = nil
	enter := ""
	for _, h := range hierarchies() {
		group := filepath.Join(h, "plasm-"+m.name)
		if err := os.Mkdir(group, 0o755); errors.Is(err, fs.ErrNotExist) {
			continue // one that is not mounted
		} else if err != nil {
			m.t.Fatal(err)
		}
		m.groups = append(m.groups, group)
		enter += "echo $$ > " + group + "/cgroup.procs; "
	}
	// In a group of its own, as two machines would else be in one. Landlock is not
	// among the calls that nspawn 252 allows.
	m.nspawn = exec.CommandContext(context.Background(), "sh", "-c",
		enter+`exec systemd-nspawn --quiet --register=no --keep-unit \
		--system-call-filter='landlock_create_ruleset landlock_add_rule landlock_restrict_self' \
		--link-journal=no --console=read-only --bind-ro="$4:/packages" \
		--machine="$1" --network-namespace-path="$2" --directory="$3" --boot`,
		"sh", m.name, m.space, m.disk, built())
	m.log.Reset()
	m.nspawn.Stdout, m.nspawn.Stderr = &m.log, &m.log
	must(m.t, m.nspawn.Start())
	m.ended = make(chan struct{})
	go func() { defer close(m.ended); _ = m.nspawn.Wait() }()
	m.leader = m.findLeader()
	m.until("running", func() error {
		out, err := m.try("systemctl", "is-system-running", "--wait")
		if err != nil {
			failed, _ := m.try("systemctl", "--failed", "--no-legend", "--plain")
			return fmt.Errorf("%s%s", out, failed)
		}
		return nil
	})
}

// findLeader waits for the machine's first process.
func (m *machine) findLeader() int {
	m.t.Helper()
	leader := 0
	m.until("started", func() error {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", m.nspawn.Process.Pid,
			m.nspawn.Process.Pid))
		if err != nil {
			return err
		}
		for child := range strings.FieldsSeq(string(children)) {
			if name, err := os.ReadFile("/proc/" + child + "/comm"); err == nil &&
				strings.TrimSpace(string(name)) == "systemd" {
				leader, err = strconv.Atoi(child)
				return err
			}
		}
		return errors.New("no systemd yet")
	})
	return leader
}

// until waits for something that a machine does not tell of.
func (m *machine) until(what string, is func() error) {
	m.t.Helper()
	late := time.After(patience)
	for {
		err := is()
		if err == nil {
			return
		}
		select {
		case <-late:
			m.t.Fatalf("%s is not %s: %v", m.name, what, err)
		case <-m.ended:
			m.t.Fatalf("%s has ended: %s", m.name, m.log.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop switches the machine off.
func (m *machine) stop() {
	m.t.Helper()
	_ = m.nspawn.Process.Signal(syscall.SIGTERM)
	select {
	case <-m.ended:
	case <-time.After(patience):
		m.t.Errorf("%s does not go down", m.name)
		_ = syscall.Kill(m.leader, syscall.SIGKILL) // and with it all of its processes
		_ = m.nspawn.Process.Kill()
		<-m.ended
	}
	for _, group := range m.groups {
		_ = filepath.WalkDir(group, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				defer func() { _ = os.Remove(path) }()
			}
			return nil
		})
		removeGroup(group)
	}
}

// removeGroup removes a control group and those in it, the innermost first.
func removeGroup(group string) {
	entries, err := os.ReadDir(group)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.IsDir() {
			removeGroup(filepath.Join(group, e.Name()))
		}
	}
	_ = os.Remove(group)
}

// command is a command on the machine, as root in a login.
func (m *machine) command(ctx context.Context, words ...string) *exec.Cmd {
	enter := []string{
		"--target", strconv.Itoa(m.leader), "--all", "--", "env", "-i",
		"HOME=/root", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8",
	}
	cmd := exec.CommandContext(ctx, "nsenter", append(enter, words...)...)
	cmd.WaitDelay = grace // nsenter can be killed, and what it has started goes on until the machine stops
	return cmd
}

// try runs a command on the machine and returns what it wrote to both streams.
func (m *machine) try(words ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := m.command(ctx, words...)
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%s: %s: %w\n%s", m.name, strings.Join(words, " "), err, &problem)
	}
	return out.String() + problem.String(), err
}

// do runs a command that must succeed, and returns its stdout.
func (m *machine) do(words ...string) string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	cmd := m.command(ctx, words...)
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		m.t.Fatalf("%s: %s: %v\n%s%s", m.name, strings.Join(words, " "), err, out, &problem)
	}
	return strings.TrimSpace(string(out))
}

// sh runs a line as somebody types it at the machine.
func (m *machine) sh(line string) string {
	m.t.Helper()
	return m.do("sh", "-c", line)
}
