// Package test holds what is true of the whole tree and of no package alone:
// here, which package may import which. Below it are the tests that run the
// commands end to end.
package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/test/bin"
)

const module = "plasm"

// layers are our packages, the ground first. A package imports what lies in a
// lower layer than its own, and its own sub-packages; nothing beside it, nothing
// above.
var layers = [][]string{
	{"lib/job"},
	{"lib/custody", "lib/limit", "lib/batch", "lib/tree", "lib/wasm", "lib/replace"},
	{"lib/identity", "lib/wasi"},
	{"lib/receipt", "lib/engine", "lib/meter"},
	{"lib/network", "lib/store", "lib/sandbox", "lib/control"},
	{"lib/exchange", "lib/capability"},
	{"lib/cli", "lib/node"},
	{"cmd"},
}

// outside are the areas that may use whatever we have and that none of the
// layers may use.
var outside = []string{"test", "bench", "packaging"}

// What a program must not link: a path with everything below it.
var (
	wazero = []string{"github.com/tetratelabs/wazero"}
	// Of libp2p, core has the names (peer IDs, addresses, keys) and no host.
	hosts = []string{"github.com/libp2p/go-libp2p", "github.com/libp2p/go-libp2p-kad-dht"}
	names = []string{"github.com/libp2p/go-libp2p/core"}
	// What takes time at every start, and is of use to a process for people, or to none.
	commandLine = []string{"github.com/urfave/cli"}
	markdown    = []string{"github.com/russross/blackfriday"}
)

// mustNotLink says it for each command, and for the worker, which handles a
// stranger's module and so is kept away from keys and the network.
var mustNotLink = map[string][]string{
	"plasm/cmd/plasm-run":      slices.Concat(hosts, markdown),
	"plasm/cmd/plasm-verify":   slices.Concat(hosts, wazero, markdown),
	"plasm/cmd/plasm-discover": slices.Concat(wazero, markdown),
	"plasm/cmd/plasm-submit":   slices.Concat(wazero, markdown),
	"plasm/cmd/plasmd":         slices.Concat(wazero, markdown),
	"plasm/lib/sandbox/worker": slices.Concat(hosts, commandLine, []string{"plasm/lib/identity", "plasm/lib/receipt"}),
	"plasm/lib/cli/version":    commandLine, // which a worker of another engine has
}

// unit is one package as go list tells it.
type unit struct {
	ImportPath string
	Imports    []string
	Standard   bool // of the standard library
}

// graph is a set of packages by import path.
type graph map[string]unit

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	for _, system := range []string{"linux", "darwin"} {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			g := load(t, system)
			for _, breach := range append(wrongDirections(g), wrongLinks(g)...) {
				t.Error(breach)
			}
		})
	}
}

// TestWrongImportsAreFound shows that the rules can fail.
func TestWrongImportsAreFound(t *testing.T) {
	t.Parallel()
	const host = "github.com/libp2p/go-libp2p/p2p/host/basic"
	tests := []struct {
		name    string
		imports map[string][]string
		want    []string
	}{
		{
			"everything in its direction",
			map[string][]string{
				"plasm/cmd/plasm-run":    {"plasm/lib/cli", "plasm/lib/engine/wazero", "plasm/lib/job"},
				"plasm/cmd/plasm-verify": {"plasm/lib/receipt", "github.com/libp2p/go-libp2p/core/peer"},
				"plasm/lib/engine":       {"plasm/lib/engine/wazero", "plasm/lib/job"},
				"plasm/lib/job":          {"strings"},
				"plasm/test/bin":         {"plasm/lib/cli"},
			},
			nil,
		},
		{
			"upwards",
			map[string][]string{"plasm/lib/receipt": {"plasm/lib/sandbox"}},
			[]string{"plasm/lib/receipt imports plasm/lib/sandbox, which is not below it"},
		},
		{
			"sideways",
			map[string][]string{"plasm/lib/store": {"plasm/lib/sandbox/worker"}},
			[]string{"plasm/lib/store imports plasm/lib/sandbox/worker, which is not below it"},
		},
		{
			"from a command",
			map[string][]string{"plasm/lib/cli": {"plasm/cmd/plasmd"}},
			[]string{"plasm/lib/cli imports plasm/cmd/plasmd, which is not below it"},
		},
		{
			"from a test",
			map[string][]string{"plasm/lib/cli": {"plasm/test/bin"}},
			[]string{"plasm/lib/cli imports plasm/test/bin, which is not below it"},
		},
		{
			"an example that needs plasm",
			map[string][]string{"plasm/examples/hello": {"plasm/lib/job"}},
			[]string{"plasm/examples/hello imports plasm/lib/job, which is not below it"},
		},
		{
			"a package that no layer names",
			map[string][]string{"plasm/lib/util": {"plasm/lib/job"}},
			[]string{"plasm/lib/util has no layer"},
		},
		{
			"vocabulary with a dependency",
			map[string][]string{"plasm/lib/job": {"golang.org/x/text"}},
			[]string{"plasm/lib/job imports golang.org/x/text, which is not of the standard library"},
		},
		{
			"a host, by a detour",
			map[string][]string{"plasm/cmd/plasm-run": {"example.org/detour"}, "example.org/detour": {host}},
			[]string{"plasm/cmd/plasm-run links " + host + ": plasm/cmd/plasm-run > example.org/detour > " + host},
		},
		{
			"an engine in the network's process",
			map[string][]string{"plasm/cmd/plasmd": wazero},
			[]string{"plasm/cmd/plasmd links " + wazero[0] + ": plasm/cmd/plasmd > " + wazero[0]},
		},
		{
			"a key in the worker's",
			map[string][]string{"plasm/lib/sandbox/worker": {"plasm/lib/identity"}},
			[]string{"plasm/lib/sandbox/worker links plasm/lib/identity: " +
				"plasm/lib/sandbox/worker > plasm/lib/identity"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := graph{"strings": {ImportPath: "strings", Standard: true}}
			for path, imports := range test.imports {
				g[path] = unit{ImportPath: path, Imports: imports}
			}
			got := append(wrongDirections(g), wrongLinks(g)...)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("breaches (-want +got):\n%s", diff)
			}
		})
	}
}

