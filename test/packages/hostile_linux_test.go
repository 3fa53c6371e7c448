package packages

import (
	"testing"

	"plasm/test/netlab"
)

// TestHostileNodeAndScripts: what a node that was taken over puts into its folder has
// root's scripts change and remove nothing elsewhere.
func TestHostileNodeAndScripts(t *testing.T) {
	t.Parallel()
	m := boot(t, "hostile", netlab.New(t).Alone("hostile"))
	m.install(deb("new", newVersion))
	m.do("systemctl", "stop", "plasmd")
	shadow := m.do("stat", "--format=%a %U %G %s", "/etc/shadow")
	for _, plant := range []string{"ln -s /etc/shadow", "ln -s /etc/made", "mkfifo", "ln -s /etc"} {
		m.do("setpriv", "--reuid=plasmd", "--regid=plasmd", "--clear-groups", "sh", "-c",
			"cd /var/lib/plasmd && rm -rf * && for f in allow key.pem peers lock store; do "+plant+" $f; done")
		before := m.sh("ls -l /var/lib/plasmd")
		m.do("dpkg-reconfigure", "plasm")
		m.do("dpkg", "--install", deb("new", newVersion))
		if now := m.sh("ls -l /var/lib/plasmd"); now != before {
			t.Errorf("%s: the scripts made of\n%s\nthis:\n%s", plant, before, now)
		}
		if got := m.do("stat", "--format=%a %U %G %s", "/etc/shadow"); got != shadow {
			t.Errorf("%s: /etc/shadow is %s, and was %s", plant, got, shadow)
		}
		m.sh("! test -e /etc/made")
	}
	m.do("apt-get", "purge", "--yes", "--quiet", "plasm")
	m.sh("test -d /etc && test -s /etc/shadow && ! test -e /var/lib/plasmd")
}
