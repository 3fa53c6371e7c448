package capability

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
	"plasm/lib/network"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	n := document()
	n.Limits.MemoryMB, n.CPUCores = 1024, 4
	n.Engines = append(n.Engines, job.NodeEngine{Name: "wasmtime", Version: "40"})
	want := []network.Key{
		"arch=amd64", "engine=wazero", "engine=wasmtime", "memory>=1", "memory>=256", "memory>=512",
		"memory>=1024", "cores>=2", "cores>=4",
	}
	if diff := cmp.Diff(want, Keys(&n)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestKeyIsTheRarest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		need Need
		want network.Key
	}{
		{Need{}, "memory>=1"},
		{Need{OS: "linux", Guards: []string{"seccomp"}, Free: true}, "memory>=1"},
		{Need{Arch: "amd64"}, "arch=amd64"},
		{Need{Arch: "riscv64", MinMemoryMB: 4096}, "arch=riscv64"},
		{Need{Engine: "wazero"}, "memory>=1"},
		{Need{Engine: "wasmtime", Arch: "arm64"}, "engine=wasmtime"},
		{Need{MinMemoryMB: 255, MinCores: 1}, "memory>=1"},
		{Need{MinMemoryMB: 257}, "memory>=256"},
		{Need{MinMemoryMB: 4096}, "memory>=4096"},
		{Need{MinCores: 2}, "cores>=2"},
		{Need{MinCores: 2, MinMemoryMB: 1024}, "memory>=1024"},
		{Need{MinCores: 1 << 40}, "cores>=1099511627776"},
		{Need{MinMemoryMB: 4095, Arch: "amd64"}, "arch=amd64"},
		{Need{MinMemoryMB: 1 << 40}, "memory>=1099511627776"}, // which nobody has
		{Need{MinCores: 33, Arch: "amd64"}, "cores>=32"},
		{Need{MinCores: -1, MinMemoryMB: -1}, "memory>=1"},
	}
	for _, test := range tests {
		if got := test.need.Key(); got != test.want {
			t.Errorf("%+v: %s, want %s", test.need, got, test.want)
		}
	}
}

// TestFittingNodesHaveTheKey: who fits is a provider of the key that is looked
// up, whatever node and need are.
func TestFittingNodesHaveTheKey(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	fitting := 0
	for range 20_000 {
		n := document()
		n.Arch, n.CPUCores, n.Limits.MemoryMB = pick("amd64", "arm64", "riscv64"), r.Int64N(40)+1,
			r.Int64N(job.MaxMemoryMB)+1
		n.Engines = append(n.Engines, job.NodeEngine{Name: pick("wasmtime", "other")})
		need := Need{
			Arch: pick("", "amd64", "arm64", "riscv64"), Engine: pick("", "wazero", "wasmtime"),
			MinMemoryMB: r.Int64N(5000), MinCores: r.Int64N(45),
		}
		if need.Against(&n) == nil {
			fitting++
			if !slices.Contains(Keys(&n), need.Key()) {
				t.Fatalf("%+v fits %+v, but isn't found as %s", n, need, need.Key())
			}
		}
	}
	if fitting < 100 {
		t.Errorf("only %d fitted", fitting)
	}
}
