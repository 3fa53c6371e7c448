package job

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// maxName is how long arch and engine may be, in bytes.
const maxName = 32

// Manifest is what is asked. Its fields are written in this order, every field
// that has a default included.
type Manifest struct {
	Version    string            `json:"version"`     // ManifestVersion
	ID         string            `json:"id"`          // 32 lower-case hex digits, chosen by the requester
	ModuleHash Digest            `json:"module_hash"` // what to run
	Args       []string          `json:"args"`        // argv[1:]; argv[0] is always "module"
	Env        map[string]string `json:"env"`
	// "" when the input is not known before the job starts
	StdinHash        Digest `json:"stdin_hash,omitempty"`
	Dirs             []Dir  `json:"dirs,omitempty"`
	CPUCores         int64  `json:"cpu_cores"`          // 1 to MaxCPUCores; placement only
	MemoryMB         int64  `json:"memory_mb"`          // 1 to MaxMemoryMB; units of 2^20 bytes of linear memory
	DiskMB           int64  `json:"disk_mb"`            // 0 to MaxDiskMB; units of 2^20 bytes of files in Outputs
	TimeoutMS        int64  `json:"timeout_ms"`         // 1 to MaxTimeout; milliseconds of the guest's wall time
	Fuel             int64  `json:"fuel,omitempty"`     // 1 to MaxSafeInt; 0 means that fuel is not counted
	OutputLimitBytes int64  `json:"output_limit_bytes"` // 0 to MaxSafeInt; stdout and stderr together
	Deterministic    bool   `json:"deterministic"`
	Seed             int64  `json:"seed"` // 0 to MaxSafeInt
	CanonicalNaN     bool   `json:"canonical_nan"`
	Arch             string `json:"arch,omitempty"`   // a GOARCH; placement only
	Engine           string `json:"engine,omitempty"` // "" means any
}

// NewManifest returns a manifest with every default filled in, and neither ID
// nor module.
func NewManifest() *Manifest {
	m := &Manifest{Version: ManifestVersion, Args: []string{}, Env: map[string]string{}}
	for _, r := range m.rules() {
		if r.Boolean {
			*r.flag = r.Absent == 1
		} else {
			*r.field = r.Absent
		}
	}
	return m
}

// Equal reports whether two manifests are equal field by field.
func (m *Manifest) Equal(o *Manifest) bool { return m.Difference(o) == "" }

// DecodeManifest reads a complete manifest. Members that have a default may be
// absent, and so may args and env. An error is an *Error with CodeBadManifest.
func DecodeManifest(data []byte) (*Manifest, error) {
	return decodeManifest(data, false)
}

// DecodeDraft is DecodeManifest for a manifest that may still lack id and
// module_hash; they are "" then.
func DecodeDraft(data []byte) (*Manifest, error) {
	return decodeManifest(data, true)
}

func decodeManifest(data []byte, draft bool) (*Manifest, error) {
	if len(data) > MaxManifest {
		return nil, badDocument(tooLarge("manifest", len(data), MaxManifest))
	}
	v, err := Parse(data)
	if err != nil {
		return nil, badDocument(fmt.Errorf("manifest: %w", err))
	}
	return manifestFrom(v, "manifest", draft)
}

// ManifestFromValue reads a complete manifest that is part of a document, where
// messages call it path. An error is an *Error with CodeBadManifest.
func ManifestFromValue(v Value, path string) (*Manifest, error) {
	return manifestFrom(v, path, false)
}

