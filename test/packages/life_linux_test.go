package packages

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"plasm/lib/control"
	"plasm/lib/job"
	"plasm/test/guest"
	"plasm/test/netlab"
)

const hello = "/usr/share/doc/plasm/examples/hello/hello.wasm"

// install installs packages as the pages say.
func (m *machine) install(files ...string) {
	m.t.Helper()
	m.do(append([]string{"apt-get", "install", "--yes", "--quiet"}, files...)...)
}

// status is what the machine's node says of itself.
func (m *machine) status() *control.Status {
	m.t.Helper()
	var s control.Status
	if err := json.Unmarshal([]byte(m.do("plasmd", "status", "--json")), &s); err != nil {
		m.t.Fatal(err)
	}
	return &s
}

// TestLife is the life of a package on two machines that share a wire.
func TestLife(t *testing.T) {
	t.Parallel()
	lan := netlab.New(t).LAN("node", "user")
	user := boot(t, "user", lan[1])
	user.prepare("new")
	node := boot(t, "node", lan[0])
	node.prepare("old")
	before := node.tree()

	begun := time.Now()
	id := follow(t, steps(t, "README.md"), map[string]*machine{"node": node, "user": user})["node"]
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("from two new machines to a verified receipt took %v", took)
	}
	user.do("plasm-verify", "--signer", id, "--require-guards", strings.Join(job.Guards(), ","),
		"/home/"+person+"/receipt.json")
	// root goes on in the user's name
	for _, file := range []string{".config/plasm/trust", ".local/share/plasm/key.pem"} {
		user.sh("mkdir -p -m 700 $(dirname /root/" + file + ") && cp /home/" + person + "/" + file + " /root/" + file)
	}
	node.checkClosed(user, id)
	follow(t, only(steps(t, "docs/install.md"), "node"), map[string]*machine{"node": node})
	user.until("told of a node with the engine", func() error {
		_, err := user.try("sh", "-c", "plasm-discover --engine wasmtime --timeout 2s | grep -F "+id)
		return err
	})
	node.checkService()
	node.checkFiles()
	node.checkRestart(id)

	node.stop()
	node.start()
	if now := node.do("plasmd", "identity"); now != id {
		t.Errorf("after a reboot the node is %s, was %s", now, id)
	}
	user.waitFor(id)
	node.checkUpgrade(user, id)

	node.do("apt-get", "remove", "--yes", "--quiet", "plasm")
	node.sh("test -s /var/lib/plasmd/key.pem && grep -q . /var/lib/plasmd/allow && test -s /etc/plasmd/plasmd.toml")
	node.sh("! systemctl -q is-active plasmd && ! grep -q plasm /proc/[0-9]*/comm")
	node.install(deb("new", newVersion))
	if now := node.do("plasmd", "identity"); now != id {
		t.Errorf("installed again after it was removed the node is %s, was %s", now, id)
	}

	node.do("apt-get", "purge", "--yes", "--quiet", "plasm")
	if left := difference(node.tree(), before); len(left) > 0 {
		t.Errorf("purging leaves\n%s", strings.Join(left, "\n"))
	}
	node.sh("! getent passwd plasmd && ! getent group plasmd")
	node.install(deb("new", newVersion))
	if now := node.do("plasmd", "identity"); now == id {
		t.Errorf("after a purge the node is still %s", now)
	}
}

// checkClosed has somebody submit whom the node does not allow.
func (m *machine) checkClosed(user *machine, id string) {
	m.t.Helper()
	user.waitFor(id)
	out, err := user.try("sh", "-c", "echo -n hello | plasm-submit --key /tmp/other.pem --signer "+id+" "+hello)
	if err == nil || !strings.Contains(out, "sudo plasmd allow 12D3KooW") {
		m.t.Errorf("somebody whom the node does not allow: %v: %s", err, out)
	}
}

// waitFor has a machine look for a node until it is found.
func (m *machine) waitFor(id string) {
	m.t.Helper()
	m.until("told of "+id, func() error {
		_, err := m.try("sh", "-c", "plasm-discover --timeout 2s | grep -F "+id)
		return err
	})
}

