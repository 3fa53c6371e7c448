package job_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"plasm/lib/job"
)

func TestItemResult(t *testing.T) {
	t.Parallel()
	const envelope = `{"a":[1]}`
	var doc bytes.Buffer
	if err := job.WriteItemResult(&doc, 3, `a "b"`, &job.Result{Envelope: []byte(envelope)}, strings.NewReader("out"),
		strings.NewReader(""), nil); err != nil {
		t.Fatal(err)
	}
	if want := `{"index":3,"label":"a \"b\"","result":{"receipt":{"a":[1]},"stdout":"b3V0","stderr":""}}` +
		"\n"; doc.String() != want {
		t.Errorf("%s, want %s", &doc, want)
	}
	var stdout, stderr bytes.Buffer
	it, err := job.ReadItemResult(&doc, &stdout, &stderr, nil)
	if err != nil || it.Index != 3 || it.Label != `a "b"` || string(it.Envelope) != envelope || it.Failed != nil ||
		stdout.String() != "out" || stderr.Len() != 0 {
		t.Errorf("%+v, %v, %q", it, err, &stdout)
	}
	line := job.EncodeItemError(7, "", &job.Error{Code: job.CodeIO, Message: "no", Hint: "do"})
	if want := `{"index":7,"error":{"code":"io","message":"no","hint":"do"}}` + "\n"; string(line) != want {
		t.Errorf("%s, want %s", line, want)
	}
	it, err = job.ReadItemResult(bytes.NewReader(line), io.Discard, io.Discard, nil)
	if err != nil || it.Index != 7 || it.Label != "" || it.Envelope != nil || it.Failed == nil ||
		it.Failed.Hint != "do" {
		t.Errorf("%+v, %v", it, err)
	}
}

func TestItemResultRefuses(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`{"index":1}`:              "item: has either a result or an error",
		`{"index":0,"error":{}}`:   "item.index: 0 is not in 1…9007199254740991",
		`{"result":{}}`:            "item.result.receipt: missing",
		`{"index":1,"label":""}`:   "item.label: must not be empty",
		`{"index":1,"x":1}`:        "item.x: unknown member",
		`{"index":1,"result":[]}`:  "item.result: must be an object, not an array",
		`{"index":1,"error":"no"}`: `document.error: must be an object, not "no"`,
		`{"index":1,"error":{"code":"io","message":"no"},` +
			`"result":{"receipt":{},"stdout":"","stderr":""}}`: "item: has either a result or an error",
		`{"index":1,"result":{"receipt":{},"stdout":"","stderr":"",` +
			`"y":1}}`: "item.result.y: unknown member",
	} {
		_, err := job.ReadItemResult(strings.NewReader(line), io.Discard, io.Discard, nil)
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeBadManifest || e.Message != want {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

// FuzzReadItemResult holds that what is read can be written, and is read again alike.
func FuzzReadItemResult(f *testing.F) {
	f.Add([]byte(`{"index":1,"label":"l","result":{"receipt":{},"stdout":"b3V0","stderr":""}}`))
	f.Add([]byte(`{"index":2,"error":{"code":"io","message":"no"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var stdout, stderr bytes.Buffer
		it, err := job.ReadItemResult(bytes.NewReader(data), &stdout, &stderr, nil)
		if err != nil {
			return
		}
		var line bytes.Buffer
		if it.Failed != nil {
			line.Write(job.EncodeItemError(it.Index, it.Label, it.Failed))
		} else if err := job.WriteItemResult(&line, it.Index, it.Label, &it.Result, &stdout, &stderr, nil); err != nil {
			t.Fatal(err)
		}
		again, err := job.ReadItemResult(&line, io.Discard, io.Discard, nil)
		if err != nil || again.Index != it.Index || again.Label != it.Label ||
			!bytes.Equal(bytes.TrimSpace(again.Envelope), bytes.TrimSpace(it.Envelope)) ||
			!slices.Equal(again.Trace, it.Trace) {
			t.Errorf("%+v, was %+v: %v", again, it, err)
		}
	})
}

// TestWorkDigest is that of the manifest without its id.
func TestWorkDigest(t *testing.T) {
	t.Parallel()
	m := job.NewManifest()
	m.ID, m.ModuleHash, m.Args = job.NewID(), job.EmptyDigest, []string{`"id":"",`}
	want := job.Sum([]byte(strings.Replace(string(m.Encode()), `"id":"`+m.ID+`",`, "", 1)))
	first := m.WorkDigest()
	id := m.ID
	m.ID = job.NewID()
	if first != want || m.WorkDigest() != first || m.ID == id {
		t.Errorf("%s and %s, want %s", first, m.WorkDigest(), want)
	}
	m.Seed++
	if m.WorkDigest() == first {
		t.Error("another seed, and the same digest")
	}
}