func manifestFrom(v Value, path string, draft bool) (*Manifest, error) {
	f := NewFields(v, path)
	m := &Manifest{Version: f.OneOf("version", ManifestVersion)}
	if f.Has("id") || !draft {
		m.ID = f.Str("id")
	}
	if f.Has("module_hash") || !draft {
		m.ModuleHash = f.Digest("module_hash")
	}
	m.Args = f.OptStrs("args")
	m.Env = f.Texts("env")
	m.StdinHash = f.OptDigest("stdin_hash")
	for _, d := range f.OptObjects("dirs") {
		m.Dirs = append(m.Dirs, Dir{Guest: d.Str("guest"), ReadOnly: d.Bool("read_only"), Tree: d.OptDigest("tree")})
	}
	for _, r := range m.rules() {
		if r.Boolean {
			*r.flag = f.BoolOr(r.Name, r.Absent == 1)
		} else {
			*r.field = f.IntOr(r.Name, r.Absent, r.Low, r.High)
		}
	}
	m.Arch = f.optNonEmpty("arch")
	m.Engine = f.optNonEmpty("engine")
	err := f.Close()
	if err == nil {
		err = m.check(path, draft && !f.Has("id"), draft && !f.Has("module_hash"))
	}
	if err != nil {
		return nil, badDocument(err)
	}
	return m, nil
}

// Validate checks every rule a complete manifest must keep, that it fits into
// MaxManifest bytes included. An error is an *Error with CodeBadManifest.
func (m *Manifest) Validate() error {
	if err := m.check("manifest", false, false); err != nil {
		return badDocument(err)
	}
	return nil
}

// Encode writes m in one line of JSON without an end of line, with every field
// that has a default. It is meant for a manifest that Validate accepts: bytes
// that are not UTF-8 come out as U+FFFD.
func (m *Manifest) Encode() []byte {
	full := *m
	if full.Args == nil {
		full.Args = []string{}
	}
	if full.Env == nil {
		full.Env = map[string]string{}
	}
	return encode(&full)
}

// WorkDigest returns the digest of Encode without the member id: the same for all
// manifests that ask for the same.
func (m *Manifest) WorkDigest() Digest {
	anonymous := *m
	anonymous.ID = ""
	// behind version, before any text of a user's
	return Sum(bytes.Replace(anonymous.Encode(), []byte(`"id":"",`), nil, 1))
}

// encode writes v as one line without an end of line. V must be of a type that
// always can be written.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // a defect of plasm: v has a type that JSON doesn't
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// rules are the members that are integers, true or false.
func (m *Manifest) rules() []rule {
	fuel := integer(&m.Fuel, "fuel", 0, 1, MaxSafeInt, 1_000_000_000, "units of fuel (plasm-fuel/1)")
	fuel.Without = "not counted"
	return []rule{
		integer(&m.CPUCores, "cpu_cores", 1, 1, MaxCPUCores, 1,
			"cores; placement only, as a preview 1 program has one thread"),
		integer(&m.MemoryMB, "memory_mb", 256, 1, MaxMemoryMB, 256, "units of 2^20 bytes of linear memory"),
		integer(&m.DiskMB, "disk_mb", 256, 0, MaxDiskMB, 256,
			"units of 2^20 bytes: the files of all travelling folders that the program may write, "+
				"each name by its whole size in blocks of 4096 bytes; counts only where there is such a folder"),
		integer(&m.TimeoutMS, "timeout_ms", 60_000, 1, MaxTimeout, 60_000,
			"milliseconds of the program's wall time (7 days)"),
		fuel,
		integer(&m.OutputLimitBytes, "output_limit_bytes", 16<<20, 0, MaxSafeInt, 16<<20,
			"bytes, stdout and stderr together"),
		boolean(&m.Deterministic, "deterministic", 1, 1, "whether clock, sleep and random numbers are simulated"),
		integer(&m.Seed, "seed", 0, 0, MaxSafeInt, 0, "; what simulated random numbers are made from"),
		boolean(&m.CanonicalNaN, "canonical_nan", 0, 1,
			"whether NaNs have the same bits everywhere, on every engine and kind of processor"),
	}
}

