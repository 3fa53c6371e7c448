// Package meter is a pass over a WebAssembly core module that needs no engine:
// Check holds it against static limits, Rewrite makes it count fuel and call
// depth by itself and gives its NaNs one pattern of bits. A rewritten module does
// the same, and counts the same, on every engine and processor.
//
// Known are the instructions of WebAssembly 2.0, tail calls, and arithmetic in
// constant expressions. Any other opcode is an error that names it.
//
// # How an engine runs a rewritten module
//
//  1. Validate the module as it came, and instantiate the rewritten one.
//  2. Set the exported global FuelGlobal to the allowance, 1 to 2^53-1.
//  3. Call the export StartExport when there is one. It is the module's start
//     function; the rewritten module has no start section, so that no instruction
//     runs before there is fuel.
//  4. Call _start.
//
// When the guest has ended, in whatever way:
//
//   - FuelGlobal is negative: the guest ran out of fuel, and what was used is the
//     whole allowance. It trapped, by an unreachable, before the instructions
//     ran that there was no fuel for.
//   - StackGlobal is negative: its calls were too deep, and it trapped likewise.
//   - Otherwise the guest ended by itself, and what was used is the allowance
//     less FuelGlobal.
//
// Nothing else makes either of them negative: both are numbered behind the
// module's own globals, of which an instruction that names one is refused.
// Neither is good for anything after a trap; instantiate anew.
//
// # plasm-fuel/1: what an instruction costs
//
//	block loop else end nop unreachable                                      0
//	call and return_call of a function of the module                         5
//	call and return_call of an import, call_indirect, return_call_indirect  10
//	br_table                                                                 2
//	integer div and rem, div and sqrt of f32 f64 f32x4 f64x2                 5
//	SIMD (prefix 0xfd) but for loads, stores and v128.const                  2
//	memory.grow table.grow                                                 250
//	memory.copy memory.fill memory.init              10 + length / 16, cut off
//	table.copy table.fill table.init                               10 + length
//	every other instruction                                                  1
//
// Length is the topmost operand, unsigned. That part is charged just before the
// instruction, in 64 bits, and also when the instruction then traps. Growing
// has one price, as all that it ever gives is bounded by the limits on memory
// and tables.
//
// The first call, which the host makes, costs nothing. What CanonicalNaN
// adds costs nothing either: with it or without, the count is the same.
//
// # When it is charged
//
// Each instruction of a body belongs to a region. Going through the body in the
// order in which it is written, and reading «behind» as «from the next
// instruction on»:
//
//   - The body begins a region.
//   - A new region begins behind loop, if and else, and behind br, br_if,
//     br_table, return, return_call, return_call_indirect and unreachable.
//   - Behind the end of a block, loop or if:
//     where no branch inside goes to a label outside, the region goes on that was
//     current at its block, loop or if; else, behind a loop, and behind a block
//     to whose label no branch inside goes, the region goes on that is current;
//     else, which takes in every if, a new region begins.
//
// A branch is br, br_if, br_table with all its labels, and to the label of the
// body return, return_call and return_call_indirect. It counts where it is
// written, also where it can never run.
//
// An instruction belongs to the region that is current before it. The cost of a
// region, the sum over its instructions, is charged each time that control
// reaches its beginning. No instruction runs that has not been paid for: what a
// region has behind a nested block is reached at most once for each time that
// its beginning was. A guest that traps or exits has paid for the regions it was
// in as a whole.
//
// To charge is to take the amount off FuelGlobal, and to trap when it is negative
// then. An allowance of exactly what a run costs is enough.
//
// # Call depth
//
// StackGlobal begins at StackUnits. A call takes the units of the called
// function off before its first charge of fuel, and traps when it is negative
// then; return, a branch to the body's label, the body's end and a tail call (before
// the callee takes its own) give them back. A function takes
//
//	4 + parameters + locals + the largest number of operands
//
// that is on its operand stack behind any of its instructions, or takes nothing
// if it has no instruction that calls and this sum is at most 256: one such frame
// is the most there can be. Behind br, br_table, return, unreachable and tail calls,
// up to the else or end that follows, taking operands away that are not there
// leaves none.
//
// A unit is a value that a compiler may have to keep while a call is on its way.
// An engine must give a guest 16 bytes of stack for each: 4 MiB for StackUnits,
// on top of what it needs for itself. docs/limits.md has what engines take.
package meter

// The names of what Rewrite adds to a module's exports. A module that has an
// export beginning with "plasm:" is refused.
const (
	reserved = "plasm:"

	FuelGlobal  = reserved + "fuel"  // mutable i64: what is left; 0 until it is set
	StackGlobal = reserved + "stack" // mutable i32: units left
	StartExport = reserved + "start" // the start function, where there is one
)

// StackUnits is how many units of stack a guest has.
const StackUnits = 1 << 18

const (
	frameBase = 4   // units of a function that has nothing
	leafUnits = 256 // most that a function which calls nothing has for nothing
)

// What instructions cost.
const (
	costNothing  = 0
	costPlain    = 1
	costSIMD     = 2
	costBrTable  = 2
	costDivision = 5
	costCall     = 5
	costFarCall  = 10
	costBulk     = 10
	costGrow     = 250

	// bytesShift is the logarithm of how many bytes cost 1.
	bytesShift = 4
)
