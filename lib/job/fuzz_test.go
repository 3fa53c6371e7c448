package job_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

// seed adds the vectors of a kind to a fuzz target's corpus.
func seed(f *testing.F, kind string) {
	f.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "vectors", kind+".json"))
	if err != nil {
		f.Fatal(err)
	}
	list, err := loadVectors(data, kind)
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range list {
		f.Add(v.data)
	}
}

// FuzzParse: what Parse reads, encoding/json reads too, streams read alike, and
// written again it stays as it is.
func FuzzParse(f *testing.F) {
	seed(f, "profile")
	seed(f, "manifest")
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := job.Parse(data)
		_, streamErr := job.ParseStream(iotest.HalfReader(bytes.NewReader(data)), int64(len(data)))
		if diff := cmp.Diff(err, streamErr); diff != "" {
			t.Errorf("error (-slice +stream):\n%s", diff)
		}
		if err != nil {
			return
		}
		if !json.Valid(data) {
			t.Error("read, though encoding/json doesn't")
		}
		text := canonical(nil, v)
		again, err := job.Parse(text)
		if err != nil || !bytes.Equal(canonical(nil, again), text) {
			t.Errorf("%s is read as %s: %v", text, canonical(nil, again), err)
		}
	})
}

// FuzzDecodeManifest: what is read is valid, and reads again from its encoding,
// unless that is too large.
func FuzzDecodeManifest(f *testing.F) {
	seed(f, "manifest")
	seed(f, "draft")
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := job.DecodeDraft(data); err == nil && m.ID != "" && m.ModuleHash != "" {
			if _, err := job.DecodeManifest(data); err != nil {
				t.Errorf("a complete draft is no manifest: %v", err)
			}
		}
		m, err := job.DecodeManifest(data)
		if err != nil {
			return
		}
		if err := m.Validate(); err != nil {
			t.Error(err)
		}
		again, err := job.DecodeManifest(m.Encode())
		if err != nil || !again.Equal(m) {
			t.Errorf("%s is read as %v: %v", m.Encode(), again, err)
		}
	})
}

// FuzzReadJob: what is read, written and read again is the same.
func FuzzReadJob(f *testing.F) {
	seed(f, "job")
	f.Fuzz(func(t *testing.T, data []byte) {
		var module, stdin bytes.Buffer
		m, hasStdin, err := job.ReadJob(bytes.NewReader(data), &module, &stdin, nil)
		if err != nil {
			return
		}
		var in io.Reader
		if hasStdin {
			in = bytes.NewReader(stdin.Bytes())
		}
		var doc, module2, stdin2 bytes.Buffer
		if err := job.WriteJob(&doc, m, bytes.NewReader(module.Bytes()), in, nil); err != nil {
			t.Fatal(err)
		}
		m2, hasStdin2, err := job.ReadJob(&doc, &module2, &stdin2, nil)
		if err != nil || !m2.Equal(m) || hasStdin2 != hasStdin || !bytes.Equal(module2.Bytes(), module.Bytes()) ||
			!bytes.Equal(stdin2.Bytes(), stdin.Bytes()) {
			t.Errorf("not the same when written and read again: %v", err)
		}
	})
}

// FuzzReadResult: as FuzzReadJob, and the receipt is a piece of the document.
func FuzzReadResult(f *testing.F) {
	seed(f, "result")
	f.Fuzz(func(t *testing.T, data []byte) {
		var stdout, stderr bytes.Buffer
		result, err := job.ReadResult(bytes.NewReader(data), &stdout, &stderr, nil)
		if err != nil {
			return
		}
		if !bytes.Contains(data, result.Envelope) {
			t.Errorf("the receipt isn't in the document: %s", result.Envelope)
		}
		var doc, stdout2, stderr2 bytes.Buffer
		if err := job.WriteResult(&doc, result, bytes.NewReader(stdout.Bytes()), bytes.NewReader(stderr.Bytes()),
			nil); err != nil {
			t.Fatal(err)
		}
		again, err := job.ReadResult(&doc, &stdout2, &stderr2, nil)
		if err != nil || !reflect.DeepEqual(again, result) || !bytes.Equal(stdout2.Bytes(), stdout.Bytes()) ||
			!bytes.Equal(stderr2.Bytes(), stderr.Bytes()) {
			t.Errorf("not the same when written and read again: %v", err)
		}
	})
}

// FuzzDecodeError: what is read, written and read again is the same.
func FuzzDecodeError(f *testing.F) {
	seed(f, "error")
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := job.DecodeError(data)
		if err != nil {
			return
		}
		again, err := job.DecodeError(job.EncodeError(e))
		if diff := cmp.Diff(e, again); err != nil || diff != "" {
			t.Errorf("not the same when written and read again: %v\n%s", err, diff)
		}
	})
}

// FuzzOutcomeFromValue: what is read is valid, and reads again from its encoding.
func FuzzOutcomeFromValue(f *testing.F) {
	seed(f, "outcome")
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := job.Parse(data)
		if err != nil {
			return
		}
		o, err := job.OutcomeFromValue(v, "outcome")
		if err != nil {
			return
		}
		if err := o.Validate(); err != nil {
			t.Error(err)
		}
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if v, err = job.Parse(text); err != nil {
			t.Fatal(err)
		}
		again, err := job.OutcomeFromValue(v, "outcome")
		if diff := cmp.Diff(o, again); err != nil || diff != "" {
			t.Errorf("not the same when written and read again: %v\n%s", err, diff)
		}
	})
}

// FuzzParseTime: a time has one spelling.
func FuzzParseTime(f *testing.F) {
	for _, s := range []string{
		"2026-01-02T03:04:05.678Z", "2024-02-29T23:59:59.999Z", "2026-02-29T00:00:00.000Z",
		"2026-01-02T03:04:05,678Z", "0000-01-01T00:00:00.000Z", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if at, err := job.ParseTime(s); err == nil && job.FormatTime(at) != s {
			t.Errorf("%s is read as %v", s, at)
		}
	})
}
