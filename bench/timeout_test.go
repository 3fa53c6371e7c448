package bench

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"plasm/lib/engine/wazero"
	"plasm/lib/job"
	"plasm/lib/sandbox"
	"plasm/test/bin"
	"plasm/test/guest"
)

// runs is how often each job is ended that would never end: the second worst of
// 100 is the 99th percentile.
const runs = 100

// BenchmarkTimeout tells how late jobs end that would never end, in milliseconds
// beyond timeout_ms, as their receipts say.
func BenchmarkTimeout(b *testing.B) {
	const timeout = 100 * time.Millisecond
	h := build(b)
	type endless struct {
		name, module string
		held         bool // stdin is a pipe into which nobody writes, and a slow reader takes stdout
	}
	all := []endless{
		{"fill", h.module(b, "fill", filling()), false},
		{"sleep", h.guest(b, "sleep-hour"), false},
		{"blocked-read", h.guest(b, "cat"), true},
		{"slow-reader", h.guest(b, "yes"), true},
	}
	for _, name := range guest.Names() {
		if guest.Endless(name) {
			all = append(all, endless{name, h.guest(b, name), false})
		}
	}
	for _, e := range all {
		b.Run(e.name, func(b *testing.B) {
			var late []float64
			for b.Loop() {
				for range runs {
					late = append(late, overrun(b, h, timeout, e.module, e.held))
				}
			}
			lateness(b, late)
		})
	}
}

// overrun runs an endless job and returns its wall time beyond timeout, in ms.
func overrun(b *testing.B, h *house, timeout time.Duration, module string, held bool) float64 {
	b.Helper()
	receipt := filepath.Join(h.dir, "receipt.json")
	cmd := h.command(h.run, "--deterministic=false", "--timeout", timeout.String(), "--output-limit", "100000000000",
		"--receipt", receipt, module)
	var stdin io.Closer
	done := make(chan struct{})
	if held {
		var err error
		if stdin, err = cmd.StdinPipe(); err != nil {
			b.Fatal(err)
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		go func() {
			defer close(done)
			readSlowly(stdout)
		}()
	} else {
		close(done)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	<-done
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 124 {
		b.Fatalf("%v: %v", cmd.Args, err)
	}
	if stdin != nil {
		_ = stdin.Close() // perhaps again
	}
	envelope, err := os.ReadFile(receipt)
	if err != nil {
		b.Fatal(err)
	}
	o := outcome(b, slices.Concat([]byte(`{"receipt":`), envelope, []byte("}")))
	if o.Status != job.Timeout {
		b.Fatalf("status %s", o.Status)
	}
	return float64(o.WallTimeUS)/1000 - float64(timeout.Milliseconds())
}

// readSlowly reads 4 KiB every 10 ms, until the end.
func readSlowly(r io.Reader) {
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for buf := make([]byte, 4<<10); ; <-pace.C {
		if _, err := r.Read(buf); err != nil {
			return
		}
	}
}

// lateness reports the median and the 99th percentile of how late jobs were, and
// fails when that is more than 10 ms.
func lateness(b *testing.B, late []float64) {
	b.Helper()
	b.ReportMetric(median(late), "ms-late-median") // and sorts
	b.ReportMetric(late[len(late)-1], "ms-late-worst")
	atMost(b, late[(len(late)*99+99)/100-1], "ms-late-p99", 10)
	if b.Failed() {
		b.Logf("late by %.1f ms at the median, by %.1f at worst", median(late), late[len(late)-1])
	}
}

// BenchmarkCompileTimeout tells how late a compile is ended that takes longer than
// it may, in milliseconds beyond that limit. It is told from outside: starting the
// worker and clearing its staging folder away count.
func BenchmarkCompileTimeout(b *testing.B) {
	const limit = 100 * time.Millisecond
	h := build(b)
	var e wazero.Engine
	s := sandbox.New(sandbox.Config{
		Worker: bin.Worker(h.dir), Engine: sandbox.EngineInfo{
			Name: e.Name(), Version: e.Version(),
			Features: e.Features(),
		}, Version: "dev",
		CacheDir: filepath.Join(h.dir, "modules"), CompileTimeout: limit,
	})
	b.Cleanup(s.Close)
	s.OpenCache()
	m := job.NewManifest()
	module := uncompilable()
	m.ID, m.ModuleHash, m.StdinHash = job.NewID(), job.Sum(module), job.EmptyDigest
	var late []float64
	for b.Loop() {
		for range runs {
			begun := time.Now()
			_, err := s.Run(context.Background(),
				&sandbox.Job{Manifest: m, Module: module, Input: sandbox.Input{Hash: job.EmptyDigest}})
			late = append(late, float64((time.Since(begun)-limit).Microseconds())/1000)
			if told, ok := errors.AsType[*job.Error](err); !ok || told.Code != job.CodeCompileLimit {
				b.Fatalf("%v", err)
			}
		}
	}
	lateness(b, late)
}
