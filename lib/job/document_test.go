package job_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"plasm/lib/job"
)

// pattern returns n bytes that make every character of base64.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 251 >> 3)
	}
	return b
}

// around are lengths next to the ends of groups and buffers.
var around = []int{0, 1, 2, 3, 4, 5, 48<<10 - 1, 48 << 10, 48<<10 + 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 200_003}

func writeJob(t *testing.T, module, stdin []byte) (*job.Manifest, []byte) {
	t.Helper()
	m := job.NewManifest()
	m.ID = job.NewID()
	m.ModuleHash, m.StdinHash = job.Sum(module), job.Sum(stdin)
	var in io.Reader
	if stdin != nil {
		in = iotest.HalfReader(bytes.NewReader(stdin))
	}
	var doc bytes.Buffer
	if err := job.WriteJob(&doc, m, bytes.NewReader(module), in, nil); err != nil {
		t.Fatal(err)
	}
	return m, doc.Bytes()
}

func TestJobDocument(t *testing.T) {
	t.Parallel()
	for _, n := range around {
		module, stdin := pattern(n), pattern(n/2)
		if n == 4 {
			stdin = nil
		}
		m, doc := writeJob(t, module, stdin)
		want := `{"manifest":` + string(m.Encode()) + `,"module":"` + base64.StdEncoding.EncodeToString(module) + `"`
		if stdin != nil {
			want += `,"stdin":"` + base64.StdEncoding.EncodeToString(stdin) + `"`
		}
		if string(doc) != want+"}\n" {
			t.Errorf("%d bytes: written otherwise than encoding/base64 has it", n)
		}
		for name, r := range map[string]io.Reader{
			"whole":    bytes.NewReader(doc),
			"one byte": iotest.OneByteReader(bytes.NewReader(doc)),
		} {
			var gotModule, gotStdin bytes.Buffer
			got, hasStdin, err := job.ReadJob(r, &gotModule, &gotStdin, nil)
			if err != nil || !got.Equal(m) || hasStdin != (stdin != nil) ||
				!bytes.Equal(gotModule.Bytes(), module) || !bytes.Equal(gotStdin.Bytes(), stdin) {
				t.Errorf("%d bytes, %s: read %d + %d bytes, stdin %v: %v", n, name, gotModule.Len(), gotStdin.Len(),
					hasStdin, err)
			}
		}
	}
}

func TestResultDocument(t *testing.T) {
	t.Parallel()
	const envelope = "{ \"a\" : [1,\t\"\\u0041\"] }"
	for _, n := range around {
		stdout, stderr := pattern(n), pattern(n/3)
		var doc bytes.Buffer
		if err := job.WriteResult(&doc, &job.Result{Envelope: []byte(" \n" + envelope + "\n")}, bytes.NewReader(stdout),
			bytes.NewReader(stderr), nil); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(doc.String(), `{"receipt":`+envelope+`,"stdout":"`) ||
			!strings.HasSuffix(doc.String(), "\"}\n") {
			t.Errorf("%d bytes: written as %.60s…", n, doc.String())
		}
		var gotOut, gotErr bytes.Buffer
		got, err := job.ReadResult(iotest.HalfReader(&doc), &gotOut, &gotErr, nil)
		if err != nil || string(got.Envelope) != envelope || !bytes.Equal(gotOut.Bytes(), stdout) ||
			!bytes.Equal(gotErr.Bytes(), stderr) {
			t.Errorf("%d bytes: read %d + %d bytes and %s: %v", n, gotOut.Len(), gotErr.Len(), got.Envelope, err)
		}
	}
}

// TestReceiptAsItStood puts the receipt at every place around the end of a buffer.
func TestReceiptAsItStood(t *testing.T) {
	t.Parallel()
	const envelope = `{"a": "b\u0041", "c":[ ]}`
	for pad := 64<<10 - 80; pad < 64<<10; pad++ {
		doc := strings.Repeat(" ", pad) + `{"stdout":"","receipt":  ` + envelope + "  ,\"stderr\":\"\"}"
		got, err := job.ReadResult(strings.NewReader(doc), io.Discard, io.Discard, nil)
		if err != nil || string(got.Envelope) != envelope {
			t.Fatalf("%d bytes before: %+v: %v", pad, got, err)
		}
	}
}

