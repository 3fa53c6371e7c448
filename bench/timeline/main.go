// Command timeline draws where the time of a small job goes, by builds of plasm-run
// and of an engine that note the time at certain lines. It writes the drawing into
// docs/performance.md, or to stdout:
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

// draw runs both engines and writes what comes of it.
func draw(ctx context.Context, rounds int, page string, stdout io.Writer) error {
	dir, err := os.MkdirTemp("", "plasm-timeline-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := variant.Build(ctx, filepath.Join(dir, "plasm-run"), "", stamped()...); err != nil {
		return err
	}
	if err := variant.BuildEngine(ctx, "wasmtime", dir, stamped()...); err != nil {
		return err
	}
	for _, name := range []string{"plasm-run", "plasm-engine-wasmtime"} {
		if err := bin.Install(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	var text strings.Builder
	for _, engine := range []string{"wazero", "wasmtime"} {
		t, err := measure(ctx, dir, engine, rounds)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(&text, "With %s, medians of %d runs, in milliseconds:\n\n```text\n%s```\n\n", engine, rounds, t.chart())
	}
	if page == "" {
		_, err := io.WriteString(stdout, text.String())
		return err
	}
	return into(page, text.String())
}

// The marks in the page between which the drawing stands.
const (
	mark    = "<!-- what follows is written by make timeline -->\n"
	markEnd = "<!-- and ends here: timeline -->\n"
)

// into puts text between the marks of a page.
func into(page, text string) error {
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(old), mark)
	_, after, ends := strings.Cut(rest, markEnd)
	if !begins || !ends {
		return fmt.Errorf("%s has not the marks %q and %q", page, strings.TrimSpace(mark), strings.TrimSpace(markEnd))
	}
	return os.WriteFile(page, []byte(before+mark+"\n"+text+markEnd+after), 0o644) //nolint:gosec // a page is for everybody
}

// times are how long after its start a run came to each stamp, the median of all
// runs, in nanoseconds; "end" is the end of the command's process.
type times map[string]float64

// measure runs hello from the cache, in the folder dir with the commands.
func measure(ctx context.Context, dir, engine string, rounds int) (times, error) {
	all := map[string][]float64{}
	for i := range rounds + 1 {
		run, err := once(ctx, dir, engine)
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

func once(ctx context.Context, dir, engine string) (times, error) {
	hello, err := filepath.Abs(filepath.Join("examples", "hello", "hello.wasm"))
	if err != nil {
		return nil, err
	}
	run := exec.CommandContext(ctx, filepath.Join(dir, "plasm-run"), "--engine", engine, "--no-stdin", hello)
	run.Env = []string{"HOME=" + dir, "TMPDIR=" + dir}
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
	for _, s := range spans {
		for _, name := range []string{s.from, s.to} {
			if _, there := t[name]; !there && name != "" {
				return nil, fmt.Errorf("no stamp %q: %s", name, stderr.String())
			}
		}
	}
	return t, nil
}
