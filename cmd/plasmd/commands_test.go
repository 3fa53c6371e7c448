package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"plasm/lib/control"
)

// scriptCommands are what scripts can do beyond testscript's own commands; those about
// running nodes are in daemon_test.go.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"exits":    exits,
	"refused":  refused,
	"nobody":   asNobody,
	"mode":     checkMode,
	"tmpfs":    mountTmpfs,
	"fetch":    fetch,
	"serve":    serveNode,
	"term":     stopNode,
	"kill9":    killNode,
	"hup":      hupNode,
	"signal":   signalNode,
	"ended":    nodeEnded,
	"guest":    guestModule,
	"ids":      jobIDs,
	"logged":   logged,
	"manager":  manager,
	"notified": notified,
}

func usageOf(ts *testscript.TestScript, wrong bool, usage string) {
	if wrong {
		ts.Fatalf("usage: %s", usage)
	}
}

// exits CODE PROGRAM [ARG…] runs a program that must end with exactly that code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) < 2, "exits CODE PROGRAM [ARG...]")
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

var ours = regexp.MustCompile(`^plasmd: [^\n]*[^.\n]\n(plasmd: hint: [^\n]*[^.\n]\n)?$`)

// refused CODE PATTERN ARG… runs plasmd, which must end with that code, with
// silence on stdout, and on stderr one line that matches the pattern and at most
// one of hint.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) < 2, "refused CODE PATTERN [ARG...]")
	exits(ts, false, append([]string{args[0], "plasmd"}, args[2:]...))
	checkRefusal(ts, args[1])
}

func checkRefusal(ts *testscript.TestScript, pattern string) {
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("stdout has %q", out)
	}
	words := ts.ReadFile("stderr")
	if !ours.MatchString(words) {
		ts.Fatalf("stderr is not a line and a hint: %q", words)
	}
	line, _, _ := strings.Cut(strings.TrimPrefix(words, "plasmd: "), "\n")
	if match, err := regexp.MatchString(pattern, line); err != nil || !match {
		ts.Fatalf("stderr says %q, which does not match %q: %v", line, pattern, err)
	}
}

// nobody CODE PATTERN ARG… is refused, but run as a user who owns nothing.
func asNobody(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) < 2, "nobody CODE PATTERN [ARG...]")
	drop := []string{args[0], "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}
	if ts.Getenv("GOCOVERDIR") != "" { // which that user may not write
		cover := ts.MkAbs("cover")
		ts.Check(os.MkdirAll(cover, 0o777))
		ts.Check(os.Chmod(cover, 0o777))
		drop = append(drop, "env", "GOCOVERDIR="+cover)
	}
	exits(ts, false, append(append(drop, "plasmd"), args[2:]...))
	checkRefusal(ts, args[1])
}

// mode OCTAL FILE… checks the type and permissions of files, as stat(2) has them.
func checkMode(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) < 2, "mode OCTAL FILE...")
	for _, file := range args[1:] {
		info, err := os.Lstat(ts.MkAbs(file))
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s has mode %s, want %s", file, got, args[0])
		}
	}
}

// tmpfs DIR SIZE mounts a file system of that size. It needs root, who may mount.
func mountTmpfs(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 2, "tmpfs DIR SIZE")
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(ts.Exec("mount", "-t", "tmpfs", "-o", "size="+args[1], "plasm-test", dir))
	ts.Defer(func() { ts.Check(exec.Command("umount", dir).Run()) })
}

// fetch STATUS URL [HOST] gets a page and puts it into the file page.
func fetch(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) < 2, "fetch STATUS URL [HOST]")
	req, err := http.NewRequest(http.MethodGet, args[1], http.NoBody)
	ts.Check(err)
	if len(args) > 2 {
		req.Host = args[2]
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if strconv.Itoa(resp.StatusCode) != args[0] {
		ts.Fatalf("status %d, want %s: %s", resp.StatusCode, args[0], page)
	}
	ts.Check(os.WriteFile(ts.MkAbs("page"), page, 0o600))
}

// ids takes apart what plasmd jobs --json has just printed: RUNS and WAITS are the IDs of
// the job that runs and of the one that waits, RUNS_BEGIN and WAITS_BEGIN what the table
// shows of them, and REQUESTER who asked for both.
func jobIDs(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 0, "ids")
	var jobs control.Jobs
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &jobs))
	for i := range jobs.Current {
		name := "RUNS"
		if jobs.Current[i].State == control.JobWaiting {
			name = "WAITS"
		}
		ts.Setenv(name, jobs.Current[i].ID)
		ts.Setenv(name+"_BEGIN", jobs.Current[i].ID[:shownID])
		ts.Setenv("REQUESTER", jobs.Current[i].Requester)
	}
}
