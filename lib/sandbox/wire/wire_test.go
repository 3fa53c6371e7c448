package wire_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
)

// TestGoldenFrames pins the bytes of each kind of frame: other engines are
// written against them.
func TestGoldenFrames(t *testing.T) {
	t.Parallel()
	full := wire.Assignment{
		Task: wire.Run, Engine: "wazero", MemoryMB: 256, Args: []string{"a", "b c"}, Env: []string{"K=V"},
		Dirs: []engine.Dir{{Host: "/srv", Dir: job.Dir{Guest: "/data", ReadOnly: true}}}, StdinKnown: true, Real: true,
		Seed: 7,
	}
	tests := []struct {
		kind    wire.Kind
		payload any // []byte, or what is written as JSON
		want    string
	}{
		{wire.Assign, full, "41 b3000000 " +
			`{"task":"run","engine":"wazero","memory_mb":256,"args":["a","b c"],"env":["K=V"],` +
			`"dirs":[{"host":"/srv","guest":"/data","read_only":true}],"stdin_known":true,"real":true,"seed":7}`},
		{wire.Assign, wire.Assignment{Task: wire.Compile, Engine: "e", Code: true}, "41 2b000000 " +
			`{"task":"compile","engine":"e","code":true}`},
		{wire.Module, []byte("\x00asm"), "4d 04000000 \x00asm"},
		{wire.Load, []byte{}, "4c 00000000 "},
		{
			wire.Failed,
			wire.Failure{Code: wire.StaleCode, Message: "m"},
			`66 23000000 {"code":"stale_code","message":"m"}`,
		},
		{
			wire.Ready,
			wire.Readiness{Guards: []string{"process"}, Version: "dev", EngineVersion: "1.2.0"},
			"72 3f000000 " +
				`{"guards":["process"],"version":"dev","engine_version":"1.2.0"}`,
		},
		{
			wire.Failed,
			wire.Failure{Code: "bad_module", Message: "m", Hint: "h"},
			`66 2e000000 {"code":"bad_module","message":"m","hint":"h"}`,
		},
		{wire.Loaded, []byte{}, "6c 00000000 "},
		{wire.Started, []byte{}, "73 00000000 "},
		{wire.Memory, []byte{0, 0, 1, 0, 0, 0, 0, 0}, "6d 08000000 \x00\x00\x01\x00\x00\x00\x00\x00"},
		{wire.Stdout, []byte("out"), "6f 03000000 out"},
		{wire.Stderr, []byte("error"), "65 05000000 error"},
		{wire.Ended, wire.End{Status: "exit"}, `78 11000000 {"status":"exit"}`},
		{
			wire.Ended,
			wire.End{Status: "exit", ExitCode: 1<<32 - 1},
			`78 28000000 {"status":"exit","exit_code":4294967295}`,
		},
		{wire.Ended, wire.End{Status: "trap", Trap: "other"}, `78 20000000 {"status":"trap","trap":"other"}`},
	}
	for _, test := range tests {
		payload, isBytes := test.payload.([]byte)
		if !isBytes {
			var err error
			if payload, err = json.Marshal(test.payload); err != nil {
				t.Fatal(err)
			}
		}
		var got bytes.Buffer
		if err := wire.NewWriter(&got).Frame(test.kind, payload); err != nil {
			t.Fatal(err)
		}
		// «kind length payload», the first two in hexadecimal
		parts := strings.SplitN(test.want, " ", 3)
		header, err := hex.DecodeString(parts[0] + parts[1])
		if err != nil {
			t.Fatal(err)
		}
		if want := slices.Concat(header, []byte(parts[2])); !bytes.Equal(got.Bytes(), want) {
			t.Errorf("frame %q is\n%q, want\n%q", test.kind, got.Bytes(), want)
		}
	}
}

// counter counts writes.
type counter struct {
	bytes.Buffer
	writes int
}

func (c *counter) Write(p []byte) (int, error) {
	c.writes++
	return c.Buffer.Write(p)
}

func TestFrameIsOneWrite(t *testing.T) {
	t.Parallel()
	var c counter
	w := wire.NewWriter(&c)
	for range 3 {
		if err := w.Frame(wire.Stdout, []byte("some output")); err != nil {
			t.Fatal(err)
		}
	}
	if c.writes != 3 {
		t.Errorf("3 frames took %d writes", c.writes)
	}
}

// TestStream writes and reads streams around the size of a frame.
func TestStream(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, wire.MaxPayload, 3*wire.MaxPayload + 5} {
		data := bytes.Repeat([]byte("0123456789abcdefg"), size/17+1)[:size]
		var c counter
		if err := wire.NewWriter(&c).Stream(wire.Stderr, data); err != nil {
			t.Fatal(err)
		}
		r := wire.NewReader(iotest.HalfReader(&c))
		var got []byte
		for {
			kind, n, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || kind != wire.Stderr || n == 0 || n > wire.MaxPayload {
				t.Fatalf("frame %q of %d bytes, %v", kind, n, err)
			}
			payload, err := r.Payload()
			if err != nil || len(payload) != n {
				t.Fatalf("%d bytes of payload, %v; want %d", len(payload), err, n)
			}
			got = append(got, payload...)
		}
		if !bytes.Equal(got, data) {
			t.Errorf("%d bytes went in, other %d came out", size, len(got))
		}
	}
}

