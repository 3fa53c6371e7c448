package batch

import (
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	"plasm/lib/job"
)

// maxLabel is how long a label may be, in bytes.
const maxLabel = 256

// Line is what an item says of its job, over what the flags say for all.
type Line struct {
	Label string

	Args    []string          // in place of those of the flags, if HasArgs
	HasArgs bool              //
	Env     map[string]string // beside that of the flags
	Text    *string           // the input, or nil
	Stdin   string            // the file with the input, or ""
	Stdout  string            // the file for output, or ""
	Stderr  string            // likewise
	Receipt string            // likewise
	In, Out []Folder          // that travel with the job

	MemoryMB, TimeoutMS, Fuel, OutputLimitBytes, DiskMB, Seed *int64 // nil: as the flags have it
}

// Folder is a file or folder of this machine, and where the guest has it.
type Folder struct{ Path, Guest string }

// Apply puts into a manifest what the line says of it, which is all but its input and its
// folders.
// The manifest's variables are copied before one is set.
func (l *Line) Apply(m *job.Manifest) {
	if l.HasArgs {
		m.Args = l.Args
	}
	if len(l.Env) > 0 {
		env := make(map[string]string, len(m.Env)+len(l.Env))
		maps.Copy(env, m.Env)
		maps.Copy(env, l.Env)
		m.Env = env
	}
	for _, n := range []struct{ from, to *int64 }{
		{l.MemoryMB, &m.MemoryMB},
		{l.TimeoutMS, &m.TimeoutMS},
		{l.Fuel, &m.Fuel},
		{l.OutputLimitBytes, &m.OutputLimitBytes},
		{l.DiskMB, &m.DiskMB},
		{l.Seed, &m.Seed},
	} {
		if n.from != nil {
			*n.to = *n.from
		}
	}
}

// DecodeLine reads a line of --batch: an object in the profile of package job. An error
// is a *job.Error with CodeBadManifest.
func DecodeLine(text []byte) (*Line, error) {
	v, err := job.Parse(text)
	if err != nil {
		return nil, badItem(err)
	}
	f := job.NewFields(v, "item")
	l := &Line{HasArgs: f.Has("args"), Args: f.OptStrs("args"), Env: f.Texts("env")}
	if label, ok := f.OptStr("label"); ok {
		if l.Label = label; !validLabel(label) {
			f.Fail("label", "%s is not 1 to %d bytes without control characters", job.Quote(label), maxLabel)
		}
	}
	if text, ok := f.OptStr("stdin"); ok {
		l.Text = &text
	}
	for _, file := range []struct {
		name string
		into *string
	}{{"stdin_file", &l.Stdin}, {"stdout_file", &l.Stdout}, {"stderr_file", &l.Stderr}, {"receipt_file", &l.Receipt}} {
		name, ok := f.OptStr(file.name)
		if *file.into = name; ok && !validFile(name) {
			f.Fail(file.name, "%s is not the name of a file", job.Quote(name))
		}
	}
	l.decodeFolders(f)
	for _, n := range []struct {
		name      string
		into      **int64
		low, high int64
	}{
		{"memory_mb", &l.MemoryMB, 1, job.MaxMemoryMB},
		{"timeout_ms", &l.TimeoutMS, 1, job.MaxTimeout},
		{"fuel", &l.Fuel, 1, job.MaxSafeInt},
		{"output_limit_bytes", &l.OutputLimitBytes, 0, job.MaxSafeInt},
		{"disk_mb", &l.DiskMB, 0, job.MaxDiskMB},
		{"seed", &l.Seed, 0, job.MaxSafeInt},
	} {
		if value, ok := f.OptInt(n.name, n.low, n.high); ok {
			*n.into = &value
		}
	}
	if l.Text != nil && l.Stdin != "" {
		f.Fail("stdin_file", "is there beside stdin: a program has one input")
	}
	if err := f.Close(); err != nil {
		return nil, badItem(err)
	}
	return l, nil
}

// decodeFolders reads the lists of the flags' own form, PATH::GUEST and GUEST::PATH.
func (l *Line) decodeFolders(f *job.Fields) {
	for _, text := range f.OptStrs("in") {
		path, guest, ok := job.CutSource(text)
		if !ok {
			f.Fail("in", "%s is not PATH::GUEST", job.Quote(text))
		}
		l.In = append(l.In, Folder{path, guest})
	}
	for _, text := range f.OptStrs("out") {
		guest, path, ok := job.CutTarget(text)
		if !ok {
			f.Fail("out", "%s is not GUEST::PATH", job.Quote(text))
		}
		l.Out = append(l.Out, Folder{path, guest})
	}
}

func badItem(err error) error {
	return &job.Error{Code: job.CodeBadManifest, Message: err.Error(), Err: err}
}

func validLabel(s string) bool {
	control := func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }
	return s != "" && len(s) <= maxLabel && !strings.ContainsFunc(s, control)
}

// validFile reports whether s can name a file: "-" would name a standard stream.
func validFile(s string) bool { return s != "" && s != "-" && isText(s) }

// isText reports whether s is what a manifest can hold.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// notText is the error of a line that no argument can be.
func notText(n int) error {
	return &job.Error{
		Code: job.CodeBadManifest, Message: fmt.Sprintf("%d bytes that are not UTF-8 without NUL", n),
		Hint: "name files with such content in the list",
	}
}
