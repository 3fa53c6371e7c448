package job_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

// folder is where the schemas and the vectors are.
const folder = "../../schemas"

// vector is one case of a file of vectors, whose format schemas/vectors/README.md gives.
type vector struct {
	name   string
	valid  bool
	reason string
	field  string
	data   []byte
	schema *bool // nil where the kind has no schema

	canonical *string
	equals    string
}

// reasons are the words a vector may give for being invalid, and how our
// messages put them.
var reasons = map[string]*regexp.Regexp{
	// Rules of the profile.
	"bom":           regexp.MustCompile(`byte order mark`),
	"utf8":          regexp.MustCompile(`not UTF-8`),
	"syntax":        regexp.MustCompile(`where .* should be$`),
	"truncated":     regexp.MustCompile(`ends where .* should be$`),
	"trailing":      regexp.MustCompile(`after the value`),
	"repeated_name": regexp.MustCompile(`member name repeated`),
	"null":          regexp.MustCompile(`null, which no document has`),
	"number":        regexp.MustCompile(`leading zero|fraction|minus`),
	"number_range":  regexp.MustCompile(`integer beyond`),
	"surrogate":     regexp.MustCompile(`unpaired surrogate`),
	"depth":         regexp.MustCompile(`nested more than 16 deep`),
	"control":       regexp.MustCompile(`control character`),
	"escape":        regexp.MustCompile(`unknown escape|four hexadecimal digits`),
	// Rules of documents.
	"profile":  regexp.MustCompile(`bad JSON at byte \d+: `),
	"missing":  regexp.MustCompile(`: missing$`),
	"unknown":  regexp.MustCompile(`: unknown member$`),
	"type":     regexp.MustCompile(`: must be .*, not `),
	"range":    regexp.MustCompile(`: -?\d+ is not in \d+…\d+$`),
	"format":   regexp.MustCompile(`: ".* is not |: must not be empty$`),
	"value":    regexp.MustCompile(`: ".*" is not one of `),
	"count":    regexp.MustCompile(`: `),
	"repeated": regexp.MustCompile(` is there twice$`),
	// Rules of trees, which lib/tree holds.
	"order":     regexp.MustCompile(`: not in the order of bytes$`),
	"parent":    regexp.MustCompile(` has no dir entry for its parent$`),
	"canonical": regexp.MustCompile(`: not in its canonical encoding$`),
	"conflict": regexp.MustCompile(`: goes with (status|no folder|outcome\.dirs)| is more than ` +
		`(memory_mb|slots\.total), `),
	"digest": regexp.MustCompile(`: is sha256:[0-9a-f]{64}($|, but manifest\.)`),
	"base64": regexp.MustCompile(`: not base64`),
}

// loadVectors reads a file of vectors with the decoder that they test, so a key
// that the format doesn't have is an error.
func loadVectors(data []byte, kind string) ([]vector, error) {
	v, err := job.Parse(data)
	if err != nil {
		return nil, err
	}
	f := job.NewFields(v, "vectors")
	f.OneOf("version", "1")
	f.OneOf("kind", kind)
	var list []vector
	for _, e := range f.Objects("vectors") {
		list = append(list, vectorFrom(e))
	}
	return list, f.Close()
}

func vectorFrom(f *job.Fields) vector {
	v := vector{name: f.Str("name"), valid: f.Bool("valid")}
	f.OptStr("comment")
	if v.valid {
		v.equals, _ = f.OptStr("equals")
	} else {
		v.reason = f.OneOf("reason", slices.Sorted(func(yield func(string) bool) {
			for word := range reasons {
				if !yield(word) {
					return
				}
			}
		})...)
		v.field, _ = f.OptStr("field")
	}
	if f.Has("schema") {
		schema := f.Bool("schema")
		v.schema = &schema
	}
	if s, ok := f.OptStr("canonical"); ok {
		v.canonical = &s
	}
	text, plain := f.OptStr("text")
	v.data = []byte(text)
	if !plain {
		var err error
		if v.data, err = base64.StdEncoding.Strict().DecodeString(f.Str("base64")); err != nil {
			f.Fail("base64", "%v", err)
		}
	}
	return v
}

// vectors returns the vectors of a kind.
func vectors(t *testing.T, kind string) []vector {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "vectors", kind+".json"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := loadVectors(data, kind)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, v := range list {
		if seen[v.name] {
			t.Errorf("two vectors are called %q", v.name)
		}
		seen[v.name] = true
	}
	return list
}

func TestVectorFilesAreClosed(t *testing.T) {
	t.Parallel()
	const good = `{"version":"1","kind":"k","vectors":[{"name":"n","valid":false,"reason":"null","text":"null"}]}`
	if _, err := loadVectors([]byte(good), "k"); err != nil {
		t.Errorf("a good file: %v", err)
	}
	tests := []struct{ name, from, to string }{
		{"unknown key", `"vectors"`, `"by":"me","vectors"`},
		{"unknown key of a vector", `"name"`, `"title":"n","name"`},
		{"another version", `"1"`, `"2"`},
		{"another kind", `"k"`, `"K"`},
		{"unknown reason", `"reason":"null"`, `"reason":"nil"`},
		{"no reason", `"reason":"null",`, ``},
		{"a reason though valid", `false`, `true`},
		{"text and base64", `"text":"null"`, `"text":"null","base64":""`},
		{"neither text nor base64", `,"text":"null"`, ``},
		{"no name", `"name":"n",`, ``},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bad := strings.Replace(good, test.from, test.to, 1)
			if _, err := loadVectors([]byte(bad), "k"); err == nil {
				t.Errorf("read: %s", bad)
			}
		})
	}
}

