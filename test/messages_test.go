package test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"plasm/test/bin"
)

// declared is what a command says of its flags: its --declarations.
type declared struct {
	Name  string `json:"name"`
	Flags []struct {
		Name  string `json:"name"`
		Kind  string `json:"kind"`
		Value string `json:"value"`
	} `json:"flags"`
	Subcommands []declared `json:"subcommands"`
}

// someone is a peer ID that nobody has.
const someone = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"

// wrongOf are three wrong values of each kind of flag, by what its value is called or by its kind. In the folder of the
// test are a folder, a file of garbage, one whose bytes are no UTF-8, and nothing called nothere.
var wrongOf = map[string][]string{
	"switch": {"maybe", "", "2"}, "number": {"x", "-5", "99999999999999999999"},
	"amount": {"x", "-5M", "99999999999999999G"},
	"DUR":    {"5", "-3s", "soon"}, "DUR|auto": {"5", "-3s", "soon"},
	"LIST": {"sandbox", "seccomp,nothing", "seccomp landlok"},
	"FILE": {"nothere/x", "folder", ""}, "FILE|-": {"nothere/x", "folder", ""},
	"TICKET|-": {"nothere/x", "folder", "folder/nothere"}, "DIR": {"", "garbage", "garbage/x"},
	"PEERID": {"nobody!", "12D3KooWshort", ""}, "PEERID|any": {"nobody!", "12D3KooWshort", ""},
	"PEERID|NAME": {"nobody!", "nothere", ""},
	"PEER":        {"nobody!", "12D3KooWshort", ""}, "PEER[=NAME]": {"nobody!", someone + "=A Name", someone + "=any"},
	"ADDR|PEERID|NAME": {"/ip4/1.2.3.4/tcp/5", "nobody!", "/ip4/999.1.1.1/tcp/5/p2p/" + someone},
	"ADDR":             {"nobody", "/ip4/999.1.1.1/tcp/5/p2p/" + someone, "/ip4/1.2.3.4/tcp/99999/p2p/" + someone},
	"ARCH":             {"", "Big Endian", "amd64!"}, "OS": {"", "My OS", "linux!"},
	"NAME": {"", "My Engine", "wazero!"}, "NAME|auto": {"", "My Engine", "wazero!"},
	"PATH::GUEST": {"folder", "nothere::/x", "folder::x"}, "GUEST::PATH": {"/x", "x::new", "/x::"},
	"HOST::GUEST[:ro]": {"folder", "nothere::/x", "folder::x"}, "NAME=VALUE": {"no value", "=x", "N\xff=x"},
	"PEERID|NAME|FILE": {"nobody!", "folder", "garbage"}, "FILE|any": {"nothere/x", "folder", "garbage"},
	"plasmd serve --allow-file": {"folder", "garbage", ""}, "plasm-run --key": {"garbage", "folder", "garbage/x"},
	"plasm-submit --key":          {"garbage", "folder", "garbage/x"},
	"plasmd serve --metrics":      {"nobody", "192.0.2.1:80", "127.0.0.1:99999"},
	"plasmd serve --reachability": {"nothing", "", "PUBLIC"},
	// what is not there is done without, with a warning
	"plasm-run --engines": {"", "", ""}, "plasm-run --cache-dir": {"", "", ""},
	"plasmd serve --engines": {"", "", ""},
	"GLOB":                   {"[", "a\\", ""}, "N": {"x", "-5", "99999999999"}, "LEVEL": {"loud", "", "info+1"},
	"FORMAT":    {"xml", "", "yaml"},
	"BYTES|DUR": {"x", "-5M", "soon"}, "WHAT": {"nothing", "", "STDOUT"}, "PATH": {"nothere/x", "folder", ""},
}

// raw are words of libraries, which say nothing to a person.
var raw = regexp.MustCompile(`unexpected end of JSON|unexpected EOF|invalid character|(^| ` +
	`)(json|toml):|strconv\.|invalid syntax|out of range|\b(open|stat|lstat|mkdir|read|chdir|rename) [^ ]+:` +
	`|failed to|dial backoff|context (deadline|canceled)|multihash|multibase|varint|protocol error|invalid ` +
	`value|flag provided|runtime error|goroutine|%!|0x[0-9a-f]|\{\{|&\{`)

var peerIDs = regexp.MustCompile(`12D3KooW\w{40}`)

