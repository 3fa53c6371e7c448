package wazero

import (
	"bytes"
	"maps"
	"testing"
)

// image is what the segments of a data section write, and how far they reach.
func image(content []byte) (written map[uint32]byte, end uint64, segments uint32, ok bool) {
	r := reader{data: content}
	written = map[uint32]byte{}
	segments = r.u32()
	for range segments {
		at, data, ok := r.segment()
		if !ok {
			return nil, 0, 0, false
		}
		for i, b := range data {
			delete(written, at+uint32(i))
			if b != 0 {
				written[at+uint32(i)] = b
			}
		}
		end = max(end, uint64(at)+uint64(len(data)))
	}
	return written, end, segments, r.at == len(content)
}

// sameMemory holds that two data sections make the same memory.
func sameMemory(t *testing.T, before, after []byte) {
	t.Helper()
	want, wantEnd, _, ok := image(before)
	got, gotEnd, _, again := image(after)
	switch {
	case !ok && !bytes.Equal(before, after):
		t.Errorf("a section that cannot be merged was changed")
	case ok && (!again || !maps.Equal(want, got) || wantEnd != gotEnd):
		t.Errorf("the merged segments make another memory: % x, % x", before, after)
	}
}

// section builds a data section of active segments at constant addresses.
func dataSection(segments ...any) []byte {
	b := leb(nil, uint32(len(segments)/2))
	for i := 0; i < len(segments); i += 2 {
		at, _ := segments[i].(int)
		data, _ := segments[i+1].(string)
		b = append(signed(append(b, 0, opI32Const), int32(at)), opEnd)
		b = append(leb(b, uint32(len(data))), data...)
	}
	return b
}

// TestMergeData merges what may be merged, and nothing else.
func TestMergeData(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		segments []any
		want     uint32
	}{
		"none":             {nil, 0},
		"one":              {[]any{8, "a"}, 1},
		"neighbours":       {[]any{8, "ab", 10, "cd"}, 1},
		"a gap":            {[]any{8, "ab", 10 + gap, "cd"}, 1},
		"too wide a gap":   {[]any{8, "ab", 11 + gap, "cd"}, 2},
		"one over another": {[]any{8, "abcd", 10, "XY"}, 2},
		"back":             {[]any{100, "ab", 8, "cd"}, 2},
		"empty":            {[]any{8, "", 9, "", 10, "x", 11, ""}, 1},
		"high addresses":   {[]any{-16, "ab", -14, "cd"}, 1},
		"past the end":     {[]any{-2, "ab", 0, "cd"}, 2},
		"zeros overwrite":  {[]any{8, "ab", 8, "\x00\x00"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			section := dataSection(c.segments...)
			merged := mergeData(section)
			sameMemory(t, section, merged)
			if _, _, n, ok := image(merged); !ok || n != c.want {
				t.Errorf("%d segments, want %d: % x", n, c.want, merged)
			}
		})
	}
}

// TestMergeDataLeavesTheRest hands back what is not a list of active segments at
// constant addresses.
func TestMergeDataLeavesTheRest(t *testing.T) {
	t.Parallel()
	for name, section := range map[string][]byte{
		"passive":              {1, 1, 1, 'x'},
		"of a numbered memory": {1, 2, 0, opI32Const, 0, opEnd, 1, 'x'},
		"at a global":          {1, 0, 0x23, 0, opEnd, 1, 'x'},
		"arithmetic":           {1, 0, opI32Const, 0, opI32Const, 0, 0x6a, opEnd, 1, 'x'},
		"cut":                  dataSection(8, "ab")[:6],
		"more behind":          append(dataSection(8, "ab"), 0),
		"empty":                {},
	} {
		if got := mergeData(section); !bytes.Equal(got, section) {
			t.Errorf("%s: became % x", name, got)
		}
	}
}

// TestMergeDataOfGo is the case that it is for.
func TestMergeDataOfGo(t *testing.T) {
	t.Parallel()
	all, err := sections(buildGuest(t, "dirfs"))
	must(t, err)
	for _, s := range all {
		if s.id != sectionData {
			continue
		}
		merged := mergeData(s.content)
		sameMemory(t, s.content, merged)
		_, _, before, _ := image(s.content)
		_, _, after, _ := image(merged)
		if after*4 > before {
			t.Errorf("%d segments became %d", before, after)
		}
		return
	}
	t.Error("no data section")
}
