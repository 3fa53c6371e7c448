package job

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

func statuses() []Status { return Column(StatusWords(), func(w StatusWord) Status { return w.Status }) }

func traps() []string { return Names(TrapWords()) }

// Valid reports whether s is one of the statuses.
func (s Status) Valid() bool { return slices.Contains(statuses(), s) }

// OutcomeFromValue reads an outcome that is part of a document, where messages
// call it path. An error is a *FieldError.
func OutcomeFromValue(v Value, path string) (*Outcome, error) {
	f := NewFields(v, path)
	o := &Outcome{Status: Status(f.Str("status"))}
	if n, ok := f.OptInt("exit_code", 0, math.MaxUint32); ok {
		code := uint32(n) // OptInt checked the range
		o.ExitCode = &code
	}
	o.Trap = f.optNonEmpty("trap")
	o.StdinHash = f.Digest("stdin_hash")
	o.StdinComplete = f.Bool("stdin_complete")
	o.Truncated = f.Bool("truncated")
	o.CompileCached = f.Bool("compile_cached")
	for _, r := range o.ints() {
		*r.field = f.Int(r.name, 0, MaxSafeInt)
	}
	if n, ok := f.OptInt("fuel_used", 0, MaxSafeInt); ok {
		o.FuelUsed = &n
	}
	for _, d := range f.OptObjects("dirs") {
		o.Dirs = append(o.Dirs, OutcomeDir{
			Guest: d.Str("guest"), Tree: d.Digest("tree"),
			Files: d.Int("files", 0, MaxEntries), Bytes: d.Int("bytes", 0, MaxSafeInt),
		})
	}
	err := f.Close()
	if err == nil {
		err = o.check(path)
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Attrs returns what the event job.finished says: attrs, and then of the outcome, as keys
// and values for log/slog, status; exit_code or trap, where there is one; duration and cpu; the bytes of
// the streams and of memory.
func (o *Outcome) Attrs(attrs ...any) []any {
	attrs = append(attrs, "status", string(o.Status))
	if o.ExitCode != nil {
		attrs = append(attrs, "exit_code", *o.ExitCode)
	}
	if o.Trap != "" {
		attrs = append(attrs, "trap", o.Trap)
	}
	return append(attrs, "duration", time.Duration(o.WallTimeUS)*time.Microsecond, "cpu",
		time.Duration(o.CPUTimeUS)*time.Microsecond,
		"stdin_bytes", o.StdinBytes, "stdout_bytes", o.StdoutBytes, "stderr_bytes", o.StderrBytes, "memory_bytes",
		o.MemoryBytes)
}

// intRule is an integer with its name.
type intRule struct {
	name  string
	field *int64
}

func (o *Outcome) ints() []intRule {
	return []intRule{
		{name: "stdin_bytes", field: &o.StdinBytes},
		{name: "stdout_bytes", field: &o.StdoutBytes},
		{name: "stderr_bytes", field: &o.StderrBytes},
		{name: "memory_bytes", field: &o.MemoryBytes},
		{name: "wall_time_us", field: &o.WallTimeUS},
		{name: "cpu_time_us", field: &o.CPUTimeUS},
		{name: "compile_time_us", field: &o.CompileTimeUS},
	}
}

// Validate checks every rule an outcome must keep. An error is a *FieldError.
func (o *Outcome) Validate() error { return o.check("outcome") }

func (o *Outcome) check(path string) error {
	fail := func(name, format string, args ...any) error {
		return &FieldError{Path: path + "." + name, Problem: fmt.Sprintf(format, args...)}
	}
	if !o.Status.Valid() {
		return fail("status", "%s is not one of %s", Quote(string(o.Status)), strings.Join(texts(statuses()), ", "))
	}
	if (o.ExitCode != nil) != (o.Status == Exit) {
		return fail("exit_code", "goes with status exit and no other, not %s", o.Status)
	}
	if (o.Trap != "") != (o.Status == Trap) {
		return fail("trap", "goes with status trap and no other, not %s", o.Status)
	}
	if o.Trap != "" && !slices.Contains(traps(), o.Trap) {
		return fail("trap", "%s", notTrap(o.Trap))
	}
	if !o.StdinHash.Valid() {
		return fail("stdin_hash", notDigest, Quote(string(o.StdinHash)))
	}
	ints := o.ints()
	if o.FuelUsed != nil {
		ints = append(ints, intRule{name: "fuel_used", field: o.FuelUsed})
	}
	for _, r := range ints {
		if *r.field < 0 || *r.field > MaxSafeInt {
			return fail(r.name, "%d is not in 0…%d", *r.field, int64(MaxSafeInt))
		}
	}
	return o.checkDirs(fail)
}

// HasDirs reports whether a job that ended so can have Dirs: it ended by its own doing, and
// its worker lived to say what is in them.
func (s Status) HasDirs() bool { return s == Exit || s == Trap || s == OutOfFuel }

func (o *Outcome) checkDirs(fail failFunc) error {
	switch {
	case len(o.Dirs) > 0 && !o.Status.HasDirs():
		return fail("dirs", "goes with status exit, trap and out_of_fuel, not %s", o.Status)
	case len(o.Dirs) > MaxDirs:
		return fail("dirs", "%d are more than %d", len(o.Dirs), MaxDirs)
	}
	seen := map[string]bool{}
	for i, d := range o.Dirs {
		name := element("dirs", i)
		switch {
		case !ValidGuest(d.Guest):
			return fail(name+".guest", notGuest, Quote(d.Guest))
		case seen[d.Guest]:
			return fail(name+".guest", "%s is there twice", Quote(d.Guest))
		case !d.Tree.Valid():
			return fail(name+".tree", notDigest, Quote(string(d.Tree)))
		case d.Files < 0 || d.Files > MaxEntries:
			return fail(name+".files", "%d is not in 0…%d", d.Files, MaxEntries)
		case d.Bytes < 0 || d.Bytes > MaxSafeInt:
			return fail(name+".bytes", "%d is not in 0…%d", d.Bytes, int64(MaxSafeInt))
		}
		seen[d.Guest] = true
	}
	return nil
}

func notTrap(s string) string {
	return fmt.Sprintf("%s is not one of %s", Quote(s), strings.Join(traps(), ", "))
}
