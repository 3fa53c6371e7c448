package batch_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"plasm/lib/batch"
	"plasm/lib/job"
)

// FuzzLines holds that all items together are the list, whatever is in it.
func FuzzLines(f *testing.F) {
	f.Add("a\nb\n\nc", byte('\n'))
	f.Add("a\x00b", byte(0))
	f.Add("\xff\n", byte('\n'))
	f.Fuzz(func(t *testing.T, list string, end byte) {
		want := strings.Split(list, string([]byte{end}))
		if want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		l := batch.NewLines(strings.NewReader(list), end, putLine)
		for i, line := range want {
			it, err := l.Next()
			if err != nil || it.Index != int64(i+1) || it.Err == nil && it.Line.Args[0] != line {
				t.Fatalf("%d: %v, %+v", i, err, it)
			}
		}
		if _, err := l.Next(); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	})
}

// FuzzDecodeLine holds that what is read makes a manifest that can be written.
func FuzzDecodeLine(f *testing.F) {
	f.Add([]byte(`{"args":["a"],"env":{"K":"v"},"stdin":"x","label":"l","memory_mb":5}`))
	f.Add([]byte(`{"stdin_file":"a","stdout_file":"b","stderr_file":"c","receipt_file":"d","seed":9007199254740991}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := batch.DecodeLine(text)
		if err != nil {
			if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeBadManifest ||
				strings.Contains(e.Message, "\n") {
				t.Fatalf("%v", err)
			}
			return
		}
		m := job.NewManifest()
		m.ID, m.ModuleHash = job.NewID(), job.EmptyDigest
		l.Apply(m)
		if m.Validate() == nil {
			if back, err := job.DecodeManifest(m.Encode()); err != nil || !back.Equal(m) {
				t.Fatalf("%v", err)
			}
		}
	})
}

// FuzzReadLog holds that a log is read as it is written.
func FuzzReadLog(f *testing.F) {
	code := uint32(3)
	entry := batch.Entry{
		Index: 7, Label: "l", Job: "4f8c2e0b9d6a47135e8f0c1b2a3d4e5f", Input: job.EmptyDigest, Event: batch.Ended,
		Time: time.UnixMilli(0),
		Node: node, Status: job.Exit, ExitCode: &code, Receipt: job.EmptyDigest,
	}
	f.Add([]byte("{\"version\":\"1\"}\n" + string(batch.EncodeEntry(&entry))))
	f.Add([]byte(`{"version":"1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var entries []*batch.Entry
		if batch.ReadLog(bytes.NewReader(text), func(e *batch.Entry) { entries = append(entries, e) }) != nil {
			return
		}
		again := []byte("{\"version\":\"1\"}\n")
		for _, e := range entries {
			again = append(again, batch.EncodeEntry(e)...)
		}
		i := 0
		err := batch.ReadLog(bytes.NewReader(again), func(e *batch.Entry) {
			if !slices.Equal(batch.EncodeEntry(e), batch.EncodeEntry(entries[i])) {
				t.Errorf("%+v, and was %+v", e, entries[i])
			}
			i++
		})
		if err != nil || i != len(entries) {
			t.Errorf("%v, %d of %d", err, i, len(entries))
		}
	})
}

// FuzzTemplate holds that a line never becomes more than its placeholders say.
func FuzzTemplate(f *testing.F) {
	f.Add("a/b.c", "{/.}", int64(3))
	f.Add("{#}", "{}{#}", int64(3))
	f.Fuzz(func(t *testing.T, line, arg string, n int64) {
		l, err := (&batch.Template{Args: []string{arg}}).Fill(line, n)
		if err != nil {
			t.Fatal(err)
		}
		if batch.HasPlaceholder(arg) {
			if len(l.Args) != 1 {
				t.Fatalf("%q", l.Args)
			}
		} else if len(l.Args) != 2 || l.Args[0] != arg || l.Args[1] != line {
			t.Fatalf("%q", l.Args)
		}
		if arg == "{}" && l.Args[0] != line {
			t.Fatalf("%q", l.Args)
		}
	})
}
