// Command timeline draws where the time of a small job goes, here and on a node, by
// builds of the commands and of an engine that note the time at certain lines. It
// writes the drawings into docs/performance.md, or to stdout:
//
//	go run ./bench/timeline [--rounds N] [--page FILE]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"plasm/test/bin"
	"plasm/test/variant"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	rounds := flag.Int("rounds", 100, "runs of each engine")
	page := flag.String("page", "", "the page to write into; none: stdout")
	flag.Parse()
	if err := draw(ctx, *rounds, *page, os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "timeline:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to undo but the handler of signals
	}
}

// hello is the module that is run, from the module's root.
var hello = filepath.Join("examples", "hello", "hello.wasm")

// draw runs both engines, and a node, and writes what comes of it.
func draw(ctx context.Context, rounds int, page string, stdout io.Writer) error {
	dir, err := os.MkdirTemp("", "plasm-timeline-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	texts := map[string]string{}
	if texts[local.name], err = drawLocal(ctx, dir, rounds); err != nil {
		return err
	}
	remote := filepath.Join(dir, "remote")
	if err := buildSubmit(ctx, remote); err != nil {
		return err
	}
	t, err := measureSubmit(ctx, remote, rounds)
	if err != nil {
		return err
	}
	texts[submission.name] = fmt.Sprintf("Medians of %d runs, in milliseconds:\n\n```text\n%s```\n\n", rounds,
		submission.chart(t))
	for _, name := range []string{local.name, submission.name} {
		if page == "" {
			_, err = io.WriteString(stdout, texts[name])
		} else {
			err = into(page, name, texts[name])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// drawLocal draws plasm-run, with each engine.
func drawLocal(ctx context.Context, dir string, rounds int) (string, error) {
	if err := variant.Build(ctx, filepath.Join(dir, "plasm-run"), "", stamped()...); err != nil {
		return "", err
	}
	if err := variant.BuildEngine(ctx, "wasmtime", dir, stamped()...); err != nil {
		return "", err
	}
	for _, name := range []string{"plasm-run", "plasm-engine-wasmtime"} {
		if err := bin.Install(filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	var text strings.Builder
	for _, engine := range []string{"wazero", "wasmtime"} {
		t, err := measureLocal(ctx, dir, engine, rounds)
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(&text, "With %s, medians of %d runs, in milliseconds:\n\n```text\n%s```\n\n", engine, rounds,
			local.chart(t))
	}
	return text.String(), nil
}

// measureLocal runs hello from the cache, in the folder dir with the commands.
func measureLocal(ctx context.Context, dir, engine string, rounds int) (times, error) {
	return local.measure(rounds, func() *exec.Cmd {
		run := exec.CommandContext(ctx, filepath.Join(dir, "plasm-run"), "--engine", engine, "--no-stdin", hello)
		run.Env = []string{"HOME=" + dir, "TMPDIR=" + dir}
		return run
	})
}

// marks are the lines in the page between which a drawing stands.
func marks(name string) (begin, end string) {
	return "<!-- what follows is written by make timeline: " + name + " -->\n", "<!-- and ends here: " + name + " -->\n"
}

// into puts text between the marks of a page.
func into(page, name, text string) error {
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	begin, end := marks(name)
	before, rest, begins := strings.Cut(string(old), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return fmt.Errorf("%s has not the marks %q and %q", page, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return os.WriteFile(page, []byte(before+begin+"\n"+text+end+after), 0o644) //nolint:gosec // a page is for everybody
}

// times are how long after its start a run came to each stamp, the median of all
// runs, in nanoseconds; "end" is the end of the command's process.
type times map[string]float64

// measure runs a command so many times, and once before.
func (s *subject) measure(rounds int, command func() *exec.Cmd) (times, error) {
	all := map[string][]float64{}
	for i := range rounds + 1 {
		run, err := s.once(command())
		if err != nil {
			return nil, err
		}
		if i == 0 {
			continue // it compiles
		}
		for name, at := range run {
			all[name] = append(all[name], at)
		}
	}
	medians := times{}
	for name, list := range all {
		slices.Sort(list)
		medians[name] = list[len(list)/2]
	}
	return medians, nil
}

func (s *subject) once(run *exec.Cmd) (times, error) {
	var stderr strings.Builder
	run.Stderr = &stderr
	begun := time.Now()
	if err := run.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, stderr.String())
	}
	t := times{"end": float64(time.Since(begun))}
	for line := range strings.Lines(stderr.String()) {
		name, at, _ := strings.Cut(strings.TrimSpace(line), " ")
		ns, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("no stamp: %q", line)
		}
		t[name] = float64(ns - begun.UnixNano())
	}
	for _, s := range s.spans {
		for _, name := range []string{s.from, s.to} {
			if _, there := t[name]; !there && name != "" {
				return nil, fmt.Errorf("no stamp %q: %s", name, stderr.String())
			}
		}
	}
	return t, nil
}
