package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"plasm/lib/job"
	"plasm/lib/receipt"
)

// buffers takes the outputs of one document.
type buffers struct{ stdout, stderr bytes.Buffer }

func (b *buffers) both() (stdout, stderr io.Writer) { return &b.stdout, &b.stderr }

func TestRead(t *testing.T) {
	t.Parallel()
	const envelope = `{"payload":"","payloadType":"","signatures":[]}`
	for name, c := range map[string]struct {
		data   string
		reason receipt.Reason // of the document; "" for none
		of     receipt.Part
		result bool
	}{
		"envelope":            {envelope, "", "", false},
		"envelope, any order": {`{"signatures":[],"payload":"","payloadType":""}`, "", "", false},
		"result":              {`{"receipt":` + envelope + `,"stdout":"b3V0","stderr":"ZXJy"}`, "", "", true},
		"result, another order": {
			` {"stderr":"ZXJy", "stdout":"b3V0", "receipt":` + envelope + `}`, "", "",
			true,
		},
		"result, escaped": {
			`{"\u0072eceipt":` + envelope + `,"stdout":"b3V0","stderr":"ZXJy"}`, "", "",
			true,
		},
		"nothing":      {"", "", "", false},
		"text":         {"hello", "", "", false},
		"array":        {"[]", "", "", false},
		"empty object": {"{}", "", "", false},
		"broken name":  {`{"rece`, "", "", false},
		"error": {
			`{"error":{"code":"io","message":"disk full"}}`, receipt.BadJSON,
			receipt.Envelope, false,
		},
		"broken error": {`{"error":{"code":"oi"}}`, "", "", false},
		"result, cut": {
			`{"receipt":` + envelope + `,"stdout":"b3V0"`, receipt.BadJSON,
			receipt.Envelope, false,
		},
		"result, something after": {
			`{"receipt":` + envelope + `,"stdout":"","stderr":""}{}`, receipt.BadJSON,
			receipt.Envelope, false,
		},
		"result, unknown member": {
			`{"receipt":` + envelope + `,"stdout":"","stderr":"","note":1}`,
			receipt.BadJSON, receipt.Envelope, false,
		},
		"result, no stderr": {
			`{"receipt":` + envelope + `,"stdout":""}`, receipt.BadJSON, receipt.Envelope,
			false,
		},
		"result, stdout a number": {
			`{"receipt":` + envelope + `,"stdout":1,"stderr":""}`, receipt.BadJSON,
			receipt.Envelope, false,
		},
		"result, receipt a string": {
			`{"receipt":"","stdout":"","stderr":""}`, receipt.BadJSON, receipt.Envelope,
			false,
		},
		"result, stray bits": {
			`{"receipt":` + envelope + `,"stdout":"b3V=","stderr":""}`, receipt.BadBase64,
			"", false,
		},
		"result, URL-safe": {
			`{"receipt":` + envelope + `,"stdout":"__8=","stderr":""}`, receipt.BadBase64,
			"", false,
		},
		"result, no padding": {
			`{"receipt":` + envelope + `,"stdout":"","stderr":"b3U"}`, receipt.BadBase64,
			"", false,
		},
		"result, escaped line break": {
			`{"receipt":` + envelope + `,"stdout":"b3V0\n","stderr":""}`, receipt.BadBase64,
			"", false,
		},
		"result, receipt of 1 MiB": {`{"receipt":{"payload":"` + strings.Repeat("A", 1<<20) +
			`"},"stdout":"","stderr":""}`, receipt.TooLarge, "", false},
		"result, receipt of that, in": {`{"stdout":"","receipt":{"payload":` + strings.Repeat(" ", 1<<20) +
			`""},"stderr":""}`, receipt.TooLarge, "", false},
	} {
		var out buffers
		in := io.Reader(strings.NewReader(c.data))
		if len(c.data) < 1<<20 {
			in = iotest.OneByteReader(in)
		}
		got, err := read(in, out.both)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var reason receipt.Reason
		var of receipt.Part
		if got.refusal != nil {
			reason, of = got.refusal.Reason, got.refusal.Of
		}
		if reason != c.reason || of != c.of || got.outputs != c.result {
			t.Errorf("%s: %v, outputs %v; want %s of %q, %v", name, got.refusal, got.outputs, c.reason, c.of, c.result)
		}
		if c.result && (string(got.envelope) != envelope || out.stdout.String() != "out" ||
			out.stderr.String() != "err") {
			t.Errorf("%s: envelope %s, %q, %q", name, got.envelope, &out.stdout, &out.stderr)
		}
		if c.reason == "" && !c.result && string(got.envelope) != c.data {
			t.Errorf("%s: envelope %.100s", name, got.envelope)
		}
	}
}

func TestReadStopsAtLimit(t *testing.T) {
	t.Parallel()
	document := `{"receipt":{},"stdout":"` + strings.Repeat("AAAA", 1<<15) + `","stderr":""}`
	for limit, want := range map[int64]receipt.Reason{
		int64(len(document)): "", int64(len(document)) - 1: receipt.TooLarge, 100: receipt.TooLarge,
		0: receipt.TooLarge,
	} {
		var out buffers
		got, err := readResult(strings.NewReader(document), limit, out.both)
		if err != nil {
			t.Errorf("%d: %v", limit, err)
		} else if reason := reasonOf(got.refusal); reason != want {
			t.Errorf("%d bytes allowed: %q, want %q", limit, reason, want)
		}
	}
	// An envelope that does not end is read as far as it can be one.
	got, err := read(zero{}, nil)
	if err != nil || len(got.envelope) != job.MaxEnvelope+1 {
		t.Errorf("%d bytes, %v", len(got.envelope), err)
	}
}

func reasonOf(r *receipt.RefusalError) receipt.Reason {
	if r == nil {
		return ""
	}
	return r.Reason
}

func TestReadTellsFailuresFromRefusals(t *testing.T) {
	t.Parallel()
	full := func() (io.Writer, io.Writer) { return broken{syscall.ENOSPC}, io.Discard }
	if got, err := read(strings.NewReader(`{"stdout":"AAAA","stderr":"","receipt":{}}`), full); !errors.Is(err,
		syscall.ENOSPC) {
		t.Errorf("a full disk: %+v, %v", got, err)
	}
	d := newDigester(broken{syscall.ENOSPC})
	if _, err := d.Write([]byte("x")); !errors.Is(err, syscall.ENOSPC) || d.n != 0 {
		t.Errorf("%d bytes digested, %v", d.n, err)
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	last := &tail{most: 5}
	for range 3 {
		if n, err := last.Write([]byte("abc")); n != 3 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if last.String() != "bcabc" {
		t.Errorf("%q", last)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"receipt":{},"stdout":"b3V0","stderr":""}`))
	f.Add([]byte(`{"stdout":"b3V0","stderr":"","receipt":{"payload":""}}`))
	f.Add([]byte(`{"payload":"","payloadType":"","signatures":[]}`))
	f.Add([]byte(`{"error":{"code":"io","message":"disk full"}}`))
	f.Add([]byte(`{"\u0072eceipt":`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var out buffers
		got, err := read(bytes.NewReader(data), out.both)
		if err != nil {
			t.Fatalf("%v, though it could be read", err)
		}
		if got.outputs && (got.refusal != nil || !bytes.Contains(data, got.envelope)) {
			t.Errorf("a result document that is refused, or whose receipt is not in it: %+v", got)
		}
		if got.refusal == nil && !got.outputs && !bytes.Equal(got.envelope, data[:min(len(data), job.MaxEnvelope+1)]) {
			t.Errorf("an envelope that is not what came: %q", got.envelope)
		}
	})
}
