package packages

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"plasm/test/netlab"
)

// The states that the service may be in before something is done to the package, and
// what leads there from a fresh installation.
var befores = map[string]string{
	"running":          "true",
	"stopped":          "systemctl stop plasmd",
	"disabled":         "systemctl disable --now plasmd",
	"running, no boot": "systemctl disable plasmd",
	"masked":           "systemctl mask --now plasmd",
}

// after is the service afterwards: what systemctl is-active and is-enabled say, by the
// state before.
type after map[string]string

var (
	// What is done on the way to another version, and what comes to nothing, leaves the
	// service as it was.
	kept = after{
		"running": "active enabled", "stopped": "inactive enabled", "disabled": "inactive disabled",
		"running, no boot": "active disabled", "masked": "inactive masked",
	}
	// An installation starts it, but where the administrator has said for good that it
	// does not start.
	begun = after{
		"running": "active enabled", "stopped": "active enabled", "disabled": "inactive disabled",
		"running, no boot": "inactive disabled", "masked": "inactive masked",
	}
	// After a purge nothing is left of that but what is no file of the package's.
	fresh = after{
		"running": "active enabled", "stopped": "active enabled", "disabled": "active enabled",
		"running, no boot": "active enabled", "masked": "inactive masked",
	}
)

// dpkgCases are the ways in which dpkg calls the scripts (Debian's policy, chapter 6.5
// and the flowcharts of its appendix). first is installed before, OLD and NEW are the
// packages of two versions, and those in /root are made by breakPackages.
var dpkgCases = []struct {
	name, first, then string
	want              after
	all               bool // from each state, and not from the first two alone
}{
	{"upgrade", "OLD", "dpkg -i NEW", kept, true},
	{"downgrade", "NEW", "dpkg -i --force-downgrade OLD", kept, false},
	{"reinstallation", "NEW", "dpkg -i NEW", kept, false},
	{"reconfiguration", "NEW", "dpkg-reconfigure plasm", kept, false},
	{"removal and installation", "NEW", "dpkg -r plasm; dpkg -i NEW", begun, true},
	{"removal and installation of another version", "OLD", "dpkg -r plasm; dpkg -i NEW", begun, false},
	{"purge and installation", "NEW", "dpkg -P plasm; dpkg -i NEW", fresh, true},
	{"preinst fails", "OLD", "! dpkg -i /root/preinst.deb", kept, true},
	{"preinst fails, then an upgrade", "OLD", "! dpkg -i /root/preinst.deb; dpkg -i NEW", kept, false},
	{"postinst fails, then an upgrade", "OLD", "! dpkg -i /root/postinst.deb; dpkg -i NEW", kept, true},
	{"prerm fails in a removal", "/root/prerm.deb", "! dpkg -r plasm", kept, false},
	{"prerm fails in an upgrade", "/root/prerm.deb", "dpkg -i NEW", kept, false},
	{"postrm fails in an upgrade", "/root/postrm.deb", "dpkg -i NEW", kept, false},
}

// breakPackages makes packages with a script that ends with 1: preinst and postinst of
// the new version, prerm and postrm of the old one.
func (m *machine) breakPackages() {
	m.t.Helper()
	for script, of := range map[string]string{
		"preinst": deb("new", newVersion), "postinst": deb("new", newVersion), "prerm": deb("old", oldVersion),
		"postrm": deb("old", oldVersion),
	} {
		edit := "echo exit 1 >> /root/p/DEBIAN/" + script
		if script == "postinst" { // before it has done anything
			edit = "sed -i 's/^set -e$/exit 1/' /root/p/DEBIAN/" + script
		}
		m.sh("rm -rf /root/p && dpkg-deb -R " + of + " /root/p && " + edit + " && dpkg-deb -Znone -b /root/p /root/" +
			script + ".deb && rm -rf /root/p")
	}
}

// TestScripts does to the package what dpkg can do, from each state of the service.
func TestScripts(t *testing.T) { //nolint:tparallel // its rows share a machine
	t.Parallel()
	m := boot(t, "scripts", netlab.New(t).Alone("scripts"))
	m.breakPackages()
	m.pretend()
	names := strings.NewReplacer("OLD", deb("old", oldVersion), "NEW", deb("new", newVersion))
	for _, c := range dpkgCases {
		states := []string{"running", "stopped"}
		if c.all {
			states = append(states, "disabled", "running, no boot", "masked")
		}
		for _, state := range states {
			t.Run(c.name+"/"+state, func(t *testing.T) {
				m.row(t, names.Replace("dpkg -i "+c.first+"\n"+befores[state]+"\n"+
					strings.ReplaceAll(c.then, "; ", "\n")), c.want[state])
			})
			m.sh("systemctl stop plasmd; systemctl unmask plasmd; rm -f /var/lib/dpkg/info/plasm.prerm; dpkg -P " +
				"plasm && systemctl daemon-reload && systemctl reset-failed")
		}
	}
}

