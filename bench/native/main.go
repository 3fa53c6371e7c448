// Command native compares our kernels (bench/kernels) as native programs, as guests
// of each engine alone, and as jobs of plasm-run: the same C, by the same compiler,
// in turns. It says which goals are met.
//
// What is compared is processor time, user and system, of the process and of all
// that it started, from its start to its end; for the whole of plasm-run against
// its engine alone, the time that passes. Modules have been compiled before. Each
// ratio is of two runs of one round; told is the median over the rounds, and the
// quartiles.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

const usage = `usage: go run ./bench/native [flags]

Compares our kernels as native programs, as guests of each engine alone, and as
jobs of plasm-run. To be started in the repository; takes clang-14, lld-14,
wasi-libc, libclang-rt-14-dev-wasm32 and binaryen of Debian 12, and a C compiler for Go.
Exit code: 0, 1 where a goal is missed, 125 where something went wrong.

flags:
`

type options struct {
	quick           bool
	within          time.Duration
	only            []string
	json, svg, page string
}

func run(args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("native", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&o.quick, "quick", false, "little work, once: only whether every output is right")
	flags.DurationVar(&o.within, "within", 9*time.Minute,
		"begin no round that would not end within this time; three rounds take as long as they take")
	flags.Func("only", "measure these kernels only, separated by commas, and write no files", func(names string) error {
		o.only = append(o.only, strings.Split(names, ",")...)
		return nil
	})
	flags.StringVar(&o.json, "json", "", "write the figures to this file")
	flags.StringVar(&o.svg, "svg", "", "write a plot of them to this file")
	flags.StringVar(&o.page, "page", "", "write the tables of them into this page, between its marks")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			_, _ = fmt.Fprint(stdout, usage)
			flags.SetOutput(stdout)
			flags.PrintDefaults()
			return 0
		}
		_, _ = fmt.Fprintf(stderr, "native: %v\n", err)
		return 125
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	met, err := compare(ctx, o, stdout)
	switch {
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(stderr, "native: interrupted")
		return 125
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "native: %v\n", err)
		return 125
	case !met:
		return 1
	}
	return 0
}

// compare does it all, and reports whether the goals are met.
func compare(ctx context.Context, o options, stdout io.Writer) (met bool, err error) {
	begun := time.Now()
	dir, err := os.MkdirTemp("", "plasm-native-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	list, err := chosen(o)
	if err != nil {
		return false, err
	}
	h, err := newHouse(ctx, dir, list)
	if err != nil {
		return false, err
	}
	if err := h.check(ctx, stdout); err != nil || o.quick {
		return true, err
	}
	rounds, err := h.rounds(ctx, begun.Add(o.within), stdout)
	if err != nil {
		return false, err
	}
	r, err := h.results(ctx, begun, rounds)
	if err != nil {
		return false, err
	}
	_, _ = fmt.Fprint(stdout, r.text())
	return r.met(), r.write(o)
}

// chosen returns the kernels that were asked for.
func chosen(o options) ([]kernel, error) {
	if len(o.only) == 0 {
		return kernels, nil
	}
	if o.json+o.svg+o.page != "" {
		return nil, errors.New("the figures of some kernels are not written: leave --only or the files away")
	}
	var list []kernel
	for _, name := range o.only {
		i := slices.IndexFunc(kernels, func(k kernel) bool { return k.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no kernel %q in bench/kernels", name)
		}
		list = append(list, kernels[i])
	}
	return list, nil
}
