//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"plasm/lib/engine"
	"plasm/lib/engine/wazero"
	"plasm/lib/job"
	"plasm/lib/sandbox"
	"plasm/test/hostile"
)

// serve runs cases, one after the other, through one supervisor that lives on. The
// first report is about no case, and has what that supervisor has before.
func serve(setup string, reports *json.Encoder) error {
	var s hostile.Setup
	if err := json.Unmarshal([]byte(setup), &s); err != nil {
		return err
	}
	super := sandbox.New(sandbox.Config{
		Worker: s.Worker, Preparer: s.Prepare, CacheDir: s.Cache, CompileTimeout: s.Compile,
		Engine:  engineNamed(s.Engine),
		Version: "dev",
	})
	defer super.Close()
	super.OpenCache()
	hello, err := os.ReadFile(s.Hello)
	if err != nil {
		return err
	}
	base := &hostile.Served{}
	if base.Next, err = next(super, hello); err != nil {
		return err
	}
	if err := errors.Join(count(base, math.MaxInt), reports.Encode(base)); err != nil {
		return err
	}
	cases := hostile.Cases()
	for i := range cases {
		c := &cases[i]
		if len(s.Only) > 0 && !slices.Contains(s.Only, c.Name) {
			continue
		}
		if c.Want.Status == job.Timeout {
			c.Timeout = min(c.Timeout, s.Longest)
		}
		served, err := one(super, c, &s)
		if err != nil {
			return err
		}
		if served.Next, err = next(super, hello); err != nil {
			return fmt.Errorf("after %s: %w", c.Name, err)
		}
		if err := count(served, base.Routines); err != nil {
			return err
		}
		if err := reports.Encode(served); err != nil {
			return err
		}
	}
	return nil
}

// one runs a case.
func one(super *sandbox.Supervisor, c *hostile.Case, s *hostile.Setup) (*hostile.Served, error) {
	module, m := c.Module(), c.Manifest()
	m.ModuleHash, m.StdinHash = job.Sum(module), job.EmptyDigest
	j := &sandbox.Job{Manifest: m, Module: module, Input: sandbox.Input{Hash: job.EmptyDigest}}
	if c.Blocked {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		defer func() { _ = errors.Join(w.Close(), r.Close()) }()
		m.StdinHash, j.Input = "", sandbox.Input{Reader: r}
	}
	if c.Folder {
		m.Dirs = []job.Dir{{Guest: "/rw"}, {Guest: "/ro", ReadOnly: true}}
		j.Dirs = []engine.Dir{{Host: s.RW, Dir: m.Dirs[0]}, {Host: s.RO, Dir: m.Dirs[1]}}
	}
	served := &hostile.Served{Name: c.Name}
	report, err := super.Run(context.Background(), j)
	if e, ok := errors.AsType[*job.Error](err); ok {
		served.Code, served.Message = e.Code, e.Message
		return served, nil
	}
	if err == nil {
		served.Outcome = &report.Outcome
	}
	return served, err
}

// next runs an honest job and returns what it wrote.
func next(super *sandbox.Supervisor, hello []byte) (string, error) {
	m, input := job.NewManifest(), "hello"
	m.ModuleHash, m.StdinHash = job.Sum(hello), job.Sum([]byte(input))
	var out bytes.Buffer
	_, err := super.Run(context.Background(), &sandbox.Job{
		Manifest: m, Module: hello, Stdout: &out,
		Input: sandbox.Input{Reader: io.LimitReader(strings.NewReader(input), 10), Hash: m.StdinHash},
	})
	return out.String(), err
}

// count notes what this process has. Goroutines that are about to end, beyond the
// usual number, it gives a moment to.
func count(served *hostile.Served, usual int) error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	served.Open = len(open)
	for deadline := time.Now().Add(time.Second); runtime.NumGoroutine() > usual && time.Now().Before(deadline); {
		<-time.After(time.Millisecond)
	}
	served.Routines = runtime.NumGoroutine()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		return err
	}
	for _, task := range tasks {
		children, _ := os.ReadFile(task) // a thread may have ended meanwhile
		served.Children += len(strings.Fields(string(children)))
	}
	debug.FreeOSMemory() // only now: it also closes files that were lost
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscanf(after, "%d kB", &served.Resident); err != nil {
		return fmt.Errorf("VmRSS: %w", err)
	}
	served.Resident <<= 10
	return nil
}

// engineNamed returns what the workers of an engine should be.
func engineNamed(name string) sandbox.EngineInfo {
	for _, other := range sandbox.OtherEngines() {
		if other.Name == name {
			return other
		}
	}
	var e wazero.Engine
	return sandbox.EngineInfo{Name: name, Version: e.Version(), Features: e.Features()}
}
