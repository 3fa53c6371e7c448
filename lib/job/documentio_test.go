package job_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"plasm/lib/job"
)

// sickWriter takes left bytes.
type sickWriter struct{ left int }

var errSick = errors.New("sick disk")

func (w *sickWriter) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, errSick
	}
	return len(b), nil
}

// TestDocumentIO breaks each stream in turn: the error is the stream's, and of
// code io.
func TestDocumentIO(t *testing.T) {
	t.Parallel()
	m, doc := writeJob(t, []byte("module"), []byte("in"))
	var result bytes.Buffer
	if err := job.WriteResult(&result, &job.Result{Envelope: []byte(`{}`)}, strings.NewReader("out"),
		strings.NewReader("err"), nil); err != nil {
		t.Fatal(err)
	}
	s := strings.NewReader
	sick := iotest.ErrReader(errSick)
	tests := []struct {
		name string
		run  func() error
		want string
	}{
		{
			"module of WriteJob", func() error { return job.WriteJob(io.Discard, m, sick, s("in"), nil) },
			"reading module: sick disk",
		},
		{
			"stdin of WriteJob", func() error { return job.WriteJob(io.Discard, m, s("module"), sick, nil) },
			"reading stdin: sick disk",
		},
		{"stdout of WriteResult", func() error {
			return job.WriteResult(io.Discard, &job.Result{Envelope: []byte("{}")}, sick, s(""), nil)
		}, "reading stdout: sick disk"},
		{"stderr of WriteResult", func() error {
			return job.WriteResult(io.Discard, &job.Result{Envelope: []byte("{}")}, s(""), sick, nil)
		}, "reading stderr: sick disk"},
		{"job document of ReadJob", func() error {
			_, _, err := job.ReadJob(io.MultiReader(bytes.NewReader(doc[:len(doc)/2]), sick), io.Discard, io.Discard,
				nil)
			return err
		}, "reading the job document: sick disk"},
		{"module of ReadJob", func() error {
			_, _, err := job.ReadJob(bytes.NewReader(doc), &sickWriter{}, io.Discard, nil)
			return err
		}, "writing module: sick disk"},
		{"stdin of ReadJob", func() error {
			_, _, err := job.ReadJob(bytes.NewReader(doc), io.Discard, &sickWriter{}, nil)
			return err
		}, "writing stdin: sick disk"},
		{"stdout of ReadResult", func() error {
			_, err := job.ReadResult(bytes.NewReader(result.Bytes()), &sickWriter{}, io.Discard, nil)
			return err
		}, "writing stdout: sick disk"},
	}
	for end := range doc {
		tests = append(tests, struct {
			name string
			run  func() error
			want string
		}{fmt.Sprintf("job document after %d bytes", end), func() error {
			return job.WriteJob(&sickWriter{left: end}, m, s("module"), s("in"), nil)
		}, "writing the job document: sick disk"})
	}
	for _, test := range tests {
		err := test.run()
		e, ok := errors.AsType[*job.Error](err)
		if !ok || e.Code != job.CodeIO || !errors.Is(err, errSick) || e.Message != test.want {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

// TestDocumentCutShort ends a document after every byte.
func TestDocumentCutShort(t *testing.T) {
	t.Parallel()
	_, doc := writeJob(t, []byte("module"), []byte("in"))
	doc = bytes.TrimSuffix(doc, []byte("\n"))
	for n := range doc {
		_, _, err := job.ReadJob(bytes.NewReader(doc[:n]), io.Discard, io.Discard, nil)
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeBadManifest {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
}

func TestWriteLimit(t *testing.T) {
	t.Parallel()
	const whole = len(`,"stdout":"YWJj"`)
	for limit := range int64(whole) + 1 {
		var doc bytes.Buffer
		err := job.WriteBase64(&doc, strings.NewReader("abc"), limit)
		if wantErr := limit < int64(whole); (err != nil) != wantErr || int64(doc.Len()) > limit {
			t.Errorf("limit %d: %v, %d bytes written", limit, err, doc.Len())
		}
		if err != nil && err.Error() != fmt.Sprintf("document: more than the %d bytes allowed", limit) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}