// decoders read a document of each kind that this package decodes, and return
// it in a form to compare.
var decoders = map[string]func([]byte) (any, error){
	"profile":  job.Parse,
	"manifest": func(data []byte) (any, error) { return nilOnError(job.DecodeManifest(data)) },
	"draft":    func(data []byte) (any, error) { return nilOnError(job.DecodeDraft(data)) },
	"error":    func(data []byte) (any, error) { return nilOnError(job.DecodeError(data)) },
	"node":     func(data []byte) (any, error) { return nilOnError(job.DecodeNode(data)) },
	"ticket":   func(data []byte) (any, error) { return nilOnError(job.DecodeTicket(data)) },
	"outcome": func(data []byte) (any, error) {
		v, err := job.Parse(data)
		if err != nil {
			return nil, err
		}
		return nilOnError(job.OutcomeFromValue(v, "outcome"))
	},
	"job": func(data []byte) (any, error) {
		var module, stdin bytes.Buffer
		c := carrier{}
		m, hasStdin, err := job.ReadJob(bytes.NewReader(data), &module, &stdin, c)
		if err != nil {
			return nil, err
		}
		return []any{m, hasStdin, module.String(), stdin.String(), c}, nil
	},
	"result": func(data []byte) (any, error) {
		var stdout, stderr bytes.Buffer
		c := carrier{}
		result, err := job.ReadResult(bytes.NewReader(data), &stdout, &stderr, c)
		if err != nil {
			return nil, err
		}
		return []any{*result, stdout.String(), stderr.String(), c}, nil
	},
}

// carrier keeps what a document carries: trees and contents by digest.
type carrier map[string]string

func (c carrier) Tree(d job.Digest, document []byte) error {
	c["tree "+string(d)] = string(document)
	return nil
}

func (c carrier) Blob(d job.Digest) (io.WriteCloser, error) {
	return &blob{carrier: c, name: string(d)}, nil
}

type blob struct {
	bytes.Buffer
	carrier carrier
	name    string
}

func (b *blob) Close() error {
	b.carrier[b.name] = b.String()
	return nil
}

// nilOnError makes the nil of a type the nil of any.
func nilOnError[T any](v *T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

func TestVectors(t *testing.T) {
	t.Parallel()
	for kind, decode := range decoders {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			decoded := map[string]any{}
			list := vectors(t, kind)
			for _, v := range list {
				got, err := decode(v.data)
				checkVector(t, kind, v, got, err)
				decoded[v.name] = got
			}
			for _, v := range list {
				if v.equals == "" {
					continue
				}
				if diff := cmp.Diff(decoded[v.equals], decoded[v.name]); diff != "" || decoded[v.name] == nil {
					t.Errorf("%s: is not equal to %q (-that +this):\n%s", v.name, v.equals, diff)
				}
			}
		})
	}
}

func checkVector(t *testing.T, kind string, v vector, got any, err error) {
	t.Helper()
	switch {
	case v.valid && err != nil:
		t.Errorf("%s: refused: %v", v.name, err)
	case v.valid && kind == "profile":
		if text := string(canonical(nil, got)); v.canonical == nil || text != *v.canonical {
			t.Errorf("%s: read as %s", v.name, text)
		}
	case v.valid:
	case err == nil:
		t.Errorf("%s: read, though invalid: %s", v.name, v.reason)
	case !cmp.Equal(got, nil):
		t.Errorf("%s: returned something beside the error: %v", v.name, got)
	case !reasons[v.reason].MatchString(err.Error()) || !strings.Contains(err.Error(), v.field):
		t.Errorf("%s: the error doesn't say %s, %s: %v", v.name, v.field, v.reason, err)
	case strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r == 0x7f }):
		t.Errorf("%s: the error has control characters: %q", v.name, err)
	default:
		checkErrorType(t, kind, v, err)
	}
}

// checkErrorType holds what the doc comments say about errors.
func checkErrorType(t *testing.T, kind string, v vector, err error) {
	t.Helper()
	_, syntax := errors.AsType[*job.SyntaxError](err)
	_, field := errors.AsType[*job.FieldError](err)
	if wantSyntax := kind == "profile" || v.reason == "profile"; syntax != wantSyntax || field == wantSyntax {
		t.Errorf("%s: wrong type of error: %T", v.name, err)
	}
	e, user := errors.AsType[*job.Error](err)
	if user != (kind != "profile" && kind != "outcome") || user && e.Code != job.CodeBadManifest {
		t.Errorf("%s: wrong type of error: %T", v.name, err)
	}
}
