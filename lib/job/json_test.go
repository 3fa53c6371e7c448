package job_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

// TestStreamsReadAlike reads every vector of the profile in pieces of several
// sizes: value and error must be those of Parse.
func TestStreamsReadAlike(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t, "profile") {
		want, wantErr := job.Parse(v.data)
		readers := map[string]io.Reader{
			"whole":      bytes.NewReader(v.data),
			"one byte":   iotest.OneByteReader(bytes.NewReader(v.data)),
			"half":       iotest.HalfReader(bytes.NewReader(v.data)),
			"data + EOF": iotest.DataErrReader(bytes.NewReader(v.data)),
		}
		for name, r := range readers {
			got, err := job.ParseStream(r, 1<<20)
			if diff := cmp.Diff(wantErr, err); diff != "" {
				t.Errorf("%s, %s: error (-slice +stream):\n%s", v.name, name, diff)
			}
			if err == nil && !bytes.Equal(canonical(nil, got), canonical(nil, want)) {
				t.Errorf("%s, %s: read as %s", v.name, name, canonical(nil, got))
			}
		}
	}
}

// TestStreamsAcrossBuffers puts every escape and character at every place
// around the end of a buffer.
func TestStreamsAcrossBuffers(t *testing.T) {
	t.Parallel()
	const buffer = 64 << 10
	for pad := buffer - 48; pad <= buffer; pad++ {
		a := strings.Repeat("a", pad)
		got, err := job.ParseStream(strings.NewReader(`{"`+a+`":"`+`\ud83d\ude00\n`+"é😀"+
			`\u00e9","n":-1234567,"t":[true,false]}`), 1<<20)
		want := `{"` + a + `":"😀\u000aé😀é","n":-1234567,"t":[true,false]}`
		if err != nil || string(canonical(nil, got)) != want {
			t.Fatalf("%d bytes before: %v", pad, err)
		}
	}
}

func TestStreamErrors(t *testing.T) {
	t.Parallel()
	sick := errors.New("sick disk")
	for _, start := range []string{
		"", " ", `{`, `{"`, `{"a`, `{"a"`, `{"a":`, `{"a":"\`, `{"a":"\u`, `{"a":"\ud800`,
		`{"a":1`, `{"a":tr`, `{"a":[`, `{"a":[1,`, `{}`, `{} `, `1`,
	} {
		_, err := job.ParseStream(io.MultiReader(strings.NewReader(start), iotest.ErrReader(sick)), 1<<20)
		e, ok := errors.AsType[*job.Error](err)
		if !ok || e.Code != job.CodeIO || !errors.Is(err, sick) || err.Error() != "reading the document: sick disk" {
			t.Errorf("after %q: %v", start, err)
		}
	}
	if _, err := job.ParseStream(stuck{}, 1<<20); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that never gives anything: %v", err)
	}
}

// stuck is a reader that reads nothing, for ever.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestStreamLimit(t *testing.T) {
	t.Parallel()
	if _, err := job.ParseStream(strings.NewReader("[1, 2]"), 6); err != nil {
		t.Errorf("6 bytes of 6: %v", err)
	}
	for _, text := range []string{"[1, 2]", "[1,2] ", "[1,2]x", "{\"\u00e9\"}"} {
		_, err := job.ParseStream(iotest.OneByteReader(strings.NewReader(text)), 5)
		e, ok := errors.AsType[*job.Error](err)
		if !ok || e.Code != job.CodeBadManifest || err.Error() != "document: more than the 5 bytes allowed" {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestSyntaxErrorSaysWhere(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want string
	}{
		{`{"a":nul}`, "bad JSON at byte 8: '}' where the rest of null should be"},
		{`{"a":null}`, "bad JSON at byte 5: null, which no document has"},
		{`{"a":1,"\u0061":2}`, `bad JSON at byte 7: member name repeated: "a"`},
		{"[\"a\nb\"]", "bad JSON at byte 3: control character 0x0a in a string"},
		{"[1]\x00", "bad JSON at byte 3: something after the value: byte 0x00"},
		{`[1`, "bad JSON at byte 2: ends where a comma or ] should be"},
		{`{"a`, "bad JSON at byte 3: ends where the end of a string should be"},
		{`[12345678901234567]`, "bad JSON at byte 1: an integer beyond ±(2^53-1)"},
	}
	for _, test := range tests {
		_, err := job.Parse([]byte(test.text))
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", test.text, err, test.want)
		}
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 16, 17, 100} {
		var text strings.Builder
		text.WriteString("{")
		for i := range n {
			if i > 0 {
				text.WriteString(",")
			}
			text.WriteString(`"` + strings.Repeat("x", i+1) + `":` + strings.Repeat("1", i%9+1))
		}
		text.WriteString("}")
		v, err := job.Parse([]byte(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		o, ok := v.(*job.Object)
		if !ok || o.Len() != n {
			t.Fatalf("%d members: read as %T with %d", n, v, o.Len())
		}
		i := 0
		for name, value := range o.All() {
			if got, ok := o.Get(name); !ok || got != value || len(name) != i+1 {
				t.Errorf("%d members: number %d is %q: %v, Get says %v, %v", n, i, name, value, got, ok)
			}
			i++
		}
		if got, ok := o.Get("X"); ok || got != nil {
			t.Errorf("%d members: Get finds what isn't there: %v", n, got)
		}
		for range o.All() {
			break // a loop may end early
		}
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"", `""`},
		{"a b", `"a b"`},
		{"é😀", `"é😀"`},
		{"a\nb\x00\x7f\u202e", `"a\nb\x00\x7f\u202e"`},
		{"\xff", `"\xff"`},
		{strings.Repeat("é", 72), `"` + strings.Repeat("é", 72) + `"`},
		{strings.Repeat("é", 73), `"` + strings.Repeat("é", 72) + `…"`},
	}
	for _, test := range tests {
		if got := job.Quote(test.in); got != test.want {
			t.Errorf("Quote(%q) = %s, want %s", test.in, got, test.want)
		}
	}
}
