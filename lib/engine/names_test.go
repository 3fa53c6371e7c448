package engine_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/wasm"
)

// nameless is a module with a custom section of no concern.
const nameless = wasm.Header + "\x00\x05\x04code"

// section is a section of that ID.
func section(id byte, content string) string {
	return string(wasm.AppendSection(nil, id, []byte(content)))
}

func TestTrace(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 200)
	names := "\x05" + "\x00\x01a" + "\x01\x02b\n" + "\x02\x03\xff\xfe\\" + "\x07" + "\x90\x03" + long + "\x08\x00"
	named := nameless + section(0, "\x04name\x00\x02\x01m"+section(1, names)+"\x02\x01\x00")
	many := slices.Repeat([]uint32{0}, 40)
	tests := []struct {
		name, module string
		functions    []uint32
		want         []string
	}{
		{"names", named, []uint32{1, 0, 1}, []string{`b\x0a`, "a", `b\x0a`}},
		{"none, and an empty one", named, []uint32{9, 8, 0}, []string{"$9", "$8", "a"}},
		{"no UTF-8", named, []uint32{2}, []string{`\xff\xfe\`}},
		{"cut", named, []uint32{7}, []string{strings.Repeat("é", 62) + "…"}},
		{"too many", named, many, slices.Repeat([]string{"a"}, job.MaxTrace)},
		{"no functions", named, nil, nil},
		{"no section", nameless, []uint32{0}, nil},
		{"a section without functions", nameless + section(0, "\x04name\x00\x02\x01m"), []uint32{0}, nil},
		{"an empty list", nameless + section(0, "\x04name"+section(1, "\x00")), []uint32{3}, []string{"$3"}},
		{
			"a list that ends before its end", nameless + section(0, "\x04name"+section(1, "\x09\x00\x01a\x01\x7fb")),
			[]uint32{0, 1},
			[]string{"a", "$1"},
		},
		{"a list longer than its section", nameless + section(0, "\x04name\x01\x7f\x01\x00\x01a"), []uint32{0}, nil},
		{"no module", "\x00as", []uint32{0}, nil},
	}
	for _, test := range tests {
		got := engine.Trace([]byte(test.module), test.functions)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if got := engine.WithoutNames([]byte(named)); string(got) != nameless {
		t.Errorf("without names: %q", got)
	}
	if got := engine.WithoutNames([]byte(nameless)); string(got) != nameless {
		t.Errorf("without names, of which it has none: %q", got)
	}
}

// FuzzTrace holds that whatever a module says of its names, a trace is one.
func FuzzTrace(f *testing.F) {
	f.Add([]byte(nameless+section(0, "\x04name"+section(1, "\x01\x00\x01a"))), uint32(0))
	f.Add([]byte(nameless+section(0, "\x04name\x01\xff\xff\xff\xff\x0f\xff")), uint32(1<<31))
	f.Fuzz(func(t *testing.T, module []byte, index uint32) {
		if trace := engine.Trace(module, []uint32{index, 0}); trace != nil {
			if err := job.CheckTrace("trace", trace); err != nil {
				t.Error(err)
			}
		}
		if less := engine.WithoutNames(module); engine.Trace(less, []uint32{index}) != nil ||
			!bytes.Equal(engine.WithoutNames(less), less) {
			t.Errorf("%q still has names", less)
		}
	})
}
