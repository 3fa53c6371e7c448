package repeat_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"plasm/lib/job"
	"plasm/lib/wasm"
	"plasm/test/bin"
	"plasm/test/guest"
	"plasm/test/hostile"
)

// subject is a job that is run more than once.
type subject struct {
	name   string
	module string   // path
	stdin  string   // path; "" is no input
	args   []string // of the module
	nan    bool     // NaNs are to be canonical
	memory int64    // MiB; 0 is the default
	fuel   int64    // 0 is enough for what ends by itself

	example bool // is what an honest user runs
	endless bool // ends only when its fuel does
	bounded bool // reaches a limit of the process
	deep    bool // ends because calls are too deep
	refused bool // does not start
	large   bool // takes long to compile
	differs bool // ends otherwise on another engine
}

// run is one way to run a subject that comes to an end which is not a matter of
// time.
type run struct {
	*subject
	metered bool
}

// runs are the ways to run some subjects.
func runs(all []subject) []run {
	var list []run
	for i := range all {
		s := &all[i]
		if !s.endless && s.fuel == 0 {
			list = append(list, run{s, false})
		}
		if !s.refused && (s.example || !s.large) {
			list = append(list, run{s, true})
		}
	}
	return list
}

func (r run) String() string {
	if r.metered {
		return r.name + ", metered"
	}
	return r.name
}

// command is the command line of plasm-run, without the command.
func (r run) command() []string {
	line := []string{"--json", "--timeout", "10m", "--output-limit", "100000"}
	if r.memory > 0 {
		line = append(line, "--memory", strconv.FormatInt(r.memory, 10))
	}
	if r.nan {
		line = append(line, "--canonical-nan")
	}
	if r.metered {
		line = append(line, "--fuel", strconv.FormatInt(r.allowance(), 10))
	}
	if r.stdin == "" {
		line = append(line, "--no-stdin")
	} else {
		line = append(line, "--stdin", r.stdin)
	}
	return slices.Concat(line, []string{r.module}, r.args)
}

// allowance is a metered run's fuel.
func (r run) allowance() int64 {
	switch {
	case r.fuel > 0:
		return r.fuel
	case r.endless:
		return 500 // for some, the host works long for each call
	}
	return 1_000_000_000_000 // more than anything here takes
}

// subjects are all examples, what is hostile, and what shows NaNs.
func subjects(t *testing.T) []subject {
	t.Helper()
	return slices.Concat(examples(t), hostiles(t),
		[]subject{{name: "nans", module: write(t, "nans", nans()), nan: true}})
}

// examples are those of the folder of that name with the input that their pages give
// them: all but those with folders, which TestFolderExamples has. Those which draw draw
// little.
func examples(t *testing.T) []subject {
	t.Helper()
	planets := filepath.Join(root, "examples", "csvstat", "planets.csv")
	license := filepath.Join(root, "LICENSE")
	all := map[string]subject{
		"cat":        {stdin: license},
		"csvstat":    {stdin: planets, large: true},
		"hello":      {stdin: license},
		"mandelbrot": {args: []string{"96", "64"}},
		"sha256":     {stdin: license},
		"wordcount":  {stdin: license},
	}
	c, err := filepath.Glob(filepath.Join(root, "examples", "*", "*.c"))
	must(t, err)
	golang, err := filepath.Glob(filepath.Join(root, "examples", "*", "main.go"))
	must(t, err)
	sources := slices.DeleteFunc(slices.Concat(c, golang), func(source string) bool {
		return filepath.Base(filepath.Dir(source)) == "thumbnails"
	})
	if len(sources) != len(all) {
		t.Fatalf("%d examples; known here are %d", len(sources), len(all))
	}
	var list []subject
	for _, source := range sources {
		name := filepath.Base(filepath.Dir(source))
		s, ok := all[name]
		if !ok {
			t.Fatalf("the example %s has no input here", name)
		}
		s.name, s.example, s.module = "example "+name, true, filepath.Join(filepath.Dir(source), name+".wasm")
		if filepath.Ext(source) == ".go" { // not committed
			s.module = filepath.Join(t.TempDir(), name+".wasm")
			must(t, bin.BuildGuest(t.Context(), "plasm/examples/"+name, s.module))
		}
		list = append(list, s)
	}
	return list
}

