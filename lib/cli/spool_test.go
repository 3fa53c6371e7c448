package cli

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"plasm/lib/job"
)

// all returns what a spool holds.
func all(t *testing.T, s *Spool) string {
	t.Helper()
	r, err := s.Reader()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSpool(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	block := strings.Repeat("0123456789abcdef", 4<<10) // 64 KiB
	for _, blocks := range []int{0, 1, 15, 16, 17, 40} {
		var s Spool
		for range blocks {
			if n, err := s.Write([]byte(block)); n != len(block) || err != nil {
				t.Fatalf("Write: %d, %v", n, err)
			}
		}
		if names(t, dir) != "" {
			t.Errorf("%d blocks: a file with a name: %s", blocks, names(t, dir))
		}
		if (s.file != nil) != (blocks > 16) {
			t.Errorf("%d blocks: in a file: %v", blocks, s.file != nil)
		}
		want := strings.Repeat(block, blocks)
		for range 2 {
			if got := all(t, &s); got != want {
				t.Errorf("%d blocks: %d bytes came back, want %d", blocks, len(got), len(want))
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestSpoolWithoutRoom keeps what it took, and says so once.
func TestSpoolWithoutRoom(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	var s Spool
	if _, err := s.Write([]byte("kept")); err != nil {
		t.Fatal(err)
	}
	n, err := s.Write(make([]byte, spoolMemory))
	if e := AsError(err); n != 0 || e.Code != job.CodeIO ||
		!strings.HasSuffix(e.Message, "/none: no such file or directory") || e.Hint == "" {
		t.Errorf("Write: %d, %v", n, err)
	}
	if got := all(t, &s); got != "kept" {
		t.Errorf("kept %q", got)
	}
}

func TestSpoolThatIsBroken(t *testing.T) {
	t.Parallel()
	var s Spool
	if _, err := s.Write(make([]byte, spoolMemory+1)); err != nil {
		t.Fatal(err)
	}
	_ = s.file.Close()
	_, writeErr := s.Write([]byte("x"))
	_, readErr := s.Reader()
	_, inputErr := spooledInput(&s)
	for what, err := range map[string]error{
		"Write": writeErr, "Reader": readErr, "Close": s.Close(),
		"input": inputErr,
	} {
		if err == nil || AsError(err).Code != job.CodeIO {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestRation(t *testing.T) {
	t.Parallel()
	left := int64(10)
	a, b := ration{&Spool{}, &left}, ration{&Spool{}, &left}
	for _, step := range []struct {
		to   ration
		n    int
		fits bool
	}{{a, 4, true}, {b, 5, true}, {a, 2, false}, {b, 1, true}, {a, 1, false}, {a, 0, true}} {
		n, err := step.to.Write(make([]byte, step.n))
		if (err == nil) != step.fits || step.fits && n != step.n || !step.fits &&
			(n != 0 || AsError(err).Code != job.CodeIO) {
			t.Errorf("%+v: %d, %v", step, n, err)
		}
	}
	if all(t, a.Spool) != "\x00\x00\x00\x00" || len(all(t, b.Spool)) != 6 {
		t.Error("a spool holds something else than was written")
	}
}

// TestResultFits: the most output that is taken makes a document that is not too
// long, beside the longest envelope.
func TestResultFits(t *testing.T) {
	t.Parallel()
	const frame = len(`{"receipt":,"stdout":"","stderr":""}`) + len("\n")
	if size := frame + job.MaxEnvelope + (maxResultOutput+4)/3*4 + 4; size > job.MaxDocument {
		t.Errorf("%d bytes, more than %d", size, job.MaxDocument)
	}
}