func TestFrameTooLong(t *testing.T) {
	t.Parallel()
	var c counter
	if err := wire.NewWriter(&c).Frame(wire.Stdout, make([]byte, wire.MaxPayload+1)); !errors.Is(err,
		wire.ErrTooLong) || c.writes > 0 {
		t.Errorf("a frame that is too long: %v, %d writes", err, c.writes)
	}
	if err := wire.NewWriter(&c).Frame(wire.Stdout, make([]byte, wire.MaxPayload)); err != nil {
		t.Errorf("the longest frame: %v", err)
	}
	if kind, n, err := wire.NewReader(&c).Next(); kind != wire.Stdout || n != wire.MaxPayload || err != nil {
		t.Errorf("the longest frame is read as %q of %d bytes, %v", kind, n, err)
	}
	for _, length := range []string{"\x01\x00\x10\x00", "\xff\xff\xff\xff", "\x00\x00\x00\x80"} {
		_, _, err := wire.NewReader(strings.NewReader("o" + length)).Next()
		if !errors.Is(err, wire.ErrTooLong) {
			t.Errorf("length % x: %v", length, err)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWriterBroken(t *testing.T) {
	t.Parallel()
	w := wire.NewWriter(broken{})
	if err := w.Frame(wire.Loaded, nil); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("frame: %v", err)
	}
	if err := w.Stream(wire.Stdout, []byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("stream: %v", err)
	}
}

// TestReaderEnds cuts a stream of frames behind each byte: only between frames
// is it an end.
func TestReaderEnds(t *testing.T) {
	t.Parallel()
	var all bytes.Buffer
	w := wire.NewWriter(&all)
	between := map[int]bool{0: true}
	for _, payload := range []string{"", "abc", "0123456789"} {
		if err := w.Frame(wire.Stdout, []byte(payload)); err != nil {
			t.Fatal(err)
		}
		between[all.Len()] = true
	}
	readers := map[string]func(r *wire.Reader) error{
		"skip":    func(*wire.Reader) error { return nil },
		"payload": func(r *wire.Reader) error { _, err := r.Payload(); return err },
		"some": func(r *wire.Reader) error {
			for {
				p, err := r.Some()
				if err != nil || len(p) == 0 {
					return err
				}
			}
		},
	}
	for n := range all.Len() + 1 {
		for name, read := range readers {
			r := wire.NewReader(bytes.NewReader(all.Bytes()[:n]))
			var err error
			for err == nil {
				if _, _, err = r.Next(); err == nil {
					err = read(r)
				}
			}
			if want := between[n]; errors.Is(err, io.EOF) != want || errors.Is(err, io.ErrUnexpectedEOF) == want {
				t.Errorf("%s: the first %d bytes end with %v", name, n, err)
			}
		}
	}
}

// TestSome takes a payload in pieces, skips the rest of it, and takes what is
// there without waiting for more.
func TestSome(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	go func() {
		for _, piece := range []string{
			"o\x0a\x00\x00\x00", "0123", "456", "789e\x00\x00\x00\x00x\x02\x00\x00\x00",
			"{}",
		} {
			if _, err := io.WriteString(out, piece); err != nil {
				return
			}
		}
		_ = out.Close() // it cannot fail
	}()
	r := wire.NewReader(in)
	var got []string
	for {
		kind, n, err := r.Next()
		if err != nil {
			got = append(got, err.Error())
			break
		}
		got = append(got, string(kind))
		for n > 0 {
			p, err := r.Some()
			if err != nil {
				t.Fatal(err)
			}
			if len(p) == 0 {
				break
			}
			got = append(got, string(p))
			if kind == wire.Ended {
				break
			}
		}
	}
	if diff := cmp.Diff([]string{"o", "0123", "456", "789", "e", "x", "{}", "EOF"}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzReader reads anything as frames, in three ways that must agree.
func FuzzReader(f *testing.F) {
	f.Add([]byte("o\x03\x00\x00\x00abc"))
	f.Add([]byte("o\x03\x00\x00\x00ab"))
	f.Add([]byte("x\x02\x00\x00\x00{}e\x00\x00\x00\x00o\xff\xff\xff\xff"))
	f.Add([]byte("m\x08\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00"))
	f.Add([]byte("o"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		whole, pieces, headers := wire.NewReader(bytes.NewReader(data)),
			wire.NewReader(iotest.OneByteReader(bytes.NewReader(data))),
			wire.NewReader(bytes.NewReader(data))
		total := 0
		for {
			kind, n, err := whole.Next()
			kind2, n2, err2 := pieces.Next()
			kind3, n3, err3 := headers.Next()
			if kind != kind2 || n != n2 || (err == nil) != (err2 == nil) || n > wire.MaxPayload {
				t.Fatalf("frame %q of %d bytes, %v; in pieces %q of %d, %v", kind, n, err, kind2, n2, err2)
			}
			if err != nil {
				return
			}
			if kind3 != kind || n3 != n || err3 != nil {
				t.Fatalf("frame %q of %d bytes; when the one before is skipped: %q of %d, %v", kind, n, kind3, n3, err3)
			}
			payload, err := whole.Payload()
			var some []byte
			for err2 = nil; err2 == nil && len(some) < n; {
				var p []byte
				p, err2 = pieces.Some()
				some = append(some, p...)
			}
			if (err == nil) != (err2 == nil) || err == nil && !bytes.Equal(payload, some) {
				t.Fatalf("payload %q, %v; in pieces %q, %v", payload, err, some, err2)
			}
			if err != nil {
				return
			}
			if total += 5 + n; !bytes.Equal(payload, data[total-n:total]) {
				t.Fatalf("payload %q, and in the data %q", payload, data[total-n:total])
			}
		}
	})
}
