package packages

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// step is a command of a page that somebody types at one of several machines, and
// what it shows.
type step struct{ at, command, shows string }

// consoleBlock is a block for one machine, behind an end of line.
var consoleBlock = regexp.MustCompile("\n```console (\\w+)\n((?s:.*?))```\n")

// steps returns the commands in the blocks of a page that are marked «console» and
// the name of a machine, in their order.
func steps(t *testing.T, page string) []step {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", page))
	must(t, err)
	var all []step
	for _, block := range consoleBlock.FindAllStringSubmatch("\n"+string(text), -1) {
		for _, part := range strings.Split("\n"+block[2], "\n$ ")[1:] {
			command, shows, _ := strings.Cut(part, "\n")
			all = append(all, step{block[1], command, strings.TrimSuffix(shows, "\n")})
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s shows no command for a machine", page)
	}
	return all
}

// check compares what a step shows with what came out. … stands for some
// characters, and alone on a line for any lines.
func (s step) check(t *testing.T, out string) {
	t.Helper()
	pattern := regexp.QuoteMeta(s.shows)
	pattern = regexp.MustCompile(`(?m)^…$`).ReplaceAllString(pattern, `(?s:.*)`)
	pattern = regexp.MustCompile(` …$`).ReplaceAllString(pattern, ` (?s:.*)`)
	pattern = strings.ReplaceAll(pattern, "…", `[^\n]+`)
	if !regexp.MustCompile(`\A` + pattern + `\z`).MatchString(strings.TrimSuffix(out, "\n")) {
		t.Errorf("$ %s\nshows at %s\n%s\nand the page says\n%s", s.command, s.at, out, s.shows)
	}
}

var (
	peerID  = regexp.MustCompile(`12D3KooW\w{44}`)
	address = regexp.MustCompile(`/ip4/\S+/p2p/12D3KooW\w{44}`)
)

// follow has an ordinary user type the steps of a page at two machines, and puts
// in the place of a peer ID or an address that is cut short what the other machine
// showed last. It returns the peer ID that each has shown last.
func follow(t *testing.T, all []step, at map[string]*machine) map[string]string {
	t.Helper()
	shown, addresses := map[string]string{}, map[string]string{}
	for _, s := range all {
		m := at[s.at]
		if m == nil {
			t.Fatalf("there is no machine %q for: %s", s.at, s.command)
		}
		command := s.command
		for other, id := range shown {
			if other != s.at {
				command = strings.ReplaceAll(command, "/ip4/…/tcp/7527/p2p/12D3KooW…", addresses[other])
				command = strings.ReplaceAll(command, "12D3KooW…", id)
			}
		}
		out, err := m.try(asPerson("cd; " + command + " 2>&1")...)
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		s.check(t, out)
		if id := peerID.FindString(out); id != "" && !strings.Contains(command, id) {
			shown[s.at], addresses[s.at] = id, address.FindString(out)
		}
	}
	return shown
}

// only returns the steps at one machine.
func only(all []step, at string) []step {
	var some []step
	for _, s := range all {
		if s.at == at {
			some = append(some, s)
		}
	}
	return some
}

// person is the user for whom the pages are: one with no rights but to say sudo.
const person = "ann"

// asPerson is a line as that user types it.
func asPerson(line string) []string {
	return []string{
		"setpriv", "--reuid=" + person, "--regid=" + person, "--init-groups", "--inh-caps=-all",
		"env", "HOME=/home/" + person, "USER=" + person, "LOGNAME=" + person, "sh", "-c", line,
	}
}

// addPerson makes that user.
func (m *machine) addPerson() {
	m.t.Helper()
	m.sh("useradd --create-home --shell /bin/sh " + person + " && echo '" + person +
		" ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/person && chmod 440 /etc/sudoers.d/person")
	m.sh(`echo "127.0.1.1 $(hostname)" >> /etc/hosts`) // which sudo looks up
	m.do(asPerson("sudo true")...)
}

// prepare makes the user of a machine, who has copied the packages there.
func (m *machine) prepare(folder string) {
	m.t.Helper()
	m.addPerson()
	for _, home := range []string{"/root", "/home/" + person} {
		m.sh("cp /packages/" + folder + "/plasm*_amd64.deb " + home)
	}
}

// here runs steps in a folder of this machine.
func here(t *testing.T, dir string, all []step) {
	t.Helper()
	for _, s := range all {
		cmd := brief(t, "sh", "-c", s.command)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("$ %s: %v", s.command, err)
		}
		s.check(t, string(out))
	}
}
