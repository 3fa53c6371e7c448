package main

import "strings"

// kernel is one of the programs in bench/kernels. They take the number of rounds as
// their argument, and print a line that depends on all that they have done.
type kernel struct {
	name   string
	job    int    // rounds of about a second of native work
	quick  int    // rounds that only show that it works
	output string // of the quick rounds, also checked within the kernels where there is a law to check
}

var kernels = []kernel{
	{"matmul", 256, 2, "8355840"},
	{"stencil", 3200, 4, "8539588459.2045965"},
	{"fft", 10400, 4, "8227.9652717432164"},
	{"sha256", 104, 1, "fc7f84dd"},
	{"sort", 56, 1, "3832975341"},
	{"hashmap", 440, 4, "c28cc9fafb9767ba"},
	{"nbody", 19000, 10, "-0.169016441 -3.940062915281894"},
	{"mandelbrot", 100, 1, "d3ade184"},
	{"automaton", 300, 2, "20763 0f1beec0"},
	{"lz", 110, 1, "734575"},
}

// build is one way to compile a kernel.
type build struct {
	suffix string   // of its file
	wasm   bool     // a guest
	flags  []string // of clang, beside those for all
	opt    bool     // wasm-opt goes over it
}

// Features are what every engine here takes; those of a scalar guest but for SIMD.
const features = "-mbulk-memory -msign-ext -mnontrapping-fptoint"

var builds = map[string]build{
	"native": {suffix: ""},
	"own":    {suffix: "-own", flags: []string{"-march=native"}},
	"simd":   {suffix: "-simd.wasm", wasm: true, flags: append(strings.Fields(features), "-msimd128"), opt: true},
	"plain":  {suffix: "-plain.wasm", wasm: true, flags: append(strings.Fields(features), "-msimd128")},
	"scalar": {suffix: "-scalar.wasm", wasm: true, flags: strings.Fields(features), opt: true},
}

// way is one way to run a kernel.
type way struct {
	name   string
	engine string // "" for native
	build  string
	whole  bool // by plasm-run, and not by the engine alone
	part   int  // of a job's rounds are run: 1, or a quarter where a whole job would take too long
}

// The ways, in the order in which they are shown. An engine and its plasm-run do the
// same part, and there is a native run for each part.
var ways = []way{
	{name: "native", build: "native", part: 1},
	{name: "native-own", build: "own", part: 1},
	{name: "wasmtime-simd", engine: "wasmtime", build: "simd", part: 1},
	{name: "wasmtime-simd-plain", engine: "wasmtime", build: "plain", part: 1},
	{name: "wasmtime-scalar", engine: "wasmtime", build: "scalar", part: 1},
	{name: "plasm-run-wasmtime-simd", engine: "wasmtime", build: "simd", whole: true, part: 1},
	{name: "native-quarter", build: "native", part: 4},
	{name: "wazero-simd", engine: "wazero", build: "simd", part: 4},
	{name: "wazero-scalar", engine: "wazero", build: "scalar", part: 4},
	{name: "plasm-run-wazero-simd", engine: "wazero", build: "simd", whole: true, part: 4},
}
