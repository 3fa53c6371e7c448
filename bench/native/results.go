package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// results is what a run comes to, as it is written.
type results struct {
	Measured  string              `json:"measured"`  // the day
	Processor string              `json:"processor"` // its name, cores and system
	Compiler  string              `json:"compiler"`
	Flags     string              `json:"flags"`   // for all
	Guests    string              `json:"guests"`  // flags for guests with SIMD, and what goes over them
	Engines   map[string]string   `json:"engines"` // versions
	Rounds    int                 `json:"rounds"`
	Kernels   []kernelFigures     `json:"kernels"`
	Means     map[string]spread   `json:"means"` // of the kernels' figures, geometric
	Worst     map[string]kernelAt `json:"worst"`
	Goals     []goal              `json:"goals"`
}

// kernelFigures is what was measured of one kernel.
type kernelFigures struct {
	Name    string            `json:"name"`
	Seconds float64           `json:"native_seconds"` // of processor time, for the job
	Ratios  map[string]spread `json:"ratios"`         // by column
}

type kernelAt struct {
	Kernel string  `json:"kernel"`
	Ratio  float64 `json:"ratio"`
}

// spread is a ratio: the median of all rounds, and their quartiles.
type spread struct {
	Median float64   `json:"median"`
	Low    float64   `json:"low"`
	High   float64   `json:"high"`
	Rounds []float64 `json:"rounds"`
}

// goal is what a figure is held against.
type goal struct {
	Says     string  `json:"says"`
	AtMost   float64 `json:"at_most"`
	Measured float64 `json:"measured"`
}

func (g goal) met() bool { return g.Measured <= g.AtMost }

// column is a figure that each kernel has: one way over another.
type column struct {
	key, title string
	way, over  string
	wall       bool // of the time that passes, and not of processor time
}

var columns = []column{
	{"wasmtime-simd", "wasmtime, SIMD", "wasmtime-simd", "native", false},
	{"wasmtime-scalar", "wasmtime, scalar", "wasmtime-scalar", "native", false},
	{"wazero-simd", "wazero, SIMD", "wazero-simd", "native-quarter", false},
	{"wazero-scalar", "wazero, scalar", "wazero-scalar", "native-quarter", false},
	{"plasm-run-wasmtime", "`plasm-run` / wasmtime", "plasm-run-wasmtime-simd", "wasmtime-simd", true},
	{"plasm-run-wasmtime-cpu", "", "plasm-run-wasmtime-simd", "wasmtime-simd", false},
	{"plasm-run-wazero", "`plasm-run` / wazero", "plasm-run-wazero-simd", "wazero-simd", true},
	{"plasm-run-wazero-cpu", "", "plasm-run-wazero-simd", "wazero-simd", false},
	{"wasmtime-simd-plain", "", "wasmtime-simd-plain", "native", false},
	{"native-own", "", "native-own", "native", false},
	{"plasm-run-native", "", "plasm-run-wasmtime-simd", "native", true},
}

func (c column) of(r round, kernel string) float64 {
	a, b := r[kernel][c.way], r[kernel][c.over]
	if c.wall {
		return a.wall / b.wall
	}
	return a.cpu / b.cpu
}

// results makes figures of what was measured.
func (h *house) results(ctx context.Context, begun time.Time, rounds []round) (*results, error) {
	version, err := exec.CommandContext(ctx, compiler(), "--version").Output()
	if err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(string(version), "\n")
	versions, err := h.engines(ctx)
	if err != nil {
		return nil, err
	}
	r := &results{
		Measured: begun.Format(time.DateOnly), Processor: processor(), Compiler: first, Flags: cFlags,
		Guests: strings.Join(builds["simd"].flags, " ") + "; " + wasmOpt, Rounds: len(rounds),
		Engines: versions,
		Means:   map[string]spread{}, Worst: map[string]kernelAt{},
	}
	for _, k := range h.kernels {
		f := kernelFigures{Name: k.name, Ratios: map[string]spread{}}
		var seconds []float64
		for _, round := range rounds {
			seconds = append(seconds, round[k.name]["native"].cpu)
		}
		f.Seconds = spreadOf(seconds).Median
		for _, c := range columns {
			var list []float64
			for _, round := range rounds {
				list = append(list, c.of(round, k.name))
			}
			f.Ratios[c.key] = spreadOf(list)
		}
		r.Kernels = append(r.Kernels, f)
	}
	r.summarise()
	return r, nil
}

