package main

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKernels builds all there is and looks whether every kernel prints in every way
// what it should; then it measures two of them for a moment, and reads what is
// written. How fast they are is not looked at.
func TestKernels(t *testing.T) {
	t.Parallel()
	h, err := newHouse(t.Context(), t.TempDir(), kernels)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.check(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	small := slices.Clone(kernels[:2])
	for i := range small {
		small[i].job = 4
	}
	h.kernels = small
	begun := time.Now()
	rounds, err := h.rounds(t.Context(), begun, io.Discard)
	if err != nil || len(rounds) != fewest {
		t.Fatalf("%d rounds, %v", len(rounds), err)
	}
	r, err := h.results(t.Context(), begun, rounds)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range r.Kernels {
		for _, c := range columns {
			if s := k.Ratios[c.key]; s.Low <= 0 || s.Low > s.Median || s.Median > s.High || len(s.Rounds) != fewest {
				t.Errorf("%s, %s: %+v", k.Name, c.key, s)
			}
		}
	}
	if text := r.text(); strings.Count(text, "at most") != len(r.Goals) || !strings.Contains(text, small[1].name) {
		t.Errorf("it tells\n%s", text)
	}

	h.kernels[1].output = "something else"
	if err := h.check(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "something else") {
		t.Errorf("a wrong output is taken: %v", err)
	}
}

// TestSHA256 has the standard library compute what the kernel, which does not check
// itself, should print: the first word of the state, as there is no padding.
func TestSHA256(t *testing.T) {
	t.Parallel()
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i * 7)
	}
	h := sha256.New()
	_, _ = h.Write(data)
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary() //nolint:errcheck // it says that it is one
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(kernels, func(k kernel) bool { return k.name == "sha256" })
	if got := hex.EncodeToString(state[4:8]); got != kernels[i].output || kernels[i].quick != 1 {
		t.Errorf("the state begins with %s, the kernel is to print %s", got, kernels[i].output)
	}
}

// TestPage holds the page, the plot and the figures that they are of together.
func TestPage(t *testing.T) {
	t.Parallel()
	docs := filepath.Join("..", "..", "docs")
	r := readResults(t, filepath.Join(docs, "native.json"))
	for _, k := range kernels {
		if !strings.Contains(r.tables(), "| `"+k.name+"` |") {
			t.Errorf("docs/native.json says nothing of %s: make bench-native writes it", k.name)
		}
	}
	page := read(t, filepath.Join(docs, "performance.md"))
	if want, err := r.into(page); err != nil || want != page {
		t.Errorf("docs/performance.md does not show docs/native.json: make bench-native writes both (%v)", err)
	}
	if read(t, filepath.Join(docs, "native.svg")) != r.plot() {
		t.Error("docs/native.svg does not show docs/native.json: make bench-native writes both")
	}
	if !strings.Contains(page, "(native.svg)") {
		t.Error("docs/performance.md does not show the plot")
	}
}

// TestWrite writes the three files, and reads them.
func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	o := options{json: at("json"), svg: at("svg"), page: at("page")}
	if err := os.WriteFile(o.page, []byte("before\n"+mark+"stale figures\n"+markEnd+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := sampleResults()
	if err := r.write(o); err != nil {
		t.Fatal(err)
	}
	page := read(t, o.page)
	if !strings.HasPrefix(page, "before\n"+mark) || !strings.HasSuffix(page, markEnd+"after\n") ||
		strings.Contains(page, "stale") {
		t.Errorf("the page is\n%s", page)
	}
	if !strings.Contains(page, "| the same: worst kernel | 1.35 | **1.500: missed** |") {
		t.Errorf("the page does not say what is missed:\n%s", page)
	}
	if again := readResults(t, o.json); again.tables() != r.tables() || again.plot() != read(t, o.svg) {
		t.Error("what is read is not what was written")
	}
	if err := os.WriteFile(o.page, []byte("no marks\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.write(o); err == nil || read(t, o.page) != "no marks\n" {
		t.Errorf("a page without marks was written: %v", err)
	}
}

// sampleResults has one kernel, for which one goal is missed.
func sampleResults() *results {
	r := &results{Rounds: 3, Means: map[string]spread{}, Worst: map[string]kernelAt{}}
	k := kernelFigures{Name: "kernel", Ratios: map[string]spread{}}
	for _, c := range columns {
		k.Ratios[c.key] = spreadOf([]float64{1, 1.01, 1.02})
	}
	k.Ratios["wasmtime-simd"] = spreadOf([]float64{1.5, 1.6, 1.4})
	r.Kernels = []kernelFigures{k}
	r.summarise()
	return r
}

func TestGoals(t *testing.T) {
	t.Parallel()
	r := sampleResults()
	if r.met() {
		t.Error("a goal is missed, and it says that they are met")
	}
	if text := r.text(); strings.Count(text, "MISSED") != 2 || !strings.Contains(text, "met ") {
		t.Errorf("it tells\n%s", text)
	}
	r.Kernels[0].Ratios["wasmtime-simd"] = spreadOf([]float64{1.05, 1.05, 1.05})
	r.summarise()
	if !r.met() {
		t.Errorf("the goals are met, and it says\n%s", r.text())
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		list              []float64
		low, median, high float64
	}{
		{[]float64{3}, 3, 3, 3},
		{[]float64{4, 1, 3, 2, 5}, 2, 3, 4},
		{[]float64{2, 1}, 1.25, 1.5, 1.75},
	} {
		if s := spreadOf(test.list); s.Low != test.low || s.Median != test.median || s.High != test.high {
			t.Errorf("%v: %+v", test.list, s)
		}
	}
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"no kernel \"nothing\"": {"--only", "nothing"},
		"are not written":       {"--only", "lz", "--json", "figures.json"},
		"not defined: -fast":    {"--fast"},
	} {
		var out, errs bytes.Buffer
		if code := run(args, &out, &errs); code != 125 || !strings.Contains(errs.String(), want) || out.Len() > 0 {
			t.Errorf("%v: %d, %q, %q", args, code, out.String(), errs.String())
		}
	}
	if _, err := os.Stat("figures.json"); err == nil {
		t.Error("it has written a file")
	}
}

func readResults(t *testing.T, name string) *results {
	t.Helper()
	var r results
	d := json.NewDecoder(strings.NewReader(read(t, name)))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	return &r
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