// load asks go list for our packages, and all that they need, on one system.
func load(t *testing.T, system string) graph {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-tags="+bin.Tags, "-deps",
		"-json=ImportPath,Imports,Standard", module+"/...")
	list.Env = append(list.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	var stderr strings.Builder
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	g := graph{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var u unit
		if err := dec.Decode(&u); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		g[u.ImportPath] = u
	}
	if _, ok := g[module+"/lib/job"]; !ok {
		t.Fatal("go list does not know plasm/lib/job: the rules would hold for nothing")
	}
	return g
}

// wrongDirections lists the imports that break the order of layers.
func wrongDirections(g graph) []string {
	var breaches []string
	for _, path := range slices.Sorted(maps.Keys(g)) {
		free := func(area string) bool { return below(path, module+"/"+area) }
		if !below(path, module) || slices.ContainsFunc(outside, free) {
			continue
		}
		area, layer := place(path)
		if layer < 0 && !below(path, module+"/examples") {
			breaches = append(breaches, path+" has no layer")
			continue
		}
		for _, to := range g[path].Imports {
			toArea, toLayer := place(to)
			ours := below(to, module)
			switch {
			case ours && toArea != area && (toLayer < 0 || toLayer >= layer):
				breaches = append(breaches, fmt.Sprintf("%s imports %s, which is not below it", path, to))
			case !ours && layer == 0 && !g[to].Standard:
				breaches = append(breaches, fmt.Sprintf("%s imports %s, which is not of the standard library", path,
					to))
			}
		}
	}
	return breaches
}

// place returns the entry of layers that a package belongs to, and the number of
// its layer, or -1. Each command is a place of its own.
func place(path string) (area string, layer int) {
	for layer, areas := range layers {
		for _, area := range areas {
			if !below(path, module+"/"+area) {
				continue
			}
			if area == "cmd" {
				area = path
			}
			return area, layer
		}
	}
	return path, -1
}

// wrongLinks lists what programs reach and must not, with the way there.
func wrongLinks(g graph) []string {
	var breaches []string
	for _, from := range slices.Sorted(maps.Keys(mustNotLink)) {
		ways := reach(g, from)
		for _, path := range slices.Sorted(maps.Keys(ways)) {
			forbidden := func(root string) bool { return below(path, root) }
			if slices.ContainsFunc(mustNotLink[from], forbidden) && !slices.ContainsFunc(names, forbidden) {
				breaches = append(breaches, fmt.Sprintf("%s links %s: %s", from, path, ways[path]))
			}
		}
	}
	return breaches
}

// reach returns what from imports, directly or not, each with a shortest way to
// it. A package that does not exist reaches nothing.
func reach(g graph, from string) map[string]string {
	ways := map[string]string{}
	if _, ok := g[from]; !ok {
		return ways
	}
	ways[from] = from
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for _, to := range g[queue[0]].Imports {
			if _, seen := ways[to]; !seen {
				ways[to] = ways[queue[0]] + " > " + to
				queue = append(queue, to)
			}
		}
	}
	return ways
}

// below reports whether path is root or lies under it.
func below(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}
