package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"plasm/lib/job"
	"plasm/lib/tree"
)

// vector is a case of schemas/vectors/receipts.json, which RECEIPTS.md beside it
// describes.
type vector struct {
	Name    string
	Valid   bool
	Reason  string
	Of      string
	Text    *string
	Base64  *string
	PadTo   int `json:"pad_to"`
	Trusted []string
	Expect  struct {
		Module, Stdin, Stdout, Stderr *string
		Manifest                      *string
		In, Out                       map[string]job.Digest
		Guards                        []string
		ExitCodes                     []uint32 `json:"exit_codes"`
	}
}

func vectors(t *testing.T) []vector {
	t.Helper()
	data, err := os.ReadFile("../../schemas/vectors/receipts.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Version, Kind string
		Vectors       []vector
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil || len(file.Vectors) < 100 {
		t.Fatalf("%d vectors, %v", len(file.Vectors), err)
	}
	return file.Vectors
}

func (v *vector) envelope(t *testing.T) []byte {
	t.Helper()
	if v.Base64 != nil {
		return unbase64(t, *v.Base64)
	}
	return append([]byte(*v.Text), strings.Repeat(" ", max(0, v.PadTo-len(*v.Text)))...)
}

func unbase64(t *testing.T, s string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// flags writes what a case's caller has to files, and returns flags that name
// them.
func (v *vector) flags(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	var flags []string
	file := func(flag string, data []byte) {
		path := filepath.Join(dir, flag)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		flags = append(flags, "--"+flag, path)
	}
	for flag, content := range map[string]*string{
		"module": v.Expect.Module, "stdin": v.Expect.Stdin, "stdout": v.Expect.Stdout, "stderr": v.Expect.Stderr,
	} {
		if content != nil {
			file(flag, unbase64(t, *content))
		}
	}
	if v.Expect.Manifest != nil {
		file("manifest", []byte(*v.Expect.Manifest))
	}
	for guest, digest := range v.Expect.In {
		flags = append(flags, "--in", treeFolder(t, digest)+"::"+guest)
	}
	for guest, digest := range v.Expect.Out {
		flags = append(flags, "--out", guest+"::"+treeFolder(t, digest))
	}
	if len(v.Expect.Guards) > 0 {
		flags = append(flags, "--require-guards", strings.Join(v.Expect.Guards, ","))
	}
	for _, n := range v.Expect.ExitCodes {
		flags = append(flags, "--expect-exit", strconv.FormatUint(uint64(n), 10))
	}
	for _, id := range v.Trusted {
		flags = append(flags, "--signer", id)
	}
	return flags
}

// treeFolder returns a folder that has the tree of that digest, if it is one of the vectors',
// which are the empty one and one with the file "a"; else a folder with another tree.
func treeFolder(t *testing.T, digest job.Digest) string {
	t.Helper()
	dir := t.TempDir()
	if digest == tree.Empty {
		return dir
	}
	content := "hello"
	one := &tree.Tree{Entries: []tree.Entry{{Path: "a", Type: tree.File, Size: 5, Digest: job.Sum([]byte(content))}}}
	if digest != one.Digest() {
		content = "another"
	}
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestVectors goes through every shared vector as a user would: nothing of a
// receipt that is refused gets to stdout.
func TestVectors(t *testing.T) {
	t.Parallel()
	schema := verdictSchema(t)
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			envelope, flags := v.envelope(t), v.flags(t)
			code := 1
			if v.Valid {
				code = 0
			}
			plain := verify(envelope, flags...)
			if plain.code != code || plain.stdout != "" {
				t.Errorf("exit code %d, want %d; stdout %q; stderr %s", plain.code, code, plain.stdout, plain.stderr)
			}
			word := "plasm-verify: verified: "
			if !v.Valid {
				word = fmt.Sprintf("plasm-verify: not verified: %s: ", v.Reason)
			}
			if !strings.Contains(plain.stderr, word) {
				t.Errorf("stderr %q, want %q", plain.stderr, word)
			}
			document := verify(envelope, slices.Concat([]string{"--json"}, flags)...)
			if document.code != code {
				t.Errorf("exit code %d with --json, %d without", document.code, plain.code)
			}
			checkVerdict(t, schema, document.stdout, &v)
			if !v.Valid {
				checkSilence(t, envelope, flags)
			}
		})
	}
}

