//go:build linux && (amd64 || arm64)

package limit

import (
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"plasm/lib/job"
)

// started makes the arguments of a process as the kernel hands them over.
func started(args ...string) (*arguments, *runtime.Pinner) {
	pointers, pins := make([]*byte, len(args)+1), &runtime.Pinner{}
	for i, arg := range args {
		pointers[i] = &append([]byte(arg), 0)[0]
		pins.Pin(pointers[i])
	}
	return &arguments{uint64(len(args)), unsafe.Pointer(&pointers[0])}, pins
}

// TestSameWords compares what is said before the runtime begins with what is said after.
func TestSameWords(t *testing.T) {
	t.Parallel()
	for _, l := range []lack{
		{&AddressSpace, 1<<20 + 1, 1<<20 + 1, 3 << 29},
		{&Files, 70, 3, 64},
		{&Processes, 0, 0, 48},
		{&CPU, 1, 1, Unlimited},
	} {
		e := l.error("plasm-run")
		var words, document words
		l.say(&words, "plasm-run")
		l.document(&document, "plasm-run")
		if want := "plasm-run: " + e.Message + "\nplasm-run: hint: " + e.Hint + "\n"; words.String() != want {
			t.Errorf("it says %q, want %q", words.String(), want)
		}
		if want := string(job.EncodeError(e)); document.String() != want {
			t.Errorf("the document is %q, want %q", document.String(), want)
		}
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		line       string
		program    string
		json       bool
		subcommand bool
		worker     bool
	}{
		{line: "plasm-run --json -n x.wasm", program: "plasm-run", json: true},
		{line: "/usr/bin/plasm-run --memory 5 --json=true x.wasm", program: "plasm-run", json: true},
		{line: "./plasm-run --memory=5 x.wasm --json", program: "plasm-run"},
		{line: "plasm-run -n x.wasm --json", program: "plasm-run"},
		{line: "plasm-run - --json", program: "plasm-run"},
		{line: "plasm-run -- --json", program: "plasm-run"},
		{line: "plasm-run --json=false x.wasm", program: "plasm-run"},
		{line: "plasmd status --json", program: "plasmd", json: true, subcommand: true},
		{line: "plasmd status x --json", program: "plasmd", subcommand: true},
		{line: "a/b/ä\"\\\n\x1bx --json", program: "x", json: true},
		{line: "plasm-run --worker", program: "plasm-run", worker: true},
		{line: "plasm-run --worker x", program: "plasm-run"},
		{line: strings.Repeat("x", 5000), program: strings.Repeat("x", 64)},
		{line: "a/", program: ""},
		{line: "", program: ""},
	} {
		args, pins := started(strings.Split(test.line, " ")...)
		var name words
		args.program(&name)
		if got := args.wantJSON(test.subcommand); name.String() != test.program || got != test.json ||
			args.worker() != test.worker {
			t.Errorf("%q: %q, json %v, worker %v", test.line, name.String(), got, args.worker())
		}
		pins.Unpin()
	}
	none, pins := started()
	defer pins.Unpin()
	var name words
	none.program(&name)
	if name.n != 0 || none.wantJSON(false) || none.wantJSON(true) || none.worker() {
		t.Errorf("without any argument the program is %q", name.String())
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	var w words
	for _, n := range []uint64{0, 9, 10, 1024, Unlimited - 1, Unlimited} {
		w.number(n)
		w.add(" ")
	}
	if want := "0 9 10 1024 18446744073709551614 18446744073709551615 "; w.String() != want {
		t.Errorf("%q, want %q", w.String(), want)
	}
	w.add(strings.Repeat("x", 5000))
	if len(w.String()) != len(w.text) {
		t.Errorf("%d bytes were kept", len(w.String()))
	}
}

func TestProcessStatus(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][3]int{
		"Name:\tUid:\t7\nPPid:\t12\nUid:\t1000\t0\t0\t0\nThreads:\t34\nNSpid:\t9\n": {12, 1000, 34},
		"Groups:\t" + strings.Repeat("1 ", 9000) + "\nThreads:\t2\nThreads":         {-1, -1, 2},
		"Uid:\n\nUid": {-1, 0, -1},
		"":            {-1, -1, -1},
	} {
		p := process{parent: -1, user: -1, threads: -1}
		for i := range len(text) {
			p.take(text[i])
		}
		if got := [3]int{p.parent, p.user, p.threads}; got != want {
			t.Errorf("%.30q: %v, want %v", text, got, want)
		}
	}
}

// FuzzProcessStatus looks for text that the reader does not stand.
func FuzzProcessStatus(f *testing.F) {
	f.Add("Uid:\t1000\nThreads:\t34\n")
	f.Fuzz(func(t *testing.T, text string) {
		var p process
		for i := range len(text) {
			p.take(text[i])
		}
	})
}