func TestEmbeddedSizes(t *testing.T) {
	t.Parallel()
	envelope := func(n int) []byte { return []byte(`{"a":"` + strings.Repeat("a", n-8) + `"}`) }
	none := strings.NewReader("")
	var doc bytes.Buffer
	if err := job.WriteResult(&doc, &job.Result{Envelope: envelope(job.MaxEnvelope)}, none, none, nil); err != nil {
		t.Error(err)
	}
	if got, err := job.ReadResult(&doc, io.Discard, io.Discard, nil); err != nil ||
		len(got.Envelope) != job.MaxEnvelope {
		t.Errorf("the largest receipt: %+v, %v", got, err)
	}
	tooLong := envelope(job.MaxEnvelope + 1)
	if err := job.WriteResult(io.Discard, &job.Result{Envelope: tooLong}, none, none, nil); err == nil ||
		err.Error() != "result.receipt: 1048576 bytes, more than the 1048575 allowed" {
		t.Errorf("writing a larger one: %v", err)
	}
	_, err := job.ReadResult(strings.NewReader(`{"receipt":`+string(tooLong)+`,"stdout":"","stderr":""}`), io.Discard,
		io.Discard, nil)
	if err == nil || err.Error() != "result.receipt: more than the 1048575 bytes allowed" {
		t.Errorf("reading a larger one: %v", err)
	}
	_, _, err = job.ReadJob(strings.NewReader(`{"manifest":{"version":"`+strings.Repeat("1", job.MaxManifest)+`"}}`),
		io.Discard, io.Discard, nil)
	if err == nil || err.Error() != "job.manifest: more than the 262144 bytes allowed" {
		t.Errorf("a larger manifest: %v", err)
	}
	// What is larger by so much that it never ends is left after the limit.
	_, err = job.ReadResult(io.MultiReader(strings.NewReader(`{"receipt":"`), endless{}), io.Discard, io.Discard, nil)
	if err == nil || err.Error() != "result.receipt: more than the 1048575 bytes allowed" {
		t.Errorf("an endless receipt: %v", err)
	}
}

// endless is a reader of the letter a.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a'
	}
	return len(b), nil
}

func TestWriteJobChecks(t *testing.T) {
	t.Parallel()
	m, _ := writeJob(t, []byte("module"), []byte("in"))
	tests := []struct {
		name          string
		m             *job.Manifest
		module, stdin string
		want          string
	}{
		{"another module", m, "modulE", "in", `job.module: is sha256:`},
		{"another stdin", m, "module", "im", `job.stdin: is sha256:`},
		{"a bad manifest", &job.Manifest{}, "module", "in", `manifest.version: "" is not one of 1`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := job.WriteJob(io.Discard, test.m, strings.NewReader(test.module), strings.NewReader(test.stdin), nil)
			e, ok := errors.AsType[*job.Error](err)
			if !ok || e.Code != job.CodeBadManifest || !strings.HasPrefix(e.Message, test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

func TestWriteResultChecks(t *testing.T) {
	t.Parallel()
	for envelope, want := range map[string]string{
		``:     "result.receipt: bad JSON at byte 0: ends where a value should be",
		`{}}`:  "result.receipt: bad JSON at byte 2: something after the value: '}'",
		`"{}"`: `result.receipt: must be an object, not "{}"`,
	} {
		var doc bytes.Buffer
		err := job.WriteResult(&doc, &job.Result{Envelope: []byte(envelope)}, strings.NewReader(""),
			strings.NewReader(""), nil)
		if err == nil || err.Error() != want || doc.Len() > 0 {
			t.Errorf("%s: %v, with %d bytes written", envelope, err, doc.Len())
		}
	}
}

// bigJob streams a job document whose stdin is n MiB of zeros.
func bigJob(tb testing.TB, n int64) (m *job.Manifest, doc func() io.Reader) {
	tb.Helper()
	m = job.NewManifest()
	m.ID = job.NewID()
	m.ModuleHash = job.EmptyDigest
	block := strings.Repeat("AAAA", 1<<20/4)
	return m, func() io.Reader {
		readers := []io.Reader{strings.NewReader(`{"manifest":` + string(m.Encode()) + `,"module":"","stdin":"`)}
		for range n {
			readers = append(readers, strings.NewReader(block))
		}
		return io.MultiReader(append(readers, strings.NewReader(`"}`))...)
	}
}

// TestConstantMemory is not parallel, because it counts what is allocated.
func TestConstantMemory(t *testing.T) {
	m, doc := bigJob(t, 16)
	allocated := func(run func() error) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := run(); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	var zeros int64
	if n := allocated(func() error {
		_, _, err := job.ReadJob(doc(), io.Discard, writerFunc(func(b []byte) { zeros += int64(len(b)) }), nil)
		return err
	}); n > 1<<20 || zeros != 12<<20 {
		t.Errorf("ReadJob of 16 MiB: %d bytes allocated, %d bytes of stdin", n, zeros)
	}
	if n := allocated(func() error {
		return job.WriteJob(io.Discard, m, strings.NewReader(""), io.LimitReader(endless{}, 12<<20), nil)
	}); n > 1<<20 {
		t.Errorf("WriteJob of 16 MiB: %d bytes allocated", n)
	}
}

type writerFunc func(b []byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

func BenchmarkReadJob(b *testing.B) {
	_, doc := bigJob(b, 64)
	b.SetBytes(64 << 20)
	for b.Loop() {
		if _, _, err := job.ReadJob(doc(), io.Discard, io.Discard, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteJob(b *testing.B) {
	m, _ := bigJob(b, 0)
	stdin := pattern(48 << 20)
	b.SetBytes(64 << 20)
	for b.Loop() {
		if err := job.WriteJob(io.Discard, m, strings.NewReader(""), bytes.NewReader(stdin), nil); err != nil {
			b.Fatal(err)
		}
	}
}
