package capability

import (
	"math/bits"
	"strconv"

	"plasm/lib/job"
	"plasm/lib/network"
)

// fewMB is below which memory doesn't tell nodes apart: between 1 and fewMB there
// are no keys. Each key costs a look-up and up to twenty messages each time that
// a node is announced.
const fewMB = 256

// Keys returns the keys under which a node announces itself.
func Keys(n *job.Node) []network.Key {
	var keys []network.Key
	keys = append(keys, archKey(n.Arch))
	for _, e := range n.Engines {
		keys = append(keys, engineKey(e.Name))
	}
	keys = append(keys, memoryKey(1))
	for mb := int64(fewMB); mb <= n.Limits.MemoryMB; mb *= 2 {
		keys = append(keys, memoryKey(mb))
	}
	for cores := int64(2); cores <= n.CPUCores; cores *= 2 {
		keys = append(keys, coresKey(cores))
	}
	return keys
}

func archKey(arch string) network.Key   { return network.Key("arch=" + arch) }
func engineKey(name string) network.Key { return network.Key("engine=" + name) }
func memoryKey(mb int64) network.Key    { return network.Key("memory>=" + strconv.FormatInt(mb, 10)) }
func coresKey(n int64) network.Key      { return network.Key("cores>=" + strconv.FormatInt(n, 10)) }

// Key returns the key to look up: every node that fits the need is a provider of
// it, and of all such keys it is guessed to have the fewest. Nobody counts
// nodes, so the guess is a table; a wrong one costs questions and no result.
func (n Need) Key() network.Key {
	best, fewest := memoryKey(1), 100 // of a hundred nodes
	choose := func(key network.Key, share int) {
		if share < fewest {
			best, fewest = key, share
		}
	}
	if mb := power(n.MinMemoryMB); mb >= fewMB {
		choose(memoryKey(mb), share(mb/fewMB, []int{99, 97, 90, 80, 60})) // 256 MB to 4096
	}
	if cores := power(n.MinCores); cores >= 2 {
		choose(coresKey(cores), share(cores/2, []int{95, 80, 55, 30, 15, 8, 4, 2, 1})) // 2 to 512
	}
	switch n.Arch {
	case "":
	case "amd64":
		choose(archKey(n.Arch), 70)
	case "arm64":
		choose(archKey(n.Arch), 35)
	default:
		choose(archKey(n.Arch), 3)
	}
	switch n.Engine {
	case "", builtIn: // every node has it
	default:
		choose(engineKey(n.Engine), 25)
	}
	return best
}

// builtIn is the engine that every node has.
const builtIn = "wazero"

// power returns the largest 2^k that is no more than n, 0 when there is none.
func power(n int64) int64 {
	if n < 1 {
		return 0
	}
	return 1 << (bits.Len64(uint64(n)) - 1)
}

// share returns the guess for 2^k in a table by k.
func share(power int64, table []int) int {
	return table[min(bits.Len64(uint64(power))-1, len(table)-1)]
}