// check is Validate with a path for messages; what a draft lacks may be "".
func (m *Manifest) check(path string, noID, noModule bool) error {
	fail := func(name, format string, args ...any) error {
		return &FieldError{Path: path + "." + name, Problem: fmt.Sprintf(format, args...)}
	}
	if m.Version != ManifestVersion {
		return fail("version", "%s is not one of %s", Quote(m.Version), ManifestVersion)
	}
	if !noID && !ValidID(m.ID) {
		return fail("id", "%s is not 32 lower-case hex digits", Quote(m.ID))
	}
	if !noModule && !m.ModuleHash.Valid() {
		return fail("module_hash", notDigest, Quote(string(m.ModuleHash)))
	}
	if m.StdinHash != "" && !m.StdinHash.Valid() {
		return fail("stdin_hash", notDigest, Quote(string(m.StdinHash)))
	}
	for _, r := range m.rules() {
		if !r.Boolean && !r.holds() {
			return fail(r.Name, "%d is not in %d…%d", *r.field, r.Low, r.High)
		}
	}
	if err := m.checkTexts(fail); err != nil {
		return err
	}
	if n := len(m.Encode()); n > MaxManifest {
		return tooLarge(path, n, MaxManifest)
	}
	return nil
}

type failFunc func(name, format string, args ...any) error

// checkTexts checks everything that is text of the user's.
func (m *Manifest) checkTexts(fail failFunc) error {
	for i, a := range m.Args {
		if !noNUL(a) {
			return fail(element("args", i), "%s is not UTF-8 without NUL", Quote(a))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Env)) {
		value := m.Env[name]
		switch {
		case name == "" || strings.Contains(name, "=") || !noNUL(name):
			return fail("env", "%s is not a variable's name: UTF-8, not empty, without = and NUL", Quote(name))
		case !noNUL(value):
			return fail(member("env", name), "%s is not UTF-8 without NUL", Quote(value))
		}
	}
	if err := m.checkDirs(fail); err != nil {
		return err
	}
	if m.Arch != "" && !ValidName(m.Arch, "") {
		return fail("arch", "%s is not 1 to %d of a-z 0-9", Quote(m.Arch), maxName)
	}
	if m.Engine != "" && !ValidName(m.Engine, "-") {
		return fail("engine", "%s is not 1 to %d of a-z 0-9 -", Quote(m.Engine), maxName)
	}
	return nil
}

// MaxDirs is the most folders that a job can have.
const MaxDirs = 16

// notGuest is the format of a message about something that is no path in a guest.
const notGuest = "%s is not an absolute path in UTF-8 without NUL, empty, . or .. parts or a final /"

// ValidGuest reports whether s can be the path of a folder in a guest: absolute, and
// written in the one shortest way.
func ValidGuest(s string) bool {
	return strings.HasPrefix(s, "/") && noNUL(s) && filepath.Clean(s) == s
}

func (m *Manifest) checkDirs(fail failFunc) error {
	if len(m.Dirs) > MaxDirs {
		return fail("dirs", "%d are more than %d", len(m.Dirs), MaxDirs)
	}
	seen := map[string]bool{}
	for i, d := range m.Dirs {
		name := element("dirs", i) + ".guest"
		if !ValidGuest(d.Guest) {
			return fail(name, notGuest, Quote(d.Guest))
		}
		if seen[d.Guest] {
			return fail(name, "%s is there twice", Quote(d.Guest))
		}
		seen[d.Guest] = true
		if d.Tree != "" && !d.Tree.Valid() {
			return fail(element("dirs", i)+".tree", notDigest, Quote(string(d.Tree)))
		}
		for _, o := range m.Dirs[:i] {
			if o.Travels() != d.Travels() && (within(o.Guest, d.Guest) || within(d.Guest, o.Guest)) {
				return fail(name, "goes with no folder in or around it that %s: %s", travelsOrLives(&o), Quote(o.Guest))
			}
		}
	}
	return nil
}

// within reports whether a path in a guest is below another one.
func within(path, outer string) bool {
	return strings.HasPrefix(path, strings.TrimSuffix(outer, "/")+"/")
}

func travelsOrLives(d *Dir) string {
	if d.Travels() {
		return "travels"
	}
	return "is live"
}

// ValidName reports whether s names an engine, a processor family or a system: 1 to
// 32 of a-z, 0-9 and what extra has.
func ValidName(s, extra string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune(extra, c) {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}
