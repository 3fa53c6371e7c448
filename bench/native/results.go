package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"plasm/lib/engine/wazero"
	"plasm/lib/sandbox"
)

// results is what a run comes to, as it is written.
type results struct {
	Measured  string              `json:"measured"`  // the day
	Processor string              `json:"processor"` // its name, cores and system
	Compiler  string              `json:"compiler"`
	Flags     string              `json:"flags"`
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
	wasmtime, err := h.engineVersion(ctx)
	if err != nil {
		return nil, err
	}
	r := &results{
		Measured: begun.Format(time.DateOnly), Processor: processor(), Compiler: first, Flags: cFlags, Rounds: len(rounds),
		Engines: map[string]string{"wazero": wazero.Engine{}.Version(), "wasmtime": wasmtime},
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

// engineVersion asks Wasmtime's executable what it holds.
func (h *house) engineVersion(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, filepath.Join(h.dir, "plasm-engine-wasmtime"), "--engine-info").Output()
	if err != nil {
		return "", fmt.Errorf("plasm-engine-wasmtime: %w", err)
	}
	var info sandbox.Build
	if err := json.Unmarshal(out, &info); err != nil {
		return "", err
	}
	return info.Engines[0].Version, nil
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
		{"the whole of `plasm-run` for a second of native work, against its engine alone: geometric mean of wall time", 1.02, r.Means["plasm-run-wasmtime"].Median},
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
