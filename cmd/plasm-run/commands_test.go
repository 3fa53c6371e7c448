package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"plasm/test/bin"
	"plasm/test/guest"
)

// commands are what scripts can do beyond testscript's own commands.
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"exits":     exits,
	"refused":   refused,
	"guest":     writeGuest,
	"schema":    checkSchema,
	"json":      checkJSON,
	"statement": openStatement,
	"digest":    setDigest,
	"size":      checkSize,
	"sparse":    makeSparse,
	"tmpfs":     mountTmpfs,
	"nobody":    asNobody,
	"signalled": signalled,
	"unread":    unread,
	"goguest":   buildGuest,
	"damage":    damageCache,

	"unbelieved": unbelievedCache,
}

func usageOf(ts *testscript.TestScript, wrong bool, usage string) {
	if wrong {
		ts.Fatalf("usage: %s", usage)
	}
}

// run runs a program to its end and returns its exit code, as a shell has it.
func runProgram(ts *testscript.TestScript, args []string) int {
	err := ts.Exec(args[0], args[1:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

// exits CODE PROGRAM [ARG…] runs a program that must end with exactly that code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) < 2, "exits CODE PROGRAM [ARG...]")
	if code := runProgram(ts, args[1:]); strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// refused ERROR EXITCODE PATTERN [ARG…] runs plasm-run, which must start no job:
// with words on stderr that match the pattern, one line and at most one of hint,
// and silence on stdout; and the same with --json, where stdout has the one error
// document, and it has the code ERROR.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) < 3, "refused ERROR EXITCODE PATTERN [ARG...]")
	code, exit, pattern, args := args[0], args[1], args[2], args[3:]
	exits(ts, false, append([]string{exit, "plasm-run"}, args...))
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("stdout has %q", out)
	}
	words := ts.ReadFile("stderr")
	checkWords(ts, words, pattern)

	exits(ts, false, append([]string{exit, "plasm-run", "--json"}, args...))
	if again := ts.ReadFile("stderr"); again != words {
		ts.Fatalf("with --json stderr is another: %s", again)
	}
	validate(ts, "error", ts.ReadFile("stdout"))
	if got := lookup(ts, parseJSON(ts, ts.ReadFile("stdout")), "error.code"); got != code {
		ts.Fatalf("error code %v, want %s", got, code)
	}
}

var ours = regexp.MustCompile(`^plasm-run: [^\n]*[^.\n]\n(plasm-run: hint: [^\n]*[^.\n]\n)?$`)

// checkWords checks what people read: one line that matches pattern, and perhaps
// a hint.
func checkWords(ts *testscript.TestScript, words, pattern string) {
	if !ours.MatchString(words) {
		ts.Fatalf("stderr is not a line and a hint: %q", words)
	}
	line, _, _ := strings.Cut(strings.TrimPrefix(words, "plasm-run: "), "\n")
	match, err := regexp.MatchString(pattern, line)
	ts.Check(err)
	if !match {
		ts.Fatalf("stderr says %q, which does not match %q", line, pattern)
	}
}

// guest NAME FILE writes a module of package guest's catalogue.
func writeGuest(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 2, "guest NAME FILE")
	module, err := guest.Module(args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), module, 0o666))
}

// goguest PACKAGE FILE compiles a program in Go for WASI.
func buildGuest(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 2, "goguest PACKAGE FILE")
	ts.Check(bin.BuildGuest(context.Background(), args[0], ts.MkAbs(args[1])))
}

// damage SHELL does something to the compile cache in the folder here, with which
// both.wasm must run as before: compiled anew, and from the cache the next time.
func damageCache(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 1, "damage SHELL")
	ts.Check(ts.Exec("sh", "-c", args[0]))
	for _, cached := range []string{"false", "true"} {
		exits(ts, false, []string{"7", "plasm-run", "--cache-dir", "here", "--json", "both.wasm"})
		if words := ts.ReadFile("stderr"); words != "" {
			ts.Fatalf("stderr has %q", words)
		}
		openStatement(ts, false, []string{"stdout", "damaged.json"})
		checkJSON(ts, false, []string{"damaged.json", "predicate.outcome.status", "exit"})
		checkJSON(ts, false, []string{"damaged.json", "predicate.outcome.compile_cached", cached})
	}
}

// unbelieved SHELL UNDO REASON lets others change the compile cache planted/cache, which
// must not be used then, and undoes that.
func unbelievedCache(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 3, "unbelieved SHELL UNDO REASON")
	ts.Check(ts.Exec("sh", "-c", args[0]))
	exits(ts, false, []string{"7", "plasm-run", "--cache-dir", "planted/cache", "--json", "both.wasm"})
	words := ts.ReadFile("stderr")
	if !strings.Contains(words, "level=WARN msg=\"compile cache unusable") || !strings.Contains(words, args[2]) ||
		!strings.Contains(words, "hint=") {
		ts.Fatalf("stderr has %q, want %q", words, args[2])
	}
	openStatement(ts, false, []string{"stdout", "planted.json"})
	checkJSON(ts, false, []string{"planted.json", "predicate.outcome.compile_cached", "false"})
	ts.Check(ts.Exec("sh", "-c", args[1]))
	exits(ts, false, []string{"7", "plasm-run", "--cache-dir", "planted/cache", "--json", "both.wasm"})
	openStatement(ts, false, []string{"stdout", "believed.json"})
	checkJSON(ts, false, []string{"believed.json", "predicate.outcome.compile_cached", "true"})
}

// digest VAR FILE puts the digest of a file into a variable.
func setDigest(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 2, "digest VAR FILE")
	ts.Setenv(args[0], fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(ts.ReadFile(args[1])))))
}

// size FILE BYTES checks how long a file is.
func checkSize(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 2, "size FILE BYTES")
	if got := len(ts.ReadFile(args[0])); strconv.Itoa(got) != args[1] {
		ts.Fatalf("%s has %d bytes, want %s", args[0], got, args[1])
	}
}

// sparse FILE BYTES makes a file of zeros that takes no room, and says that it
// does.
func makeSparse(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 2, "sparse FILE BYTES")
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	if _, err := os.Stat(ts.MkAbs(args[0])); errors.Is(err, os.ErrNotExist) {
		ts.Check(os.WriteFile(ts.MkAbs(args[0]), nil, 0o666))
	}
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
}

// tmpfs DIR SIZE makes a folder that is a small file system of its own.
func mountTmpfs(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 2, "tmpfs DIR SIZE")
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(ts.Exec("mount", "-t", "tmpfs", "-o", "size="+args[1], "plasm-test", dir))
	ts.Defer(func() { ts.Check(exec.Command("umount", dir).Run()) })
}

// nobody CODE PROGRAM [ARG…] is exits, but run as a user who owns nothing.
func asNobody(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) < 2, "nobody CODE PROGRAM [ARG...]")
	drop := []string{args[0], "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}
	if ts.Getenv("GOCOVERDIR") != "" { // which that user may not write
		cover := ts.MkAbs("cover")
		ts.Check(os.MkdirAll(cover, 0o777))
		ts.Check(os.Chmod(cover, 0o777))
		drop = append(drop, "env", "GOCOVERDIR="+cover)
	}
	exits(ts, false, append(drop, args[1:]...))
}
