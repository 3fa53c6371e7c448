package wazero

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"

	"plasm/lib/engine"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// TestSkeletonIsValid gives the skeleton of each good guest, and of the examples,
// to wazero.
func TestSkeletonIsValid(t *testing.T) {
	t.Parallel()
	modules := map[string][]byte{}
	for name, module := range guest.All() {
		if !guest.Bad(name) {
			modules[name] = module
		}
	}
	examples, err := filepath.Glob("../../../examples/*/*.wasm")
	must(t, err)
	if len(examples) == 0 {
		t.Error("no examples")
	}
	for _, name := range examples {
		modules[name], err = os.ReadFile(name)
		must(t, err)
	}
	for name, module := range modules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := runtime(t.Context(), &code{to: io.Discard}, maxPages-1)
			must(t, err)
			if _, err := compile(t.Context(), r, skeleton(module)); err != nil {
				t.Error(err)
			}
			must(t, r.Close(t.Context()))
		})
	}
}

// TestSkeletonLeavesOut looks at what is left of a module's code and of its
// custom sections.
func TestSkeletonLeavesOut(t *testing.T) {
	t.Parallel()
	b := body(guest.Seq(guest.Code{0x41, 0x2a}, guest.Op(wasm.OpDrop)))
	b.Customs = []guest.Custom{{Name: "name", Bytes: []byte("a long list of names")}}
	light := skeleton(b.Bytes())
	if bytes.Contains(light, []byte("names")) || bytes.Contains(light, []byte{0x41, 0x2a}) {
		t.Errorf("% x", light)
	}
	b.Customs, b.Funcs[0].Body, b.Funcs[0].Locals = nil, guest.Op(wasm.OpUnreachable), nil
	if want := b.Bytes(); !bytes.Equal(light, want) {
		t.Errorf("the skeleton is\n% x, want\n% x", light, want)
	}
}

// FuzzSkeleton takes the bodies out of anything. A module that can be taken apart
// keeps its other sections, and its number of functions.
func FuzzSkeleton(f *testing.F) {
	for _, module := range guest.All() {
		f.Add(module)
	}
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x0a\x05\xff\xff\xff\xff\x0f"))
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x0a\x00"))
	f.Fuzz(func(t *testing.T, module []byte) {
		if engine.CheckHeader(module) != nil {
			return // never comes this far
		}
		light := skeleton(module)
		if again := skeleton(light); !bytes.Equal(again, light) {
			t.Errorf("the skeleton of\n% x is\n% x, its own is\n% x", module, light, again)
		}
		before, damage := wasm.Sections(module)
		if damage != nil {
			if !bytes.Equal(light, module) {
				t.Errorf("what cannot be taken apart was changed to % x", light)
			}
			return
		}
		after, damage := wasm.Sections(light)
		if damage != nil {
			t.Fatalf("the skeleton cannot be taken apart: %v", damage)
		}
		if bytes.Equal(light, module) {
			return
		}
		for _, s := range before {
			if s.ID == wasm.SectionCustom {
				continue
			}
			if len(after) == 0 || after[0].ID != s.ID {
				t.Fatalf("section %d is gone", s.ID)
			}
			was, is := module[s.Start:s.End], light[after[0].Start:after[0].End]
			if s.ID != wasm.SectionCode && !bytes.Equal(is, was) {
				t.Errorf("section %d has changed", s.ID)
			}
			old, _ := binary.Uvarint(was)
			now, _ := binary.Uvarint(is)
			if s.ID == wasm.SectionCode && old != now {
				t.Errorf("another number of functions")
			}
			after = after[1:]
		}
	})
}