// hostiles are those of the corpus, which has all guests of the catalogue too, but
// for those that are about time, about input that does not come, and about folders:
// these depend on more than the job.
func hostiles(t *testing.T) []subject {
	t.Helper()
	input := filepath.Join(t.TempDir(), "input")
	must(t, os.WriteFile(input, []byte("some input\n"), 0o600))
	var list []subject
	// Just below the limit on values: what metering adds is beyond it.
	full := []string{"wide-loops-698", "wide-branches-1045", "wide-calls-261"}
	cases := hostile.Cases()
	for i := range cases {
		c := &cases[i]
		if c.Real || c.Blocked || c.Folder {
			continue
		}
		module := c.Module()
		list = append(list, subject{
			name: c.Name, module: write(t, c.Name, module), stdin: input, memory: c.Memory, fuel: c.Fuel,
			endless: c.Want.Status == job.Timeout, bounded: c.Want.Status == job.OutOfMemory,
			deep: c.Want.Trap == job.TrapStackOverflow, refused: c.Want.Status == "", large: len(module) > 20_000 ||
				slices.Contains(full, c.Name), differs: len(c.Differs) > 0,
		})
	}
	return list
}

// write writes a module and returns its path.
func write(t *testing.T, name string, module []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".wasm")
	must(t, os.WriteFile(path, module, 0o600))
	return path
}

// nans is a module that writes the bits of NaNs to stdout, 8 bytes each: made by
// instructions of which the specification leaves the bits open.
func nans() []byte {
	const (
		f32, f64                      = 0x43, 0x44 // the instructions for constants
		storeF32, storeF64, storeV128 = 0x38, 0x39, 0x0b
	)
	zero, zeroWide := guest.Code{f32, 0, 0, 0, 0}, guest.Code{f64, 0, 0, 0, 0, 0, 0, 0, 0}
	minus := guest.Code{f32, 0, 0, 0x80, 0xbf}
	payload := guest.Code{f64, 1, 0, 0, 0, 0, 0, 0xf4, 0xff} // a signalling NaN
	lanes := guest.Code{0xfd, 0x0c, 0, 0, 0, 0, 0, 0, 0x80, 0xbf, 0, 0, 0xc0, 0x7f, 0, 0, 0x80, 0x7f}
	narrow := []guest.Code{
		guest.Op(0x95, zero, zero),                   // f32.div
		guest.Op(0x91, minus),                        // f32.sqrt
		guest.Op(0x96, minus, guest.Op(0x91, minus)), // f32.min
		guest.Op(0xb6, payload),                      // f32.demote_f64
	}
	wide := []guest.Code{
		guest.Op(0xa3, zeroWide, zeroWide),    // f64.div
		guest.Op(0xa0, payload, zeroWide),     // f64.add
		guest.Op(0xa5, zeroWide, payload),     // f64.max
		guest.Op(0xbb, guest.Op(0x91, minus)), // f64.promote_f32
	}
	vectors := []guest.Code{
		guest.Seq(lanes, lanes, guest.Code{0xfd, 0xe7, 0x01}), // f32x4.div
		guest.Seq(lanes, guest.Code{0xfd, 0xe3, 0x01}),        // f32x4.sqrt
	}
	const first = 64
	at := int64(first)
	var code guest.Code
	store := func(value guest.Code, size int64, op ...byte) {
		code = append(code, guest.Seq(guest.Int(at), value, guest.Code(op), guest.Code{0, 0})...)
		at += size
	}
	for _, v := range narrow {
		store(v, 8, storeF32)
	}
	for _, v := range wide {
		store(v, 8, storeF64)
	}
	for _, v := range vectors {
		store(v, 16, 0xfd, storeV128)
	}
	i32s := slices.Repeat([]guest.ValType{guest.I32}, 4)
	b := guest.Builder{
		Imports: []guest.Import{{
			Module: "wasi_snapshot_preview1", Name: "fd_write",
			Func: guest.FuncType{Params: i32s, Results: i32s[:1]},
		}},
		Memory:  &guest.Limits{Min: 1},
		Exports: []guest.Export{{Name: "memory", Kind: guest.KindMemory}, {Name: "_start", Index: 1}},
	}
	b.Funcs = []guest.Func{{Body: guest.Seq(
		code,
		guest.Store(wasm.OpI32Store, 0, guest.Int(0), guest.Int(first)),
		guest.Store(wasm.OpI32Store, 4, guest.Int(0), guest.Int(at-first)),
		guest.Op(wasm.OpDrop, guest.Call(0, guest.Int(1), guest.Int(0), guest.Int(1), guest.Int(8))),
	)}}
	return b.Bytes()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
