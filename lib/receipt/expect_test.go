package receipt

import (
	"slices"
	"strings"
	"testing"

	"plasm/lib/job"
)

func TestExpectAsks(t *testing.T) {
	t.Parallel()
	none := &Expect{}
	all := &Expect{
		Module: job.EmptyDigest, Manifest: sampleManifest(), Stdin: []Content{{}}, Stdout: []Content{{}},
		Stderr: []Content{{}},
		Guards: []string{"process"}, ExitCodes: []uint32{0},
	}
	for _, c := range Checks() {
		own := slices.Contains(strings.Fields("module manifest stdin stdout stderr guards outcome"), string(c.Reason))
		if none.Asks(c.Reason) || all.Asks(c.Reason) != own {
			t.Errorf("%s: asked %v of nothing, %v of all", c.Reason, none.Asks(c.Reason), all.Asks(c.Reason))
		}
	}
}

func TestDifferenceNamesEveryField(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*job.Manifest){
		"id":                 func(m *job.Manifest) { m.ID = strings.Repeat("0", 32) },
		"module_hash":        func(m *job.Manifest) { m.ModuleHash = "" },
		"args":               func(m *job.Manifest) { m.Args = nil },
		"env":                func(m *job.Manifest) { m.Env = nil },
		"stdin_hash":         func(m *job.Manifest) { m.StdinHash = "" },
		"dirs":               func(m *job.Manifest) { m.Dirs = nil },
		"cpu_cores":          func(m *job.Manifest) { m.CPUCores++ },
		"memory_mb":          func(m *job.Manifest) { m.MemoryMB++ },
		"timeout_ms":         func(m *job.Manifest) { m.TimeoutMS++ },
		"fuel":               func(m *job.Manifest) { m.Fuel++ },
		"output_limit_bytes": func(m *job.Manifest) { m.OutputLimitBytes++ },
		"deterministic":      func(m *job.Manifest) { m.Deterministic = false },
		"seed":               func(m *job.Manifest) { m.Seed++ },
		"canonical_nan":      func(m *job.Manifest) { m.CanonicalNaN = true },
		"arch":               func(m *job.Manifest) { m.Arch = "" },
		"engine":             func(m *job.Manifest) { m.Engine = "" },
	} {
		m := sampleManifest()
		change(m)
		v := &Verified{Statement: sample()}
		err := v.Check(&Expect{Manifest: m})
		if err == nil || !strings.HasPrefix(err.Error(), "manifest: ") ||
			!strings.Contains(err.Error(), ": "+field+" differs") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestManifestWithoutID: whatever the job's ID, all else must be the same.
func TestManifestWithoutID(t *testing.T) {
	t.Parallel()
	m := sampleManifest()
	m.ID = ""
	v := &Verified{Statement: sample()}
	if err := v.Check(&Expect{Manifest: m}); err != nil || m.ID != "" {
		t.Errorf("%v; the manifest's ID is %q now", err, m.ID)
	}
	m.Seed++
	if err := v.Check(&Expect{Manifest: m}); err == nil || !strings.Contains(err.Error(), "seed differs") {
		t.Errorf("another seed: %v", err)
	}
}

func TestEnding(t *testing.T) {
	t.Parallel()
	code := uint32(4294967295)
	for want, o := range map[string]*job.Outcome{
		"exit 4294967295":  {Status: job.Exit, ExitCode: &code},
		"trap unreachable": {Status: job.Trap, Trap: job.TrapUnreachable},
		"timeout":          {Status: job.Timeout},
	} {
		if got := Ending(o); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
