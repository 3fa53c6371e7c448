package job_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

// hello is a complete manifest with every optional field.
func hello() *job.Manifest {
	m := job.NewManifest()
	m.ID = "00112233445566778899aabbccddeeff"
	m.ModuleHash = job.Sum([]byte("module"))
	m.Args = []string{"-n", "\"\\<&>\u2028\u2029\ufffd\x01\n😀"}
	m.Env = map[string]string{"B": "2", "A": "1=1", "é\n": ""}
	m.StdinHash = job.Sum([]byte("hello"))
	m.Dirs = []job.Dir{{Guest: "/data", ReadOnly: true}, {Guest: "/out"}}
	m.Fuel = 5
	m.Arch = "amd64"
	m.Engine = "wazero"
	return m
}

func TestEncodeManifest(t *testing.T) {
	t.Parallel()
	m := hello()
	m.Args, m.Env = []string{"<&>"}, map[string]string{"B": "2", "A": "1"}
	const want = `{"version":"1","id":"00112233445566778899aabbccddeeff",` +
		`"module_hash":"sha256:120970d812836f19888625587a4606a5ad23cef31c8684e601771552548fc6b9",` +
		`"args":["<&>"],"env":{"A":"1","B":"2"},` +
		`"stdin_hash":"sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",` +
		`"dirs":[{"guest":"/data","read_only":true},{"guest":"/out","read_only":false}],` +
		`"cpu_cores":1,"memory_mb":256,"disk_mb":256,"timeout_ms":60000,"fuel":5,"output_limit_bytes":16777216,` +
		`"deterministic":true,"seed":0,"canonical_nan":false,"arch":"amd64","engine":"wazero"}`
	if diff := cmp.Diff(want, string(m.Encode())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	bare := job.Manifest{}
	const zero = `{"version":"","id":"","module_hash":"","args":[],"env":{},"cpu_cores":0,"memory_mb":0,"disk_mb":0,` +
		`"timeout_ms":0,` +
		`"output_limit_bytes":0,"deterministic":false,"seed":0,"canonical_nan":false}`
	if diff := cmp.Diff(zero, string(bare.Encode())); diff != "" || bare.Args != nil || bare.Env != nil {
		t.Errorf("zero value, now %v (-want +got):\n%s", bare, diff)
	}
}

func TestManifestRereads(t *testing.T) {
	t.Parallel()
	m := hello()
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	got, err := job.DecodeManifest(m.Encode())
	if err != nil || !got.Equal(m) {
		t.Errorf("read %v as %v: %v", m, got, err)
	}
	nan := hello()
	nan.CanonicalNaN = true
	if got.Equal(nan) {
		t.Error("manifests that differ are equal")
	}
}

// TestValidate breaks each rule once that a manifest made in Go can break.
func TestValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(m *job.Manifest)
		want   string
	}{
		{"version", func(m *job.Manifest) { m.Version = "2" }, `manifest.version: "2" is not one of 1`},
		{"id", func(m *job.Manifest) { m.ID = "" }, `manifest.id: "" is not 32 lower-case hex digits`},
		{"module", func(m *job.Manifest) { m.ModuleHash = "" }, `manifest.module_hash: "" is not sha256: and 64`},
		{"stdin", func(m *job.Manifest) { m.StdinHash = "x" }, `manifest.stdin_hash: "x" is not sha256: and 64`},
		{"argument with NUL", func(m *job.Manifest) { m.Args[1] = "a\x00" }, `manifest.args[1]: "a\x00" is not UTF-8`},
		{
			"argument of other bytes", func(m *job.Manifest) { m.Args[0] = "\xff" },
			`manifest.args[0]: "\xff" is not UTF-8`,
		},
		{"env without name", func(m *job.Manifest) { m.Env[""] = "" }, `manifest.env: "" is not a variable's name`},
		{"env name with =", func(m *job.Manifest) { m.Env["A="] = "" }, `manifest.env: "A=" is not a variable's name`},
		{
			"env name of other bytes", func(m *job.Manifest) { m.Env["\xff"] = "" },
			`manifest.env: "\xff" is not a variable's`,
		},
		{
			"env value of other bytes", func(m *job.Manifest) { m.Env["A"] = "\xff" },
			`manifest.env.A: "\xff" is not UTF-8`,
		},
		{
			"env value with NUL", func(m *job.Manifest) { m.Env["é\n"] = "\x00" },
			`manifest.env["é\n"]: "\x00" is not UTF-8`,
		},
		{
			"relative path", func(m *job.Manifest) { m.Dirs[1].Guest = "out" },
			`manifest.dirs[1].guest: "out" is not an absolute`,
		},
		{
			"path of other bytes", func(m *job.Manifest) { m.Dirs[0].Guest = "/\xff" },
			`manifest.dirs[0].guest: "/\xff" is not an`,
		},
		{
			"path with a final slash", func(m *job.Manifest) { m.Dirs[0].Guest = "/data/" },
			`manifest.dirs[0].guest: "/data/" is not an`,
		},
		{
			"path with an empty part", func(m *job.Manifest) { m.Dirs[0].Guest = "/a//b" },
			`manifest.dirs[0].guest: "/a//b" is not an`,
		},
		{
			"path with a dot", func(m *job.Manifest) { m.Dirs[0].Guest = "/./a" },
			`manifest.dirs[0].guest: "/./a" is not an`,
		},
		{
			"path that goes up", func(m *job.Manifest) { m.Dirs[0].Guest = "/a/.." },
			`manifest.dirs[0].guest: "/a/.." is not an`,
		},
		{
			"too many folders", func(m *job.Manifest) { m.Dirs = make([]job.Dir, 17) },
			`manifest.dirs: 17 are more than 16`,
		},
		{
			"path twice", func(m *job.Manifest) { m.Dirs[1].Guest = "/data" },
			`manifest.dirs[1].guest: "/data" is there twice`,
		},
		{"no cores", func(m *job.Manifest) { m.CPUCores = 0 }, `manifest.cpu_cores: 0 is not in 1…1024`},
		{"no memory", func(m *job.Manifest) { m.MemoryMB = 0 }, `manifest.memory_mb: 0 is not in 1…4096`},
		{"memory", func(m *job.Manifest) { m.MemoryMB = 4097 }, `manifest.memory_mb: 4097 is not in 1…4096`},
		{"no time", func(m *job.Manifest) { m.TimeoutMS = 0 }, `manifest.timeout_ms: 0 is not in 1…604800000`},
		{"fuel", func(m *job.Manifest) { m.Fuel = -1 }, `manifest.fuel: -1 is not in 1…9007199254740991`},
		{"output", func(m *job.Manifest) { m.OutputLimitBytes = -1 }, `manifest.output_limit_bytes: -1 is not in 0…`},
		{"seed", func(m *job.Manifest) { m.Seed = math.MaxInt64 }, `manifest.seed: 9223372036854775807 is not in 0…`},
		{"arch", func(m *job.Manifest) { m.Arch = "x86-64" }, `manifest.arch: "x86-64" is not 1 to 32 of a-z 0-9`},
		{"engine", func(m *job.Manifest) { m.Engine = strings.Repeat("a", 33) }, `manifest.engine: "aaaa`},
		{
			"size", func(m *job.Manifest) { m.Args[0] = strings.Repeat("a", job.MaxManifest) },
			` bytes, more than the 262144 allowed`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := hello()
			test.change(m)
			err := m.Validate()
			e, ok := errors.AsType[*job.Error](err)
			if !ok || e.Code != job.CodeBadManifest || !strings.Contains(e.Message, test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

func TestManifestSize(t *testing.T) {
	t.Parallel()
	m := hello()
	m.Args = []string{""}
	m.Args[0] = strings.Repeat("a", job.MaxManifest-len(m.Encode()))
	if got, err := job.DecodeManifest(m.Encode()); err != nil || !got.Equal(m) {
		t.Errorf("%d bytes: %v", len(m.Encode()), err)
	}
	tooLong := append(m.Encode(), ' ')
	for _, decode := range []func([]byte) (*job.Manifest, error){job.DecodeManifest, job.DecodeDraft} {
		if _, err := decode(tooLong); err == nil ||
			err.Error() != "manifest: 262145 bytes, more than the 262144 allowed" {
			t.Errorf("one byte more: %v", err)
		}
	}
	// Its encoding with every default written doesn't fit any more.
	short := bytes.Replace(m.Encode(), []byte(`"seed":0,`), nil, 1)
	if _, err := job.DecodeManifest(append(short[:len(short)-1], `,"x":`...)); err == nil {
		t.Error("cut short, and read")
	}
	grown := bytes.Replace(short, []byte(`"args":["`), []byte(`"args":["aaaaa`), 1)
	if _, err := job.DecodeManifest(grown); err == nil ||
		!strings.Contains(err.Error(), "more than the 262144 allowed") {
		t.Errorf("%d bytes that need more: %v", len(grown), err)
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	a, b := job.NewID(), job.NewID()
	if a == b || !job.ValidID(a) || !job.ValidID(b) {
		t.Errorf("drew %s, then %s", a, b)
	}
	if job.ValidID(strings.ToUpper("abcdefabcdefabcdefabcdefabcdefab")) || job.ValidID(a+"0") || job.ValidID("") {
		t.Error("an ID that is none is valid")
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	if d := job.Sum(nil); d != job.EmptyDigest || !d.Valid() || "sha256:"+d.Hex() != string(d) {
		t.Errorf("digest of nothing: %s, hex %s", d, d.Hex())
	}
	if d := job.Digest(""); d.Valid() || d.Hex() != "" {
		t.Errorf("no digest: valid %v, hex %q", d.Valid(), d.Hex())
	}
}

func TestOutcomeValidate(t *testing.T) {
	t.Parallel()
	code, used := uint32(1), int64(-1)
	good := job.Outcome{Status: job.Exit, ExitCode: &code, StdinHash: job.EmptyDigest}
	tests := []struct {
		name   string
		change func(o *job.Outcome)
		want   string
	}{
		{
			"status", func(o *job.Outcome) { o.Status = "done" },
			`outcome.status: "done" is not one of exit, trap, timeout, `,
		},
		{
			"no exit code", func(o *job.Outcome) { o.ExitCode = nil },
			`outcome.exit_code: goes with status exit and no other, not exit`,
		},
		{
			"a trap's exit code", func(o *job.Outcome) { o.Status = job.Trap },
			`outcome.exit_code: goes with status exit and no other`,
		},
		{
			"trap", func(o *job.Outcome) { o.Trap = job.TrapOther },
			`outcome.trap: goes with status trap and no other, not exit`,
		},
		{"stdin", func(o *job.Outcome) { o.StdinHash = "" }, `outcome.stdin_hash: "" is not sha256: and 64`},
		{
			"negative", func(o *job.Outcome) { o.WallTimeUS = -1 },
			`outcome.wall_time_us: -1 is not in 0…9007199254740991`,
		},
		{"fuel", func(o *job.Outcome) { o.FuelUsed = &used }, `outcome.fuel_used: -1 is not in 0…9007199254740991`},
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := good
			test.change(&o)
			if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}
