package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// standIn stands in for plasm-run where a test needs it to misbehave: $STANDIN
// says how. It writes its command line to $STANDIN_ARGS.
func standIn() {
	switch strings.Join(os.Args[1:], " ") { // the examples in our usage
	case "--identity":
		_, _ = os.Stdout.WriteString(nodeKey().PeerID() + "\n")
		os.Exit(0)
	case "--json job.wasm":
		perform("", nodeKey(), fixtureManifest(), []byte(fixtureStdin))
		os.Exit(0)
	}
	f := flag.NewFlagSet("plasm-run", flag.ContinueOnError)
	manifest, key, stdin := f.String("manifest", "", ""), f.String("key", "", ""), f.String("stdin", "", "")
	json, none := f.Bool("json", false, ""), f.Bool("no-stdin", false, "")
	memory, timeout := f.Int64("memory", 0, ""), f.String("timeout", "", "")
	_ = timeout
	if err := f.Parse(os.Args[1:]); err != nil || !*json || f.NArg() != 1 || *none == (*stdin != "") {
		fail("stand-in: bad command line %q: %v", os.Args, err)
	}
	if file := os.Getenv("STANDIN_ARGS"); file != "" {
		if err := os.WriteFile(file, []byte(strings.Join(os.Args[1:], "\n")), 0o600); err != nil {
			fail("%v", err)
		}
	}
	m, err := job.DecodeManifest(read1(*manifest))
	if err != nil {
		fail("%v", err)
	}
	if job.Sum(read1(f.Arg(0))) != m.ModuleHash {
		fail("stand-in: another module")
	}
	if *memory != 0 {
		m.MemoryMB = *memory
	}
	k, err := identity.Load(*key, "")
	if err != nil {
		fail("%v", err)
	}
	var input []byte
	if *stdin != "" {
		input = read1(*stdin)
	}
	perform(os.Getenv("STANDIN"), k, m, input)
}

func fail(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(125)
}

func read1(file string) []byte {
	data, err := os.ReadFile(file)
	if err != nil {
		fail("%v", err)
	}
	return data
}

// perform answers as the test wants.
func perform(how string, key *identity.Key, m *job.Manifest, input []byte) {
	output := slices.Clone(input)
	slices.Reverse(output)
	stderr := []byte(fixtureStderr)
	s := fixture()
	s.Manifest = m
	switch how {
	case "stdout":
		output = append(output, '!')
	case "stderr":
		stderr = []byte("other\n")
	case "exit":
		*s.Outcome.ExitCode = 3
	case "trap":
		s.Outcome.Status, s.Outcome.ExitCode, s.Outcome.Trap = job.Trap, nil, job.TrapUnreachable
	case "timeout":
		s.Outcome.Status, s.Outcome.ExitCode = job.Timeout, nil
	case "fuel":
		fuel := int64(7)
		s.Outcome.FuelUsed = &fuel
	case "unsupported", "io":
		_, _ = os.Stdout.Write(job.EncodeError(&job.Error{Code: job.Code(how), Message: "no can do"}))
		os.Exit(125)
	case "stranger":
		key = otherKey()
	case "garbage":
		_, _ = os.Stdout.WriteString("hello\n")
		fail("something broke")
	case "silence":
		os.Exit(0)
	case "wait":
		wait()
	}
	s.Node.PeerID = key.PeerID()
	s.Stdout, s.Stderr = job.Sum(output), job.Sum(stderr)
	s.Outcome.StdoutBytes, s.Outcome.StderrBytes = int64(len(output)), int64(len(stderr))
	envelope, err := receipt.Sign(key, s)
	if err == nil {
		err = job.WriteResult(os.Stdout, &job.Result{Envelope: envelope}, bytes.NewReader(output),
			bytes.NewReader(stderr), nil)
	}
	if err != nil {
		fail("%v", err)
	}
}

// wait says where it is, and waits for a signal.
func wait() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	if err := os.WriteFile(os.Getenv("STANDIN_READY"), nil, 0o600); err != nil {
		fail("%v", err)
	}
	<-signals
	os.Exit(143)
}
