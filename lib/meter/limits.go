package meter

import (
	"fmt"

	"plasm/lib/job"
)

// Limits are what a module may have at most. docs/limits.md says why each is what
// it is. The zero value stands for DefaultLimits; of any other value every field
// counts, a 0 too.
type Limits struct {
	ModuleBytes     int // of the whole module
	Types           int
	Params          int // of one type
	Results         int // of one type
	Imports         int
	Exports         int
	Functions       int // the imported ones included
	Tables          int // the imported ones included
	TableElements   int // minimum of a table, and maximum of one that table.grow names
	Globals         int // the imported ones included
	Segments        int // of data and elements together
	BodyBytes       int // of one function
	Locals          int // of one function, parameters included
	Nesting         int // blocks inside each other, loops and ifs included
	LoopNesting     int // loops inside each other
	LoopLocals      int // of one function: loops inside each other times locals
	Blocks          int // of one function: block, loop and if
	BlockLocals     int // of one function: blocks times locals
	BranchTargets   int // of one br_table
	FunctionTargets int // of all br_table of one function
	Values          int // of one function, in a compiler's SSA form
	RewrittenBytes  int // of what Rewrite makes
}

// DefaultLimits are the limits that hold where nobody says another.
func DefaultLimits() Limits {
	return Limits{
		ModuleBytes:     16 << 20,
		Types:           20_000,
		Params:          1_000,
		Results:         1_000,
		Imports:         1_000,
		Exports:         10_000,
		Functions:       100_000,
		Tables:          4,
		TableElements:   1_000_000,
		Globals:         10_000,
		Segments:        250_000,
		BodyBytes:       512 << 10,
		Locals:          10_000,
		Nesting:         10_000,
		LoopNesting:     100,
		LoopLocals:      20_000,
		Blocks:          10_000,
		BlockLocals:     1_000_000,
		BranchTargets:   10_000,
		FunctionTargets: 50_000,
		Values:          1<<21 - 1,
		RewrittenBytes:  64 << 20,
	}
}

// orDefault returns l, or the defaults for its zero value.
func (l Limits) orDefault() Limits {
	if l == (Limits{}) {
		return DefaultLimits()
	}
	return l
}

// place is a part of a module, such as function 7. Its zero value is the module.
type place struct {
	kind   string
	number int
}

// within is nil when value is at most bound, and otherwise the refusal.
func within(what string, in place, value, bound int) *job.Error {
	if value <= bound {
		return nil
	}
	return refused(what, in, fmt.Sprint(value), bound)
}

func refused(what string, in place, value string, bound int) *job.Error {
	if in.kind != "" {
		what = fmt.Sprintf("%s in %s %d", what, in.kind, in.number)
	}
	return &job.Error{
		Code:    job.CodeModuleRefused,
		Message: fmt.Sprintf("module refused: %s: %s, more than the %d allowed", what, value, bound),
		Hint:    "docs/limits.md explains each limit and what to do about it",
	}
}
