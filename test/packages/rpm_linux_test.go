package packages

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plasm/test/netlab"
)

// rpmFile is where a machine has a package.
func rpmFile(name string) string {
	return fmt.Sprintf("/packages/new/%s-%s-1.x86_64.rpm", name, newVersion)
}

// bringRPM gives a machine rpm, and takes from it what only Debian has.
func (m *machine) bringRPM() {
	m.t.Helper()
	output(m.t, "cp", "/usr/bin/rpm", filepath.Join(m.disk, "usr", "bin"))
	output(m.t, "cp", "-R", "/usr/lib/rpm", filepath.Join(m.disk, "usr", "lib"))
	for word := range strings.FieldsSeq(output(m.t, "ldd", "/usr/bin/rpm")) {
		here := filepath.Join(m.disk, "usr", word)
		if _, err := os.Stat(here); err != nil && strings.HasPrefix(word, "/lib/") {
			output(m.t, "cp", "--dereference", word, here)
		}
	}
	m.sh("rm /usr/bin/deb-systemd-helper /usr/bin/deb-systemd-invoke")
}

// TestRPM installs and removes the packages where the scripts are rpm's to call. The
// machine is one of Debian's all the same.
func TestRPM(t *testing.T) {
	t.Parallel()
	m := boot(t, "rpm", netlab.New(t).Alone("rpm"))
	m.bringRPM()
	if out, err := m.try("rpm", "-i", rpmFile(engine)); err == nil ||
		!strings.Contains(out, "plasm = "+newVersion+"-1 is needed") {
		t.Errorf("the engine without plasm: %v: %s", err, out)
	}
	m.do("rpm", "-i", rpmFile("plasm"))
	m.do("systemctl", "is-enabled", "plasmd.service")
	m.sh(`plasmd allow "$(plasm-run --identity)"`)
	m.checkEngines("wazero")
	m.do("rpm", "-i", rpmFile(engine))
	m.checkEngines("wasmtime")
	m.checkUnit()
	m.do("rpm", "--verify", "plasm", engine)

	m.do("rpm", "-e", engine)
	if got := m.engines(); got != " wazero" {
		t.Errorf("with the engine removed the node has%s", got)
	}
	m.do("rpm", "-i", rpmFile(engine))
	m.do("rpm", "-e", "plasm", engine)
	m.sh("! systemctl -q is-active plasmd && ! grep -q plasm /proc/[0-9]*/comm && ! ls /usr/bin/plasm*")
	m.sh("test -s /var/lib/plasmd/key.pem && grep -q . /var/lib/plasmd/allow")
}
