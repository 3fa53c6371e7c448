//go:build linux

package wasi_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// suiteFiles are in the folder that each program of the suite is given.
var suiteFiles = map[string]string{
	"file":                "",
	"lseek.txt":           "01234567",
	"pread.txt":           "pread-text",
	"fopendir.dir/file-0": "0",
	"fopendir.dir/file-1": "1",
	"writeable/":          "",
}

// suiteCase is how a program of the suite is run, and what comes of it.
type suiteCase struct {
	args, flags []string
	noFolder    bool
	stdout      string
	code        int
}

var suiteVariables = []string{"--env", "a=text", "--env", `b=escap " ing`, "--env", "c=new\nline"}

// suiteCases are the programs that are given more than suiteFiles, or have something to say.
var suiteCases = map[string]suiteCase{
	"args_get-multiple-arguments":          {args: []string{"first", `the "second" arg`, "3"}},
	"args_sizes_get-multiple-arguments":    {args: []string{"first", `the "second" arg`, "3"}},
	"environ_get-multiple-variables":       {flags: suiteVariables},
	"environ_sizes_get-multiple-variables": {flags: suiteVariables},
	"fd_write-to-stdout":                   {stdout: "hello world"},
	"fopen-with-no-access":                 {noFolder: true},
	"proc_exit-failure":                    {code: 33},
	"sock_shutdown-invalid_fd":             {noFolder: true},
	"stdio":                                {stdout: "written to what was stdout\n"},
}

// TestSuite runs, on each engine and with real time and simulated, the programs of
// testdata/suite: one for each module for preview 1 of the suite that the makers of WASI
// keep (WebAssembly/wasi-testsuite), by its name, about what that one is about.
func TestSuite(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("testdata/suite/*.c")
	must(t, err)
	if len(sources) != 72 {
		t.Errorf("%d programs, and the suite has 72", len(sources))
	}
	for _, source := range sources {
		name := strings.TrimSuffix(filepath.Base(source), ".c")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			module := compile(t, "suite/"+name+".c")
			test := suiteCases[name] // most need no more than its zero value
			for _, engine := range engines {
				t.Run(engine, func(t *testing.T) {
					t.Parallel()
					needEngine(t, engine)
					for _, flag := range both {
						test.run(t, engine, module, flag)
					}
				})
			}
		})
	}
}

func (c suiteCase) run(t *testing.T, engine, module, flag string) {
	t.Helper()
	j := job{module: module, args: c.args, flags: append([]string{flag, "--no-stdin"}, c.flags...)}
	if !c.noFolder {
		j.flags = append(j.flags, "--dir", fixture(t, suiteFiles)+"::/")
	}
	if r := j.run(t, engine); r.code != c.code || r.stderr != "" || r.stdout != c.stdout {
		t.Errorf("%s: exit code %d, stdout %q, stderr %q", flag, r.code, r.stdout, r.stderr)
	}
}
