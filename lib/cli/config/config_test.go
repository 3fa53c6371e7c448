package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/cli"
	"plasm/lib/job"
)

// settled are the flags of a command that reads a configuration.
type settled struct {
	*cli.Flags
	slots, timeout int64
	dir, mode      string
	relay, mdns    bool
	listen         []string
}

var testSettings = Settings{
	Prefix: "CMDD_",
	Not:    []string{"config"},
}

func newSettled(env map[string]string) *settled {
	s := &settled{
		Flags: cli.NewFlags(cli.Doc{Name: "cmd", Level: "info"}, func(name string) string { return env[name] }),
		slots: 2, timeout: 60_000, mode: "auto", mdns: true, listen: []string{"a", "b"},
	}
	s.Whole(&s.slots, 1, 64, cli.Flag{Name: "slots"})
	s.Millis(&s.timeout, job.MaxTimeout, cli.Flag{Name: "max-timeout"})
	s.Path(&s.dir, cli.Flag{Name: "data-dir"})
	s.Text(&s.mode, cli.Flag{Name: "mode"})
	s.Switch(&s.relay, cli.Flag{Name: "relay"})
	s.Switch(&s.mdns, cli.Flag{Name: "mdns"})
	s.List(&s.listen, cli.Flag{Name: "listen", Variables: []string{"PLASM_LISTEN"}})
	s.Text(new(string), cli.Flag{Name: "config"})
	testSettings.Declare(s.Flags)
	return s
}

// outcome is what has become of all values.
func (s *settled) outcome() []any {
	return []any{s.slots, s.timeout, s.dir, s.mode, s.relay, s.mdns, s.listen, s.Lookup("log-level").ValueText()}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	defaults := []any{int64(2), int64(60_000), "", "auto", false, true, []string{"a", "b"}, "info"}
	all := []any{int64(5), int64(1500), "/d", "public", true, false, []string{"x", "y z"}, "debug"}
	const file = `
		slots = 5
		max-timeout = "1500ms" # a comment
		data-dir = '/d'
		mode = "public"
		relay = true
		mdns = false
		listen = ["x", "y z"]
		log-level = "debug"
	`
	tests := []struct {
		name string
		args string
		env  map[string]string
		file string
		want []any
	}{
		{"nothing", "", nil, "", defaults},
		{"a file", "", nil, file, all},
		{
			"variables",
			"",
			map[string]string{
				"CMDD_SLOTS": "5", "CMDD_MAX_TIMEOUT": "1.5s", "CMDD_DATA_DIR": "/d", "CMDD_MODE": "public",
				"CMDD_RELAY": "true", "CMDD_MDNS": "0", "CMDD_LISTEN": " x\ty\n", "CMDD_LOG_LEVEL": "debug",
			},
			"",
			[]any{int64(5), int64(1500), "/d", "public", true, false, []string{"x", "y"}, "debug"},
		},
		{
			"variables over a file", "",
			map[string]string{
				"CMDD_SLOTS": "6", "CMDD_MDNS": "true", "CMDD_LISTEN": "q", "PLASM_LOG_LEVEL": "warn",
				"CMDD_MODE": "",
			},
			file,
			[]any{int64(6), int64(1500), "/d", "public", true, true, []string{"q"}, "warn"},
		},
		{
			"flags over both", "--slots 7 --relay=false --listen l --listen m --log-level error",
			map[string]string{"CMDD_SLOTS": "6", "CMDD_LISTEN": "q", "CMDD_LOG_LEVEL": "warn"},
			file,
			[]any{int64(7), int64(1500), "/d", "public", false, false, []string{"l", "m"}, "error"},
		},
		{
			"a flag with its default over both", "--slots 2 --mode auto",
			map[string]string{"CMDD_SLOTS": "6"},
			file,
			[]any{int64(2), int64(1500), "/d", "auto", true, false, []string{"x", "y z"}, "debug"},
		},
		{
			"the nearer variable", "",
			map[string]string{"CMDD_LISTEN": "q", "PLASM_LISTEN": "r", "PLASM_LOG_LEVEL": "warn"},
			"",
			[]any{int64(2), int64(60_000), "", "auto", false, true, []string{"q"}, "warn"},
		},
		{"an empty text", "", nil, "mode = ''", []any{
			int64(2), int64(60_000), "", "", false, true,
			[]string{"a", "b"},
			"info",
		}},
		{
			"an empty list", "", nil, "listen = []",
			[]any{int64(2), int64(60_000), "", "auto", false, true, []string{}, "info"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSettled(test.env)
			if err := s.Parse(strings.Fields(test.args), nil); err != nil {
				t.Fatal(err)
			}
			if err := testSettings.Settle(s.Flags, "c.toml", []byte(test.file)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, s.outcome()); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
			again(t, s)
		})
	}
}