// engines tells the version of each engine, from receipts.
func (h *house) engines(ctx context.Context) (map[string]string, error) {
	versions := map[string]string{}
	for _, w := range ways {
		if !w.whole {
			continue
		}
		if _, _, err := h.once(ctx, w, h.kernels[0], 1); err != nil {
			return nil, err
		}
		text, err := os.ReadFile(filepath.Join(h.dir, receiptFile))
		if err != nil {
			return nil, err
		}
		var envelope struct{ Payload []byte }
		var statement struct {
			Predicate struct {
				Node struct {
					Engine struct{ Name, Version string }
				}
			}
		}
		if err := errors.Join(json.Unmarshal(text, &envelope),
			json.Unmarshal(envelope.Payload, &statement)); err != nil {
			return nil, fmt.Errorf("receipt: %w", err)
		}
		e := statement.Predicate.Node.Engine
		versions[e.Name] = e.Version
	}
	return versions, nil
}

// summarise makes the means, the worst and the goals of the kernels' figures.
func (r *results) summarise() {
	for _, c := range columns {
		list := make([]float64, r.Rounds)
		var worst kernelAt
		for _, k := range r.Kernels {
			s := k.Ratios[c.key]
			for i := range list {
				list[i] += math.Log(s.Rounds[i]) / float64(len(r.Kernels))
			}
			if s.Median > worst.Ratio {
				worst = kernelAt{k.Name, s.Median}
			}
		}
		for i := range list {
			list[i] = math.Exp(list[i])
		}
		r.Means[c.key], r.Worst[c.key] = spreadOf(list), worst
	}
	r.Goals = []goal{
		{"wasmtime, guests with SIMD, against native: geometric mean", 1.05, r.Means["wasmtime-simd"].Median},
		{"the same: worst kernel", 1.35, r.Worst["wasmtime-simd"].Ratio},
		{"wasmtime, scalar guests, against native: geometric mean", 1.30, r.Means["wasmtime-scalar"].Median},
		{
			"the whole of `plasm-run` for a second of native work, against its engine alone: geometric mean of " +
				"wall time",
			1.02, r.Means["plasm-run-wasmtime"].Median,
		},
	}
}

func (r *results) met() bool {
	return !slices.ContainsFunc(r.Goals, func(g goal) bool { return !g.met() })
}

// spreadOf takes the list's median and quartiles; what lies between two samples is
// interpolated.
func spreadOf(list []float64) spread {
	s := spread{Rounds: make([]float64, len(list))}
	for i, v := range list {
		s.Rounds[i] = rounded(v)
	}
	sorted := slices.Sorted(slices.Values(s.Rounds))
	at := func(q float64) float64 {
		below, part := math.Modf(q * float64(len(sorted)-1))
		i := int(below)
		return rounded(sorted[i] + part*(sorted[min(i+1, len(sorted)-1)]-sorted[i]))
	}
	s.Low, s.Median, s.High = at(0.25), at(0.5), at(0.75)
	return s
}

func rounded(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// processor tells what this machine is.
func processor() string {
	name := "unknown processor"
	info, _ := os.ReadFile("/proc/cpuinfo") // nothing to read on macOS
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			name = strings.Join(strings.Fields(value), " ")
			break
		}
	}
	return name + ", " + runtime.GOOS + "/" + runtime.GOARCH
}
