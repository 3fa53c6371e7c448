// Package guest makes the WebAssembly modules that tests run: a small writer of
// the binary format (Builder, Code), and on it a catalogue of guests that end,
// trap, flood, wait and lie in every way that plasm has an answer to.
package guest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// family is guests whose name ends in a number, such as exit-3. examples are
// the numbers that Names and All have; largest is the largest allowed.
type family struct {
	make     func(n uint32) []byte
	largest  uint32
	examples []uint32
}

// Module returns the guest of that name: one of Names, or a member of one of the
// families exit-N (any u32), write-N (up to 2^31-1 bytes), grow-to-N and
// min-memory-N (up to 65536 pages).
func Module(name string) ([]byte, error) {
	if build, ok := catalogue()[name]; ok {
		return build(), nil
	}
	if at := strings.LastIndexByte(name, '-'); at > 0 {
		f, ok := families()[name[:at]]
		n, err := strconv.ParseUint(name[at+1:], 10, 32)
		if ok && err == nil && n <= uint64(f.largest) {
			return f.make(uint32(n)), nil
		}
	}
	return nil, fmt.Errorf("no guest is named %q; there are %s", name, strings.Join(Names(), " "))
}

// Names lists the catalogue, sorted, with some members of each family.
func Names() []string { return slices.Sorted(maps.Keys(All())) }

// All returns every guest that Names lists.
func All() map[string][]byte {
	all := map[string][]byte{}
	for name, build := range catalogue() {
		all[name] = build()
	}
	for name, f := range families() {
		for _, n := range f.examples {
			all[name+"-"+strconv.FormatUint(uint64(n), 10)] = f.make(n)
		}
	}
	return all
}

// Bad reports whether the guest of that name is no module that can run: the
// engine must refuse it.
func Bad(name string) bool {
	_, bad := unusable()[name]
	return bad
}

// Endless reports whether the guest of that name never ends by itself.
func Endless(name string) bool {
	return slices.Contains([]string{"loop", "calls", "start-loop", "yes", "flood-both", "hang"}, name)
}

func catalogue() map[string]func() []byte {
	all := map[string]func() []byte{}
	for _, part := range []map[string]func() []byte{ends(), traps(), streams(), clocks(), memories(), unusable()} {
		maps.Copy(all, part)
	}
	return all
}

func families() map[string]family {
	return map[string]family{
		"exit":       {exit, 1<<32 - 1, []uint32{0, 3, 255, 256, 0xefffffff, 1<<32 - 1}},
		"write":      {write, 1<<31 - 1, []uint32{0, 1, 100, 100_000}},
		"grow-to":    {growTo, 1 << 16, []uint32{2, 1024}},
		"min-memory": {minMemory, 1 << 16, []uint32{1, 16, 4096}},
	}
}