// again checks that what Print writes gives the same values.
func again(t *testing.T, s *settled) {
	t.Helper()
	printed, err := testSettings.Print(s.Flags)
	if err != nil {
		t.Fatal(err)
	}
	next := newSettled(nil)
	if err := testSettings.Settle(next.Flags, "printed", printed); err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	if diff := cmp.Diff(s.outcome(), next.outcome()); diff != "" {
		t.Errorf("values after printing (-before +after):\n%s\n%s", diff, printed)
	}
}

func TestPrintQuotes(t *testing.T) {
	t.Parallel()
	s := newSettled(map[string]string{"CMDD_DATA_DIR": "/a \"b\"\\ü\n\x01"})
	if err := s.FromVariables(); err != nil {
		t.Fatal(err)
	}
	again(t, s)
}

func TestSettleRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		env, file string // one of them
		want      string
	}{
		{"CMDD_SLOTS=0", "", `CMDD_SLOTS: "0" is not a whole number from 1 to 64`},
		{"CMDD_MAX_TIMEOUT=5", "", `CMDD_MAX_TIMEOUT: "5" is not a duration`},
		{"CMDD_RELAY=perhaps", "", `CMDD_RELAY: "perhaps" is not true or false`},
		{"", "slots = 65", `c.toml:1: slots: "65" is not a whole number from 1 to 64`},
		{"", `slots = "5"`, `c.toml:1: slots: must be a whole number, not "5"`},
		{"", "slots = 5.0", `c.toml:1: slots: must be a whole number, not "5"`},
		{"", `relay = "true"`, `c.toml:1: relay: must be true or false, not "true"`},
		{"", `listen = "x"`, `c.toml:1: listen: must be a list of strings, not "x"`},
		{"", `listen = [1]`, `c.toml:1: listen: must be a list of strings, not "[1]"`},
		{"", "data-dir = 1", `c.toml:1: data-dir: must be a string, not "1"`},
		{"", `data-dir = ""`, `c.toml:1: data-dir: "" is not the name of a file`},
		{"", "[mode]\nx = 1", "c.toml:1: mode: must be a string, not a table"},
		{"", "slotz = 5", `c.toml:1: there is no such key: "slotz"`},
		{"", "Slots = 5", `c.toml:1: there is no such key: "Slots"`},
		{"", "help = true", `c.toml:1: there is no such key: "help"`},
		{"", "config = 'x'", `c.toml:1: there is no such key: "config"`},
		{"", "[serve]\nslots = 5", `c.toml:1: there is no such key: "serve"`},
		{"", "slots = 5\nslots = 6", "c.toml:2: not TOML: "},
		{"", "mode = \"auto\"\n\nslots 5", "c.toml:3: not TOML: "},
		{"", "mode = \"a\x00b\"", "c.toml:1: not TOML: "},
		{"", "\x7fELF\x02\xff", "c.toml:1: not TOML: "},
	}
	for _, test := range tests {
		name, value, _ := strings.Cut(test.env, "=")
		s := newSettled(map[string]string{name: value})
		err := s.FromVariables()
		if err == nil {
			err = testSettings.Settle(s.Flags, "c.toml", []byte(test.file))
		}
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeUsage ||
			!strings.HasPrefix(e.Message, test.want) {
			t.Errorf("%s%s: %v, want %s", test.env, test.file, err, test.want)
		}
	}
}

func TestOriginOfSettledFlags(t *testing.T) {
	t.Parallel()
	s := newSettled(map[string]string{"CMDD_LOG_LEVEL": "loud"})
	if err := s.FromVariables(); err == nil ||
		err.Error() != `CMDD_LOG_LEVEL: "loud" is not one of trace, debug, info, warn, error` {
		t.Errorf("got %v", err)
	}
	err := testSettings.Settle(s.Flags, "c.toml", []byte("\n"+`log-format = "xml"`))
	if err == nil || err.Error() != `c.toml:2: log-format: "xml" is not one of text, json` {
		t.Errorf("got %v", err)
	}
}

func FuzzSettle(f *testing.F) {
	f.Add("slots = 5\nlisten = ['x']")
	f.Add("mode = \"\\u0000\"")
	f.Add("[[listen]]\n")
	f.Fuzz(func(t *testing.T, file string) {
		s := newSettled(nil)
		if testSettings.Settle(s.Flags, "c.toml", []byte(file)) == nil {
			again(t, s)
		}
	})
}