// TestEveryWrongValue gives every flag of every command three wrong values, and holds what is said of each to the rules
// of a message.
func TestEveryWrongValue(t *testing.T) {
	t.Parallel()
	programs := t.TempDir()
	names := []string{"plasm-run", "plasm-submit", "plasm-discover", "plasm-verify", "plasmd"}
	if err := bin.Build(t.Context(), programs, names...); err != nil {
		t.Fatal(err)
	}
	m := &mistakes{programs: programs, dir: t.TempDir()}
	m.prepare(t)
	for _, name := range names {
		out, err := m.command(t.Context(), name, "--declarations").Output()
		var d declared
		if err = errors.Join(err, json.Unmarshal(out, &d)); err != nil {
			t.Fatal(err)
		}
		for _, d := range append(d.Subcommands, d) {
			if len(d.Flags) == 0 {
				continue
			}
			t.Run(d.Name, func(t *testing.T) {
				t.Parallel()
				m.judge(t, d)
			})
		}
	}
}

// mistakes is the ground on which they are made.
type mistakes struct{ programs, dir string }

func (m *mistakes) prepare(t *testing.T) {
	t.Helper()
	module, err := os.ReadFile(filepath.Join(root, "examples", "hello", "hello.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"hello.wasm": module, "garbage": []byte("rubbish\n"),
		"toml": []byte("slots = 1\n"),
	} {
		if err := os.WriteFile(filepath.Join(m.dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(m.dir, "folder", "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := m.command(t.Context(), "plasm-run", "--receipt", "receipt",
		"hello.wasm").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func (m *mistakes) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(m.programs, name), args...)
	c.Dir = m.dir
	c.Env = append(bin.Env(), "PATH="+m.programs, "PLASM_LOG_LEVEL=error", "HOME="+m.dir,
		"STATE_DIRECTORY="+m.dir+"/state", "RUNTIME_DIRECTORY="+m.dir+"/run")
	return c
}

// judge makes all mistakes with a command's flags.
func (m *mistakes) judge(t *testing.T, d declared) {
	t.Helper()
	for _, f := range d.Flags {
		wrong := wrongOf[d.Name+" --"+f.Name]
		if wrong == nil {
			wrong = wrongOf[f.Value]
		}
		if f.Kind != "list" && f.Kind != "text" {
			wrong = wrongOf[f.Kind]
		}
		if d.Name == "plasmd doctor" && f.Kind == "text" && f.Value != "LEVEL" && f.Value != "FORMAT" {
			continue // what is wrong there is what it is to find, and to tell on stdout
		}
		if len(wrong) != 3 {
			t.Errorf("%s --%s: no three wrong values for %q", d.Name, f.Name, f.Value)
		}
		for _, value := range slices.Compact(slices.Clone(wrong)) {
			args := m.line(d.Name, f.Name, value)
			if problem := m.message(t, args, f.Name, value); problem != "" {
				t.Errorf("%s: %s", strings.Join(args, " "), problem)
			}
		}
	}
}

// line is a command line that is right, but for one flag.
func (m *mistakes) line(command, flag, value string) []string {
	wrong := "--" + flag + "=" + value
	line := strings.Fields(command)
	rest := map[string][]string{
		"plasm-run":      {"hello.wasm"},
		"plasm-submit":   {"hello.wasm"},
		"plasm-discover": nil,
		"plasm-verify":   {"receipt"},
		"plasmd cancel":  {"0123456789abcdef"},
		"plasmd allow":   {someone},
		"plasmd serve":   nil,
	}[command]
	switch {
	case command == "plasm-verify" && flag != "signer" && flag != "trust":
		line = append(line, "--signer", someone)
	case flag == "relay-allow":
		line = append(line, "--relay")
	case command == "plasmd serve" && flag != "worker":
		line = append(line, "--worker", "nothere/worker") // where the value is not refused, the node does not start
	case flag == "job":
		rest = nil
	case strings.HasPrefix(flag, "trust-"):
		rest = nil
	case command == "plasm-run" && flag == "key":
		line = append(line, "--receipt", "r")
	case flag == "joblog":
		line = append(line, "--each", "toml")
	}
	return slices.Concat(line, []string{wrong}, rest)
}

// message makes a mistake, and returns what is wrong with what is said of it.
func (m *mistakes) message(t *testing.T, args []string, flag, value string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // which only a value that was not refused needs
	defer cancel()
	c := m.command(ctx, args[0], args[1:]...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() < 1 || exit.ExitCode() > 127 {
		return fmt.Sprintf("ends with %v: %s", err, &stderr)
	}
	said := stderr.String()
	line, hint, _ := strings.Cut(strings.TrimSuffix(said, "\n"), "\n")
	name := args[0] + ": "
	ours := strings.HasPrefix(line, name) && !strings.HasSuffix(line, ".")
	if !ours || hint != "" && (!strings.HasPrefix(hint, name+"hint: ") || strings.Contains(hint, "\n")) {
		return fmt.Sprintf("not a line and a hint: %q", said)
	}
	names := func(part string) bool {
		return strings.Contains(line, part) || strings.Contains(line, strconv.Quote(part))
	}
	shown := strings.ToValidUTF8(value[:min(len(value), 40)], "") // of a long one, the beginning
	if value == "" {
		shown = `""`
	}
	parts := append(strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(",: =", r) }), shown)
	switch {
	case stdout.Len() > 0 && flag != "json":
		return fmt.Sprintf("stdout has %q", &stdout)
	case !strings.Contains(line, "--"+flag) && !strings.Contains(line, "garbage:1: "): // or the file and its line
		return "does not name the flag: " + line
	case !slices.ContainsFunc(parts, names):
		return "does not name the value: " + line
	case len(peerIDs.FindAllString(line, -1)) > 1:
		return "names more than one peer: " + line
	case raw.MatchString(strings.ReplaceAll(line, value, "")):
		return "has a library's words: " + line
	case value != "" && len(value) > 2 && strings.Count(strings.ReplaceAll(line, "NAME=VALUE", ""), value) > 1:
		return "says it twice: " + line
	}
	return ""
}

// TestWrongValuesOfAFile: a value of the configuration file that is wrong is blamed on the file and its line.
func TestWrongValuesOfAFile(t *testing.T) {
	t.Parallel()
	programs := t.TempDir()
	if err := bin.Build(t.Context(), programs, "plasmd", "plasm-run"); err != nil {
		t.Fatal(err)
	}
	m := &mistakes{programs: programs, dir: t.TempDir()}
	for text, want := range map[string]string{
		"slots = 1\nmemory = \"x\"\n":             "plasmd: node.toml:2: memory: \"x\" is not an amount",
		"\n\nslots = \"two\"\n":                   "plasmd: node.toml:3: slots: must be a whole number, not ",
		"mdns = true\n# more\nslot = 1\n":         "plasmd: node.toml:3: there is no such key: \"slot\"",
		"allow = [\n\"any\",\n\"nobody!\"]\n":     "plasmd: node.toml:1: allow: \"nobody!\" is not a peer ID",
		"slots = \n":                              "plasmd: node.toml:1: not TOML: ",
		"\nlisten = [\"nobody\"]\n":               "plasmd: node.toml:2: listen: not an address to listen at: ",
		"keep = \"soon\"\n":                       "plasmd: node.toml:1: keep: \"soon\" is not a duration",
		"\n[log]\nlevel = \"info\"\n":             "plasmd: node.toml:2: there is no such key: \"log\"",
		"\"max-disk\" = 5\n\"max-tree\" = true\n": "plasmd: node.toml:2: max-tree: must be a whole number",
	} {
		if err := os.WriteFile(filepath.Join(m.dir, "node.toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c := m.command(t.Context(), "plasmd", "check", "--config", "node.toml")
		out, err := c.CombinedOutput()
		if err == nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%q: %v, %s, want %s", text, err, out, want)
		}
	}
}

// TestFatalErrorsInJSON: with --log-format json the error that ends a command is a line of the log.
func TestFatalErrorsInJSON(t *testing.T) {
	t.Parallel()
	programs := t.TempDir()
	if err := bin.Build(t.Context(), programs, "plasm-run", "plasm-submit", "plasm-discover", "plasm-verify",
		"plasmd"); err != nil {
		t.Fatal(err)
	}
	m := &mistakes{programs: programs, dir: t.TempDir()}
	for _, line := range []string{
		"plasm-run --log-format json nothere.wasm", "plasm-run --memory x --log-format=json nothere.wasm",
		"plasm-run --nothing --log-format json", "plasm-submit --log-format json --peer nobody! nothere.wasm",
		"plasm-submit --log-format json --mdns=false --peer /ip4/127.0.0.1/tcp/1/p2p/" + someone + " -n " + hello(t),
		"plasm-discover --log-format json --bootstrap nobody", "plasm-verify --log-format json nothere",
		"plasmd serve --log-format json --slots 0", "plasmd check --config nothere --log-format json",
		"plasmd --log-format json",
	} {
		words := strings.Fields(line)
		var stdout, stderr bytes.Buffer
		c := m.command(t.Context(), words[0], words[1:]...)
		c.Stdout, c.Stderr = &stdout, &stderr
		err := c.Run()
		var said struct{ Time, Level, Msg, Code string }
		lines := strings.Split(strings.TrimSuffix(stderr.String(), "\n"), "\n")
		wrong := json.Unmarshal([]byte(lines[len(lines)-1]), &said)
		if err == nil || wrong != nil || len(lines) != 1 || said.Time == "" || said.Level != "ERROR" ||
			said.Msg == "" || said.Code == "" || stdout.Len() > 0 {
			t.Errorf("%s: %v, %q, stdout %q", line, err, &stderr, &stdout)
		}
	}
}

// hello is the path of a module.
func hello(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, "examples", "hello", "hello.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}
