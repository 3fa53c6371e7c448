package meter_test

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	wz "github.com/tetratelabs/wazero"

	"plasm/lib/meter"
)

// state is what can be seen of a module when it has ended.
type state struct {
	End     string
	Results []uint64
	Memory  uint64 // a digest
	Globals []uint64
	Fuel    int64
	Stack   int32
}

// observe runs a generated module, from its start function on.
func observe(t *testing.T, cfg wz.RuntimeConfig, module []byte, fuel int64) state {
	t.Helper()
	ctx := context.Background()
	rt := wz.NewRuntimeWithConfig(ctx, cfg)
	defer rt.Close(ctx) //nolint:errcheck // what it has to say shows below
	compiled, err := rt.CompileModule(ctx, module)
	if err != nil {
		t.Fatalf("not valid: %v", err)
	}
	mod, err := rt.InstantiateModule(ctx, compiled, wz.NewModuleConfig().WithStartFunctions())
	if err != nil { // the start function of what is not rewritten
		return state{End: "start: " + ending(err)}
	}
	i := &instance{t, mod}
	var s state
	if fuel > 0 {
		i.fuel(fuel)
		if mod.ExportedFunction(meter.StartExport) != nil {
			if _, s.End = i.call(meter.StartExport); s.End != "" {
				s.End = "start: " + s.End
			}
		}
	}
	if s.End == "" {
		s.Results, s.End = i.call("run")
		s.Results = append([]uint64{}, s.Results...) // none is none
	}
	if fuel > 0 {
		s.Fuel, s.Stack = i.left(), i.stack()
	}
	bytes, _ := mod.Memory().Read(0, mod.Memory().Size())
	h := fnv.New64a()
	h.Write(bytes)
	s.Memory = h.Sum64()
	s.Globals = []uint64{mod.ExportedGlobal("g0").Get(), mod.ExportedGlobal("g1").Get()}
	return s
}

// differential runs what data makes in every way, and compares.
func differential(t *testing.T, data []byte) state {
	t.Helper()
	g := &generator{data: data}
	module := g.module()
	both := rewrite(t, module, meter.Options{Fuel: true, CanonicalNaN: true})
	fuelled := rewrite(t, module, meter.Options{Fuel: true})
	nans := rewrite(t, module, meter.Options{CanonicalNaN: true})
	counted := map[string]state{}
	for name, cfg := range backends() {
		plain := observe(t, cfg, module, 0)
		metered := observe(t, cfg, fuelled, plenty)
		if metered.End == "" && metered.Stack != meter.StackUnits {
			t.Errorf("%s: %d of %d units of the stack come back", name, metered.Stack, meter.StackUnits)
		}
		metered.Fuel, metered.Stack = 0, 0
		if diff := cmp.Diff(plain, withoutStart(metered)); diff != "" {
			t.Errorf("%s: plain and metered differ (-plain +metered):\n%s", name, diff)
		}
		counted[name] = observe(t, cfg, both, plenty)
		canonical := observe(t, cfg, nans, 0)
		same := counted[name]
		same.Fuel, same.Stack = 0, 0
		if diff := cmp.Diff(canonical, withoutStart(same)); diff != "" {
			t.Errorf("%s: with canonical NaNs plain and metered differ:\n%s", name, diff)
		}
	}
	if diff := cmp.Diff(counted["compiler"], counted["interpreter"]); diff != "" {
		t.Errorf("compiler and interpreter differ:\n%s", diff)
	}
	used := plenty - counted["compiler"].Fuel
	for _, allowance := range []int64{used, used - 1, used / 2} {
		limited(t, both, allowance, used, counted["compiler"])
	}
	return counted["compiler"]
}

// withoutStart is s as a module shows itself whose start function trapped when
// it was instantiated.
func withoutStart(s state) state {
	if len(s.End) > 6 && s.End[:6] == "start:" {
		return state{End: s.End}
	}
	return s
}

// limited runs with an allowance, and with what is needed known.
func limited(t *testing.T, module []byte, allowance, used int64, full state) {
	t.Helper()
	if allowance <= 0 {
		return
	}
	compiler := observe(t, backends()["compiler"], module, allowance)
	if diff := cmp.Diff(compiler, observe(t, backends()["interpreter"], module, allowance)); diff != "" {
		t.Errorf("with %d of %d fuel compiler and interpreter differ:\n%s", allowance, used, diff)
	}
	if out := compiler.Fuel < 0; out != (allowance < used) {
		t.Errorf("with %d of the %d fuel that it uses, %d are left", allowance, used, compiler.Fuel)
	}
	if allowance >= used {
		full.Fuel = allowance - used
		if diff := cmp.Diff(full, compiler); diff != "" {
			t.Errorf("with exactly its %d fuel it does something else:\n%s", used, diff)
		}
	}
}

func randomBytes(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return out
}

// TestDifferential runs random modules, always the same.
func TestDifferential(t *testing.T) {
	t.Parallel()
	ends := map[string]int{}
	for seed := range uint64(150) {
		s := differential(t, randomBytes(seed, 400+int(seed)*8))
		ends[s.End]++
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if ends[""] < 20 {
		t.Errorf("few modules end well, so that this shows little: %v", ends)
	}
	t.Log(ends)
}

func FuzzDifferential(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(randomBytes(seed, 300))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4000 {
			return
		}
		differential(t, data)
	})
}
