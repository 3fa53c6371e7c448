package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"plasm/test/bin"
	"plasm/test/variant"
)

// submission is a hello by plasm-submit, on a node of this machine that has run it
// before; both ends share its processors. The node is as it is shipped.
var submission = subject{
	name: "submission",
	spans: []span{
		{"command", "starts: process, Go runtime, packages", "", "main"},
		{"command", "reads flags, trust and key", "main", "key"},
		{"command", "reads and hashes the job", "describing", "described"},
		{"command", "makes its host", "key", "host"},
		{"both", "connect, and prove who they are", "host", "connected"},
		{"command", "signs the offer", "connected", "offered"},
		{"node", "accepts: signatures, slot, memory, room", "offered", "accepted"},
		{"node", "hands the job to a spare worker, which loads it", "accepted", "started"},
		{"node", "runs it, and has the result on its disk", "started", "result"},
		{"command", "verifies the result", "result", "verified"},
		{"command", "writes the output, closes its host, ends", "verified", "end"},
	},
}

// stampedSubmit are the edits for plasm-submit.
func stampedSubmit() []variant.Edit {
	const main, submit, describe = "cmd/plasm-submit/main.go", "cmd/plasm-submit/submit.go",
		"cmd/plasm-submit/describe.go"
	const dial, exchange = "lib/exchange/submit/dial.go", "lib/exchange/submit/exchange.go"
	return []variant.Edit{
		{File: "lib/job/stamp.go", New: stampFile},
		{
			File: main, Old: "	os.Exit(run(cli.Process(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)))\n",
			New: "	job.Stamp(\"main\")\n	code := run(cli.Process(os.Args[1:], os.Stdin, os.Stdout, " +
				"os.Stderr))\n	job.SayStamps(os.Stderr)\n	os.Exit(code)\n",
		},
		{File: main, Old: "	\"plasm/lib/cli\"\n", New: "	\"plasm/lib/cli\"\n	\"plasm/lib/job\"\n"},
		stamp(submit, "	if !o.verbose && !o.streams(in) {\n", "key", true),
		stamp(submit, "	defer func() { _ = host.Close() }()", "host", true),
		stamp(describe, "		d, err = o.describe(ctx, in)\n", "describing", true),
		stamp(describe, "		d, err = o.describe(ctx, in)\n", "described", false),
		stamp(dial, "	stream, err := a.openStream(ctx)\n", "connected", true),
		stamp(exchange, "	x.running.Go(func() { x.send(x.offer) })\n", "offered", true),
		stamp(exchange, "	x.accepted <- m\n", "accepted", true),
		stamp(exchange, "	a.started = true\n", "started", true),
		stamp(exchange, "			return r.Receipt, nil\n", "result", true),
		stamp(submit, "	o.progress.stop()\n	if err != nil {\n		out.Discard()\n", "verified", true),
	}
}

// buildSubmit builds plasm-submit with stamps into dir, and a node's commands.
func buildSubmit(ctx context.Context, dir string) error {
	if err := bin.Build(ctx, dir, "plasmd", "plasm-run"); err != nil {
		return err
	}
	if err := variant.BuildCommand(ctx, "plasm-submit", filepath.Join(dir, "plasm-submit"), "",
		stampedSubmit()...); err != nil {
		return err
	}
	for _, name := range []string{"plasmd", "plasm-run", "plasm-submit"} {
		if err := bin.Install(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// measureSubmit starts a node in dir and submits to it.
func measureSubmit(ctx context.Context, dir string, rounds int) (t times, err error) {
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.CommandContext(ctx, filepath.Join(dir, name), args...)
		c.Env = []string{"HOME=" + dir, "TMPDIR=" + dir}
		return c
	}
	id, err := command("plasm-submit", "--identity").Output()
	if err != nil {
		return nil, err
	}
	node := command("plasmd", "serve", "--mdns=false", "--log-level", "error", "--allow", strings.TrimSpace(string(id)),
		"--listen", "/ip4/127.0.0.1/tcp/0", "--data-dir", filepath.Join(dir, "data"), "--runtime-dir",
		filepath.Join(dir, "runtime"))
	var complaints strings.Builder
	node.Stderr = &complaints
	said, err := node.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := node.Start(); err != nil {
		return nil, err
	}
	defer func() {
		_ = node.Process.Signal(syscall.SIGTERM)
		if err = errors.Join(err, node.Wait()); err != nil {
			err = fmt.Errorf("%w: %s", err, complaints.String())
		}
	}()
	addr, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the node has no address: %w", err)
	}
	return submission.measure(rounds, func() *exec.Cmd {
		return command("plasm-submit", "--mdns=false", "--no-stdin", "--peer", strings.TrimSpace(addr), hello)
	})
}
