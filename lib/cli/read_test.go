package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"plasm/lib/job"
)

func TestReadFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "12345")
	tests := []struct {
		name, stdin string
		limit       int64
		want        string
		code        job.Code
		message     string // its end
	}{
		{"file", "", 5, "12345", "", ""},
		{"file", "", 6, "12345", "", ""},
		{"file", "", 4, "", job.CodeIO, "file: longer than 4 bytes"},
		{"-", "stdin", 5, "stdin", "", ""},
		{"-", "stdin", 4, "", job.CodeIO, "standard input: longer than 4 bytes"},
		{"none", "", 5, "", job.CodeNotFound, "none: no such file or directory"},
		{"", "", 5, "", job.CodeIO, ": is a directory"},
		{"file/below", "", 5, "", job.CodeIO, "file/below: not a directory"},
	}
	for _, test := range tests {
		name := test.name
		if name != "-" {
			name = filepath.Join(dir, name)
		}
		got, err := ReadFile(name, strings.NewReader(test.stdin), test.limit)
		if string(got) != test.want || (err != nil) != (test.code != "") {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
		if err != nil && (AsError(err).Code != test.code || !strings.HasSuffix(err.Error(), test.message)) {
			t.Errorf("%s: %v, want %s: %s", test.name, err, test.code, test.message)
		}
	}
	if _, err := ReadFile("-", broken{}, 5); AsError(err).Code != job.CodeIO ||
		err.Error() != "standard input: input/output error" {
		t.Errorf("a stream that breaks: %v", err)
	}
}

// broken is a stream that breaks.
type broken struct{}

func (broken) Read([]byte) (int, error) {
	return 0, &os.PathError{Op: "read", Path: "/dev/stdin", Err: syscall.EIO}
}

func TestReadModule(t *testing.T) {
	t.Parallel()
	const header = "\x00asm\x01\x00\x00\x00"
	dir := t.TempDir()
	sparse := func(name, begin string, size int64) string {
		name = filepath.Join(dir, name)
		write(t, name, begin)
		if err := os.Truncate(name, size); err != nil {
			t.Fatal(err)
		}
		return name
	}
	endless := io.MultiReader(strings.NewReader(header), zeros{})
	tests := []struct {
		name  string
		stdin io.Reader
		code  job.Code
	}{
		{sparse("longest.wasm", header, MaxModule), nil, ""},
		{"-", io.MultiReader(strings.NewReader(header), io.LimitReader(zeros{}, MaxModule-int64(len(header)))), ""},
		{sparse("longer.wasm", header, MaxModule+1), nil, job.CodeModuleRefused},
		{sparse("empty.wasm", "", 0), nil, job.CodeBadModule},
		{sparse("id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----", 400), nil, job.CodeBadModule},
		{sparse("long.sh", "#!/bin/sh", 1<<40), nil, job.CodeBadModule},
		{"-", endless, job.CodeModuleRefused},
		{"-", broken{}, job.CodeIO},
		{dir, nil, job.CodeBadModule},
		{filepath.Join(dir, "none.wasm"), nil, job.CodeNotFound},
	}
	for _, test := range tests {
		got, digest, err := readModule(test.name, test.stdin)
		switch {
		case test.code == "" && (err != nil || len(got) != MaxModule || digest != job.Sum(got)):
			t.Errorf("%s: %d bytes, %s, %v", test.name, len(got), digest, err)
		case test.code != "" && (err == nil || AsError(err).Code != test.code):
			t.Errorf("%s: %v, want %s", test.name, err, test.code)
		}
	}

	b := moduleBuffer{*bytes.NewBuffer(append([]byte(header), make([]byte, MaxModule-len(header)-1)...))}
	if _, err := b.Write([]byte{0}); err != nil {
		t.Errorf("the last byte: %v", err)
	}
	if _, err := b.Write([]byte{0}); err == nil || AsError(err).Code != job.CodeModuleRefused {
		t.Errorf("a byte too many: %v", err)
	}
}

// zeros is an endless stream.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestCause(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		&os.PathError{Op: "open", Path: "x", Err: syscall.EACCES},
		&os.LinkError{Op: "rename", Old: "x", New: "y", Err: syscall.EACCES},
		os.NewSyscallError("flock", syscall.EACCES),
		syscall.EACCES,
	} {
		if got := cause(err); !errors.Is(syscall.EACCES, got) {
			t.Errorf("%v: %v", err, got)
		}
	}
}

func TestAboutModule(t *testing.T) {
	t.Parallel()
	_, j := testJobFlags(nil)
	for code, want := range map[job.Code]string{
		job.CodeBadModule: "x.wasm: bad", job.CodeModuleRefused: "x.wasm: bad", job.CodeCompileLimit: "x.wasm: bad",
		job.CodeGuards: "bad", job.CodeIO: "bad", job.CodeCancelled: "bad",
	} {
		if got := j.AboutModule([]string{"x.wasm", "arg"},
			&job.Error{Code: code, Message: "bad"}); got.Error() != want || AsError(got).Code != code {
			t.Errorf("%s: %v", code, got)
		}
	}
	j.Job = "-"
	if got := j.AboutModule(nil, &job.Error{
		Code:    job.CodeBadModule,
		Message: "bad",
	}); got.Error() != "standard input: bad" {
		t.Errorf("in a job document: %v", got)
	}
}
