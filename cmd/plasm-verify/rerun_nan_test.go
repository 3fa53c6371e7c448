package main

import (
	"strings"
	"testing"

	"plasm/lib/job"
	"plasm/lib/receipt"
)

// TestCompareNaNs has outputs that differ, which NaNs may be the reason of where the
// second run was on another engine or kind of processor.
func TestCompareNaNs(t *testing.T) {
	t.Parallel()
	ran := func(engine, arch, stdout string, canonical bool) *receipt.Verified {
		v := &receipt.Verified{Statement: &receipt.Statement{
			Stdout: job.Digest(stdout), Manifest: &job.Manifest{CanonicalNaN: canonical},
			Outcome: &job.Outcome{Status: job.Exit, ExitCode: new(uint32)},
		}}
		v.Node.Engine.Name, v.Node.Arch = engine, arch
		return v
	}
	for _, c := range []struct {
		engine, arch string
		canonical    bool
		says         bool
	}{
		{"wazero", "amd64", false, false},
		{"wasmtime", "amd64", false, true},
		{"wazero", "arm64", false, true},
		{"wasmtime", "arm64", true, false},
	} {
		o := &options{}
		err := o.compare(ran("wazero", "amd64", "a", c.canonical), ran(c.engine, c.arch, "b", c.canonical))
		if err == nil || strings.Contains(err.Error(), "canonical_nan") != c.says {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
