// Package hostile is a corpus of hostile modules: programs that burn time and
// memory, flood, climb out of folders, lie in their exit codes, are no modules at
// all, or are such that compiling them is the attack. Each is a Case: a short
// description from which the bytes are made, and what must come of it. The tests
// run each against every engine, through plasm-run and through one supervisor.
package hostile

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"plasm/lib/job"
)

// Engines lists the engines that every case is run against.
func Engines() []string { return []string{"wazero", "wasmtime"} }

// Case is a hostile module, the job it is run as, and how that must end.
type Case struct {
	Name   string // of lower-case words, unique
	Module func() []byte

	Memory      int64         // MiB of linear memory; 0: 16
	Timeout     time.Duration // 0: a minute, for what ends by itself
	OutputLimit int64         // bytes; 0: 1 MiB
	Fuel        int64         // 0: not counted
	Real        bool          // the real clock and entropy
	Blocked     bool          // stdin never has a byte and never ends
	Folder      bool          // has the folders /rw and /ro

	Want    Want
	Differs map[string]Want // an engine's own end, where the specification leaves it open or an engine departs from it
}

// On returns the case as it must end on an engine.
func (c Case) On(engine string) Case {
	if w, differs := c.Differs[engine]; differs {
		c.Want = w
	}
	return c
}

// Want is how a job must end. Either it starts, and Status counts, or it does not,
// and Code does.
type Want struct {
	Status job.Status
	Exit   uint32 // with Status Exit
	Trap   string // with Status Trap
	Stdout string // with Status Exit: all of it
	Memory int64  // bytes that linear memory had become; 0: not looked at

	Code job.Code
	Says string // part of the error's message: the name of the limit
}

// Manifest returns what the case asks for, without the digest of its module.
func (c *Case) Manifest() *job.Manifest {
	m := job.NewManifest()
	m.MemoryMB, m.OutputLimitBytes = 16, 1<<20
	if c.Memory > 0 {
		m.MemoryMB = c.Memory
	}
	if c.OutputLimit > 0 {
		m.OutputLimitBytes = c.OutputLimit
	}
	if c.Timeout > 0 {
		m.TimeoutMS = c.Timeout.Milliseconds()
	}
	m.Fuel, m.Deterministic = c.Fuel, !c.Real
	return m
}

// Flags returns the flags with which plasm-run runs the case, without folders.
func (c *Case) Flags() []string {
	m := c.Manifest()
	flags := []string{
		"--memory", strconv.FormatInt(m.MemoryMB, 10),
		"--timeout", (time.Duration(m.TimeoutMS) * time.Millisecond).String(),
		"--output-limit", strconv.FormatInt(m.OutputLimitBytes, 10),
	}
	if m.Fuel > 0 {
		flags = append(flags, "--fuel", strconv.FormatInt(m.Fuel, 10))
	}
	if c.Real {
		flags = append(flags, "--deterministic=false")
	}
	return flags
}

// Starts reports whether the guest's first instruction runs.
func (c *Case) Starts() bool { return c.Want.Code == "" }

// Module returns the module of the case with that name.
func Module(name string) ([]byte, error) {
	all := Cases()
	if i := slices.IndexFunc(all, func(c Case) bool { return c.Name == name }); i >= 0 {
		return all[i].Module(), nil
	}
	return nil, fmt.Errorf("no hostile module is named %q", name)
}

// Cases returns the whole corpus.
func Cases() []Case {
	return slices.Concat(
		known(), compiling(), burners(), hoarders(), floods(), descriptors(), climbers(), endings(), malformed(),
		stacks(), spaces(), instantiation(),
	)
}

func exits(code uint32) Want             { return Want{Status: job.Exit, Exit: code} }
func prints(stdout string) Want          { return Want{Status: job.Exit, Stdout: stdout} }
func traps(trap string) Want             { return Want{Status: job.Trap, Trap: trap} }
func ends(status job.Status) Want        { return Want{Status: status} }
func refused(limit string) Want          { return Want{Code: job.CodeModuleRefused, Says: limit} }
func fails(code job.Code, s string) Want { return Want{Code: code, Says: s} }
func bad(says string) Want               { return fails(job.CodeBadModule, says) }

// soon is the time that is given to what never ends by itself.
const soon = 250 * time.Millisecond
