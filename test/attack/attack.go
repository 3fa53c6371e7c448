//go:build linux

// Package attack is what a worker's confinement is tested with: one attack for
// each promise, tried from inside a real worker, in each of its stages, as
// different users and under different filters. The command in attacker tries
// them; this package holds what it and the tests tell each other.
package attack

import (
	"encoding/json"
	"errors"

	"plasm/lib/engine"
)

// Engine is the name of the engine that attacks.
const Engine = "attack"

// Supervisor stands for the process number of the supervisor in an argument.
const Supervisor = "SUPERVISOR"

// MostThreads is how many threads an attack makes that nothing stops.
const MostThreads = 6000

// Disk is what a job may write into its travelling folder, in bytes.
const Disk = 1 << 20

// Stage is when an attack happens.
type Stage string

// The stages.
const (
	Prepare Stage = "prepare" // preparing the module for another worker
	Compile Stage = "compile" // compiling into a file
	Load    Stage = "load"    // making the module ready
	Run     Stage = "run"     // in place of the guest
)

// Plan is what the attacker's engine takes for a module.
type Plan struct {
	Stage    Stage  `json:"stage"`
	Attack   string `json:"attack"`
	Argument string `json:"argument"`
	Wait     bool   `json:"wait"` // with Run: until the end of input
}

// section is how a plan's module begins: the header of WebAssembly 1 and that of
// a custom section; its length follows, in five bytes, then its name.
const (
	section = "\x00asm\x01\x00\x00\x00\x00"
	name    = "\x04plan"
)

// Module returns the plan as a module, which has a custom section and nothing
// else.
func (p Plan) Module() ([]byte, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	n := len(name) + len(text)
	module := append([]byte(section), byte(n)|0x80, byte(n>>7)|0x80, byte(n>>14)|0x80, byte(n>>21)|0x80, byte(n>>28))
	return append(append(module, name...), text...), nil
}

// Read returns the plan that a module is.
func Read(module []byte) (p Plan, err error) {
	const begin = len(section) + 5 + len(name)
	if len(module) < begin {
		return p, errors.New("the module is no plan")
	}
	err = json.Unmarshal(module[begin:], &p)
	return p, err
}

// Job is one job for the attacker's supervisor.
type Job struct {
	Plan     Plan         `json:"plan"`
	Dirs     []engine.Dir `json:"dirs"`
	Travel   bool         `json:"travel"` // has folders that travel, one to read and one to write
	CacheDir string       `json:"cache_dir"`
	Guards   []string     `json:"guards"`  // required
	Key      string       `json:"key"`     // a key file that the supervisor loads, and holds
	Leak     bool         `json:"leak"`    // descriptors that the worker must not inherit
	Threads  uint64       `json:"threads"` // that its workers may have; 0: any number
	Input    string       `json:"input"`   // a FIFO to read from; "" is empty
}

// Report is what became of a job.
type Report struct {
	Started bool     `json:"started"`
	Stdout  string   `json:"stdout"`
	Status  string   `json:"status"`
	Cause   string   `json:"cause"`
	Guards  []string `json:"guards"`
	Cached  bool     `json:"cached"` // the compiled module came from the disk
	Code    string   `json:"code"`   // of the error with which it did not start
	Message string   `json:"message"`
}