// checkService looks at the running service.
func (m *machine) checkService() {
	m.t.Helper()
	m.do("systemctl", "is-enabled", "plasmd.service")
	s := m.status()
	if !slices.Equal(s.Node.Guards, job.Guards()) {
		m.t.Errorf("below the unit workers have the guards %v", s.Node.Guards)
	}
	for property, want := range map[string]string{"User": "plasmd", "WatchdogUSec": "1min", "KillMode": "mixed"} {
		if got := m.do("systemctl", "show", "--property="+property, "--value", "plasmd"); got != want {
			m.t.Errorf("%s is %s, want %s", property, got, want)
		}
	}
	shown := m.do("systemd-analyze", "security", "--no-pager", "plasmd.service")
	exposure := regexp.MustCompile(`Overall exposure level for plasmd.service: ([0-9.]+)`).FindStringSubmatch(shown)
	if exposure == nil {
		m.t.Fatalf("systemd-analyze: %s", shown)
	}
	if n, err := strconv.ParseFloat(exposure[1], 64); err != nil || n > 2 {
		m.t.Errorf("exposure %v: %s", exposure[1], shown)
	}
	m.t.Logf("exposure of the unit: %s", exposure[1])
	m.checkDoctor()
	m.sh("! journalctl --unit=plasmd --grep='level=(WARN|ERROR)' --no-pager --quiet")
	// Members of the group may ask; others may find, and are told what is public.
	m.do("useradd", "--groups", "plasmd", "member")
	m.do("useradd", "stranger")
	m.do("setpriv", "--reuid=member", "--regid=member", "--init-groups", "plasmd", "status")
	stranger := []string{"setpriv", "--reuid=stranger", "--regid=stranger", "--init-groups"}
	if out, err := m.try(append(stranger, "plasmd", "status")...); err != nil ||
		!strings.Contains(out, s.Node.PeerID) || !strings.Contains(out, "group") || strings.Contains(out, "/allow") {
		m.t.Errorf("a stranger asks the node: %v: %s", err, out)
	}
	if out := m.do(append(stranger, "plasmd", "identity")...); out != s.Node.PeerID {
		m.t.Errorf("a stranger is told that the node is %q", out)
	}
	if out, err := m.try(append(stranger, "plasmd", "allow", "any")...); err == nil || !strings.Contains(out, "group") {
		m.t.Errorf("a stranger allows everybody: %v: %s", err, out)
	}
	if out := m.do(append(stranger, "plasmd", "doctor")...); strings.Contains(out, "failed") ||
		!regexp.MustCompile(`(?m)^unknown +node +`+s.Node.PeerID).MatchString(out) ||
		!regexp.MustCompile(`(?m)^ok +ports +.*/ip4/10\.`).MatchString(out) {
		m.t.Errorf("a stranger looks the node over: %s", out)
	}
	m.do("setpriv", "--reuid=stranger", "--regid=stranger", "--init-groups", "env", "HOME=/tmp", "plasm-discover",
		"--mdns=false")
	m.do("userdel", "member")
	m.do("userdel", "stranger")
}

// checkDoctor has the node looked over: there is nothing that must be mended, and
// what is broken on purpose is found.
func (m *machine) checkDoctor() {
	m.t.Helper()
	report := m.do("plasmd", "doctor")
	for _, line := range []string{
		`(?m)^ok +settings +/etc/plasmd/plasmd\.toml$`, `(?m)^ok +key +/var/lib/plasmd/key\.pem`,
		`(?m)^ok +allow +1 may submit`,
		`(?m)^ok +worker +/usr/bin/plasm-run, version ` + regexp.QuoteMeta(oldVersion), `(?m)^ok +guards`,
		`(?m)^ok +ports +.*/ip4/10\.`, `(?m)^ok +peers`,
	} {
		if !regexp.MustCompile(line).MatchString(report) {
			m.t.Errorf("plasmd doctor does not say %s:\n%s", line, report)
		}
	}
	m.do("chmod", "0640", "/var/lib/plasmd/key.pem")
	if out, err := m.try("plasmd", "doctor"); err == nil ||
		!strings.Contains(out, "hint: sudo -u plasmd chmod 600 /var/lib/plasmd/key.pem") {
		m.t.Errorf("a key that a group can read: %v: %s", err, out)
	}
	m.do("chmod", "0600", "/var/lib/plasmd/key.pem")
	m.do("systemctl", "stop", "plasmd")
	if out, err := m.try("plasmd", "doctor"); err == nil ||
		!strings.Contains(out, "hint: sudo systemctl start plasmd") {
		m.t.Errorf("a node that was stopped: %v: %s", err, out)
	}
	m.do("systemctl", "start", "plasmd")
}

// checkFiles looks at what the node keeps.
func (m *machine) checkFiles() {
	m.t.Helper()
	for file, want := range map[string]string{
		"/var/lib/plasmd":          "700 plasmd plasmd",
		"/var/lib/plasmd/key.pem":  "600 plasmd plasmd",
		"/var/lib/plasmd/allow":    "644 plasmd plasmd",
		"/run/plasmd":              "755 plasmd plasmd",
		"/run/plasmd/control.sock": "660 plasmd plasmd",
		"/run/plasmd/addrs":        "644 plasmd plasmd",
		"/etc/plasmd/plasmd.toml":  "644 root root",
	} {
		if got := m.do("stat", "--format=%a %U %G", file); got != want {
			m.t.Errorf("%s is %s, want %s", file, got, want)
		}
	}
}