// pretend has the service run something that starts at once: what is tested is when it
// starts and stops.
func (m *machine) pretend() {
	m.t.Helper()
	m.override("Type=exec", "ExecStart=", "ExecStart=/bin/sleep infinity", "NoExecPaths=", "ExecPaths=",
		"WatchdogSec=0")
}

// row does the steps of a case, which must all succeed, and compares what has become of
// the service.
func (m *machine) row(t *testing.T, steps, want string) {
	t.Helper()
	lines := strings.Split(steps, "\n")
	for i, line := range lines {
		if failing, ok := strings.CutPrefix(line, "! "); ok {
			lines[i] = "if " + failing + "; then exit 99; fi"
		}
	}
	out, err := m.try("sh", "-c", "set -e\n"+strings.Join(lines, "\n"))
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	got := strings.Join(strings.Fields(m.sh("systemctl is-active plasmd; systemctl is-enabled plasmd; true")), " ")
	if got != want {
		t.Errorf("the service is %s, want %s\n%s", got, want, out)
	}
	if left, err := m.try("sh", "-c", "dpkg --audit; ls /run/plasm-before 2>/dev/null"); strings.TrimSpace(left) != "" {
		t.Errorf("there is left: %s (%v)", left, err)
	}
}

// TestEngineScripts does it to the engine's package: a node that runs starts anew, and no
// other starts.
func TestEngineScripts(t *testing.T) { //nolint:tparallel // its rows share a machine
	t.Parallel()
	m := boot(t, "enginescripts", netlab.New(t).Alone("enginescripts"))
	m.pretend()
	of := strings.NewReplacer("ENGINE", engineDeb("new", newVersion))
	for _, state := range []string{"running", "stopped", "disabled", "running, no boot", "masked"} {
		m.sh("dpkg -i " + deb("new", newVersion))
		m.sh(befores[state])
		for _, steps := range []string{
			"dpkg -i ENGINE", "dpkg -i ENGINE\ntrue", "dpkg -r " + engine,
			"dpkg -i ENGINE\ndpkg -P " + engine,
		} {
			pid := m.sh("systemctl show --property=MainPID --value plasmd")
			t.Run(steps+"/"+state, func(t *testing.T) {
				m.row(t, of.Replace(steps), kept[state])
				if now := m.sh("systemctl show --property=MainPID --value plasmd"); pid != "0" && now == pid {
					t.Error("the node did not start anew")
				}
			})
		}
		m.sh("systemctl unmask plasmd; dpkg -P plasm && systemctl daemon-reload")
	}
}

// TestRPMScripts does it to the package where rpm calls the scripts, as far as a machine
// of Debian's can be one of rpm's.
func TestRPMScripts(t *testing.T) { //nolint:tparallel // its rows share a machine
	t.Parallel()
	m := boot(t, "rpmscripts", netlab.New(t).Alone("rpmscripts"))
	m.bringRPM()
	m.pretend()
	of := strings.NewReplacer("OLD", "/packages/old/plasm-"+oldVersion+"-1.x86_64.rpm", "NEW", rpmFile("plasm"))
	for _, c := range []struct {
		name, first, then string
		want              after
	}{
		{"upgrade", "OLD", "rpm -U NEW", kept},
		{"downgrade", "NEW", "rpm -U --oldpackage OLD", kept},
		{"reinstallation", "NEW", "rpm -U --replacepkgs NEW", kept},
		{"removal and installation", "NEW", "rpm -e plasm\nrpm -i NEW", fresh},
	} {
		for _, state := range slices.Sorted(maps.Keys(befores)) {
			t.Run(c.name+"/"+state, func(t *testing.T) {
				m.row(t, of.Replace("rpm -i "+c.first+"\n"+befores[state]+"\n"+c.then), c.want[state])
			})
			m.sh("systemctl unmask plasmd; rpm -e plasm; systemctl daemon-reload; rm -rf /var/lib/plasmd")
		}
	}
}