// checkSilence asks for what a refused receipt must not give.
func checkSilence(t *testing.T, envelope []byte, flags []string) {
	t.Helper()
	if !slices.Contains(flags, "--expect-exit") {
		flags = slices.Concat([]string{"--any-outcome"}, flags)
	}
	got := verify(envelope, slices.Concat([]string{"--print", printStatement}, flags)...)
	if got.code != 1 || got.stdout != "" {
		t.Errorf("--print statement: exit code %d, stdout %q, stderr %s", got.code, got.stdout, got.stderr)
	}
}

// checkVerdict holds a verdict document against its schema and a case.
func checkVerdict(t *testing.T, schema *jsonschema.Schema, document string, v *vector) {
	t.Helper()
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err == nil {
		err = schema.Validate(instance)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, document)
	}
	var got verdict
	if err := json.Unmarshal([]byte(document), &got); err != nil {
		t.Fatal(err)
	}
	if got.Verified != v.Valid || string(got.Reason) != v.Reason || strings.Count(document, "\n") != 1 {
		t.Errorf("verdict %s, want valid %v, reason %q", document, v.Valid, v.Reason)
	}
	refused := false
	for _, c := range got.Checks {
		if failing := c.Verdict == failed; failing != (string(c.Check) == v.Reason && string(c.Of) == v.Of) {
			t.Errorf("check %s of %q: %s", c.Check, c.Of, c.Verdict)
		}
		if refused && c.Verdict != skipped {
			t.Errorf("check %s, after one that failed: %s", c.Check, c.Verdict)
		}
		refused = refused || c.Verdict == failed
	}
}

func verdictSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../../schemas/verdict.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestResultDocuments gives each vector that has both outputs as a result
// document: the verdict is the same, wherever the outputs come from.
func TestResultDocuments(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, v := range vectors(t) {
		e := v.Expect
		if e.Stdout == nil || e.Stderr == nil || v.Text == nil || v.PadTo > 0 || v.Of == "envelope" {
			continue
		}
		seen++
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			document := fmt.Sprintf(`{"stderr":%q,"receipt":%s,"stdout":%q}`, *e.Stderr, *v.Text, *e.Stdout)
			v.Expect.Stdout, v.Expect.Stderr = nil, nil
			flags := v.flags(t)
			if !slices.Contains(flags, "--expect-exit") {
				flags = append(flags, "--any-outcome")
			}
			code, stdout, stderr := 0, string(unbase64(t, *e.Stdout)), string(unbase64(t, *e.Stderr))
			if !v.Valid {
				code, stdout, stderr = 1, "", ""
			}
			if got := verify([]byte(document), append(flags, "--print", "stdout")...); got.code != code ||
				got.stdout != stdout {
				t.Errorf("exit code %d, stdout %q; want %d, %q; stderr %s", got.code, got.stdout, code, stdout,
					got.stderr)
			}
			got := verify([]byte(document), append(flags, "--print", "stderr")...)
			if got.code != code || got.stdout != stderr {
				t.Errorf("exit code %d, stdout %q; want %d, %q; stderr %s", got.code, got.stdout, code, stderr,
					got.stderr)
			}
			if v.Reason != "" && !strings.Contains(got.stderr, "not verified: "+v.Reason+": ") {
				t.Errorf("stderr %s, want %s", got.stderr, v.Reason)
			}
		})
	}
	if seen < 50 {
		t.Errorf("%d vectors with both outputs", seen)
	}
}