// checkRestart kills the node, and has it be stuck.
func (m *machine) checkRestart(id string) {
	m.t.Helper()
	m.override("RestartSec=0", "WatchdogSec=2")
	m.do("systemctl", "restart", "plasmd")
	for _, signal := range []string{"KILL", "STOP"} {
		pid := m.do("systemctl", "show", "--property=MainPID", "--value", "plasmd")
		m.sh("kill -" + signal + " " + pid)
		m.until("back after SIG"+signal, func() error {
			out, err := m.try("sh", "-c", "test $(systemctl show --property=MainPID --value plasmd) -ne "+pid+
				" && plasmd status")
			if err == nil && !strings.Contains(out, id) {
				m.t.Errorf("it is another node after SIG%s: %s", signal, out)
			}
			return err
		})
	}
	m.override()
	m.do("systemctl", "restart", "plasmd")
}

// override has the unit say something else, or what the package says.
func (m *machine) override(lines ...string) {
	m.t.Helper()
	m.sh("mkdir -p /run/systemd/system/plasmd.service.d && printf '" +
		strings.Join(append([]string{"[Service]"}, lines...), "\\n") +
		"\\n' > /run/systemd/system/plasmd.service.d/test.conf && systemctl daemon-reload")
}

// checkUpgrade upgrades the package while a job runs.
func (m *machine) checkUpgrade(user *machine, id string) {
	m.t.Helper()
	module, err := guest.Module("tick-long")
	must(m.t, err)
	must(m.t, os.WriteFile(filepath.Join(user.disk, "tick.wasm"), module, 0o600))
	m.sh("echo '# edited' >> /etc/plasmd/plasmd.toml")
	kept := "cat /etc/plasmd/plasmd.toml /var/lib/plasmd/allow /var/lib/plasmd/key.pem"
	before := m.sh(kept)

	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	submitting := user.command(ctx, "plasm-submit", "--deterministic=false", "--no-stdin", "--signer", id, "--receipt",
		"/tick.json", "/tick.wasm")
	var out, problem strings.Builder
	submitting.Stdout, submitting.Stderr = &out, &problem
	must(m.t, submitting.Start())
	m.until("running the job", func() error {
		_, err := m.try("journalctl", "--boot", "--unit=plasmd", "--grep=job.started", "--quiet")
		return err
	})
	m.override("TimeoutStopSec=1") // too short for the job: the node asks for what it needs
	starts := "journalctl --boot --unit=plasmd --grep=node.ready --output=cat --no-pager | wc -l"
	started := m.sh(starts)
	m.install(deb("new", newVersion), engineDeb("new", newVersion))
	m.override()
	if want, err := strconv.Atoi(started); err != nil || m.sh(starts) != strconv.Itoa(want+1) {
		m.t.Errorf("the upgrade of both packages started the node %s times less %s", m.sh(starts), started)
	}
	if err := submitting.Wait(); err != nil || out.String() != strings.Repeat("tick\n", 200) {
		m.t.Errorf("a job during an upgrade: %v: %s", err, problem.String())
	}
	user.do("plasm-verify", "--signer", id, "--module", "/tick.wasm", "--expect-exit", "0", "/tick.json")
	if got := user.ranOn("/tick.json"); got != "wasmtime" {
		m.t.Errorf("the job ran on %s", got)
	}

	if version, engines := m.status().Node.Version, m.engines(); version != newVersion ||
		engines != " wasmtime wazero" {
		m.t.Errorf("after the upgrade the node is of version %s, and has%s", version, engines)
	}
	m.sh("! journalctl --unit=plasmd --grep='engine left out' --no-pager --quiet")
	if m.sh(kept) != before {
		m.t.Error("the upgrade changed key, allow file or configuration")
	}
	if out := user.sh("echo -n hello | plasm-submit --signer " + id + " " + hello); out != "olleh" {
		m.t.Errorf("after the upgrade the job wrote %q", out)
	}
}

// tree lists the machine's files that a package could leave.
func (m *machine) tree() []string {
	m.t.Helper()
	return strings.Split(m.sh(`find / -xdev \( -path /packages \
		-o -path /proc -o -path /sys -o -path /dev -o -path /tmp \
		-o -path /var/log -o -path /var/cache \
		-o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /run/systemd -o -path /run/udev \
		-o -path /root -o -path /var/tmp \) -prune -o -print | sort`), "\n")
}

// difference returns what is in a list and not in the other, but for what any
// package leaves.
func difference(list, other []string) []string {
	var all []string
	for _, name := range list {
		if !slices.Contains(other, name) && !strings.HasSuffix(name, "-") {
			all = append(all, name)
		}
	}
	return all
}
