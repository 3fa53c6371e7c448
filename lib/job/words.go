package job

import "slices"

//go:generate go run plasm/packaging/words ../..

// The tables below have one row a word, with all that is known of it. Decoding, exit codes,
// what a requester does about a rejection, metrics, the enumerations of schemas and of
// the PHP SDK and the tables of the docs come from them; packaging/words writes
// what is not Go, and make docs runs it.

// Word is what all rows have: how a word is spelled, and what it means, in one or
// more sentences of Markdown without a capital at the beginning and a full stop at the end.
type Word struct{ Name, Meaning string }

// Names returns how the words of a table are spelled, in its order.
func Names(table []Word) []string {
	names := make([]string, len(table))
	for i, w := range table {
		names[i] = w.Name
	}
	return names
}

// StatusWord is the row of a Status.
type StatusWord struct {
	Word
	Status Status
	More   string // what the docs say beyond Meaning, "" for nothing
	Exit   int    // the exit code of a command whose job ended so; ExitVaries where that depends
	Exits  string // on what, as the docs have it; "" otherwise
}

// ExitVaries is the exit code of a row whose exit code depends on more than the word.
const ExitVaries = -1

// StatusWords returns the table of statuses, a closed set.
func StatusWords() []StatusWord {
	return fill([]StatusWord{
		{
			Status: Exit, Exit: ExitVaries, Exits: "that, at most 255",
			Word: Word{Meaning: "the program ended by itself, with `exit_code`, 0 to 4294967295"},
		},
		{
			Status: Trap, Exit: 132, Word: Word{Meaning: "it did what WebAssembly forbids"},
			More: "; `trap` says [what](documents.md#traps)",
		},
		{Status: Timeout, Exit: 124, Word: Word{Meaning: "`timeout_ms` passed"}},
		{Status: OutOfFuel, Exit: 137, Word: Word{Meaning: "its fuel was used up"}},
		{
			Status: OutOfMemory, Exit: 137, Word: Word{Meaning: "its process ran into the outer bound of its memory"},
			More: ", through tables or the engine's own needs; a program that wants more than `memory_mb` is told " +
				"so by `memory.grow`, and may go on. Or the kernel killed it, because the machine or its control " +
				"group has no memory left: stderr says so",
		},
		{
			Status: OutputLimit, Exit: 137,
			Word: Word{Meaning: "it wrote more than `output_limit_bytes`; what it wrote is cut to the byte"},
		},
		{
			Status: Cancelled, Exit: ExitVaries, Exits: "128 + n; 125; 141 for a closed pipe",
			Word: Word{Meaning: "a signal ended it, or plasm itself had to"},
			More: ": input is not what was hashed, output cannot be written",
		},
		{
			Status: EngineFailed, Exit: 125,
			Word: Word{Meaning: "the worker process died or broke the protocol, and no limit explains it"},
		},
	}, func(w *StatusWord) { w.Name = string(w.Status) })
}

// CodeWord is the row of a Code.
type CodeWord struct {
	Word
	Code  Code
	More  string // what the docs say beyond Meaning, "" for nothing
	Exit  int    // the exit code of a command that ends so
	Exits string // where it depends on more: how the docs say that; "" otherwise
}

// CodeWords returns the table of the codes of errors, a closed set.
func CodeWords() []CodeWord {
	return fill([]CodeWord{
		{Code: CodeUsage, Exit: 125, Word: Word{Meaning: "wrong use of the command"}},
		{
			Code: CodeUnsupported, Exit: 125,
			Word: Word{Meaning: "asked for what this build, or this machine, cannot do"},
			More: ": an engine that is not here, memory that may not be made executable, a resource limit that is " +
				"too low",
		},
		{Code: CodeNotFound, Exit: 127, Word: Word{Meaning: "a file that is not there"}},
		{
			Code: CodeBadManifest, Exit: 125,
			Word: Word{Meaning: "a manifest, job or result document that breaks a rule"},
		},
		{Code: CodeBadModule, Exit: 126, Word: Word{Meaning: "not a module that can be run"}},
		{
			Code: CodeModuleRefused, Exit: 126, Word: Word{Meaning: "a module beyond a limit"},
			More: ": longer than 64 MiB, or with a memory that begins above `memory_mb`",
		},
		{Code: CodeCompileLimit, Exit: 126, Word: Word{Meaning: "compiling took too long (60 s) or too much"}},
		{Code: CodeBadKey, Exit: 125, Word: Word{Meaning: "a key that cannot be read, or that others can"}},
		{
			Code: CodeIO, Exit: 125, Exits: "125; 141 for a closed pipe",
			Word: Word{Meaning: "reading or writing failed"},
		},
		{Code: CodeGuards, Exit: 125, Word: Word{Meaning: "a required guard is not active"}},
		{Code: CodeNoNode, Exit: 127, Word: Word{Meaning: "no node was found that is trusted and fits"}},
		{Code: CodeRefused, Exit: 125, Word: Word{Meaning: "every node that was asked refused"}},
		{Code: CodeDeadline, Exit: 124, Word: Word{Meaning: "the time of the whole command is over"}},
		{
			Code: CodeUnverified, Exit: 125,
			Word: Word{Meaning: "a result came that does not verify, and nobody else could do it"},
		},
		{
			Code: CodeDisagreement, Exit: 125,
			Word: Word{Meaning: "nodes have signed different outcomes of one job, and too few agree"},
			More: "; `nodes` says who said what",
		},
		{
			Code: CodeCancelled, Exit: 125, Exits: "128 + n",
			Word: Word{Meaning: "stopped by a signal before the job started"},
		},
		{
			Code: CodeInternal, Exit: 125,
			Word: Word{Meaning: "a defect of plasm, or something that this machine refused it"},
		},
	}, func(w *CodeWord) { w.Name = string(w.Code) })
}

// Then is what a requester does about a rejection.
type Then string

// What a requester does about a rejection.
const (
	TryOther Then = "the next node"
	TryLater Then = "the same node again, after `retry_after_ms`"
	GiveUp   Then = "give up: no node will take it"
)

// RejectWord is the row of a RejectCode.
type RejectWord struct {
	Word
	Code RejectCode
	Then Then
	As   Code // what a submission fails with that nothing better comes of; "": CodeRefused
	Own  bool // made by the requester: no node says so
}

// RejectWords returns the table of the codes of rejections, a closed set, by what a
// requester does about them.
func RejectWords() []RejectWord {
	return fill([]RejectWord{
		{Code: RejectMemory, Then: TryOther, Word: Word{Meaning: "a job cannot have that much memory there"}},
		{Code: RejectCPUCores, Then: TryOther, Word: Word{Meaning: "it has fewer cores"}},
		{Code: RejectArch, Then: TryOther, Word: Word{Meaning: "its processors are of another family"}},
		{
			Code: RejectEngine, Then: TryOther,
			Word: Word{Meaning: "it does not have the engine, or none that can do what the module needs"},
		},
		{Code: RejectGuards, Then: TryOther, Word: Word{Meaning: "a guard that is required is not active there"}},
		{Code: RejectTimeout, Then: TryOther, Word: Word{Meaning: "a job cannot have that much time there"}},
		{Code: RejectModuleTooLarge, Then: TryOther, Word: Word{Meaning: "the module is larger than it takes"}},
		{Code: RejectInputTooLarge, Then: TryOther, Word: Word{Meaning: "the input is larger than it takes"}},
		{
			Code: RejectOutputTooLarge, Then: TryOther,
			Word: Word{Meaning: "the job may write more than a job can there"},
		},
		{Code: RejectTreeTooLarge, Then: TryOther, Word: Word{Meaning: "the folders are larger than it takes"}},
		{Code: RejectDisk, Then: TryOther, Word: Word{Meaning: "a job cannot write that much to folders there"}},
		{
			Code: RejectNotAllowed, Then: TryOther,
			Word: Word{Meaning: "the node does not admit the requester, or the requester does not trust the node"},
		},
		{
			Code: RejectCompileLimit, Then: TryOther, As: CodeCompileLimit,
			Word: Word{Meaning: "compiling took too long or too much there"},
		},
		{
			Code: RejectRelayLimited, Then: TryOther,
			Word: Word{Meaning: "the relay between the two carries less than the job needs"},
		},
		{
			Code: RejectUnreachable, Then: TryOther, Own: true,
			Word: Word{Meaning: "there is no connection to it; the requester's word, no node's"},
		},
		{
			Code: RejectExpired, Then: TryOther,
			Word: Word{Meaning: "the job was cancelled, or waited for too long, before it started"},
		},
		{Code: RejectInternal, Then: TryOther, Word: Word{Meaning: "the node failed"}},
		{Code: RejectShuttingDown, Then: TryOther, Word: Word{Meaning: "the node is about to end"}},
		{Code: RejectBusy, Then: TryLater, Word: Word{Meaning: "there is no room at the moment"}},
		{Code: RejectRateLimited, Then: TryLater, Word: Word{Meaning: "the requester asks too often"}},
		{Code: RejectBadManifest, Then: GiveUp, As: CodeBadManifest, Word: Word{Meaning: "the manifest breaks a rule"}},
		{
			Code: RejectBadModule, Then: GiveUp, As: CodeBadModule,
			Word: Word{Meaning: "it is not a module that can be run"},
		},
		{
			Code: RejectModuleRefused, Then: GiveUp, As: CodeModuleRefused,
			Word: Word{Meaning: "the module is beyond a limit that is the same everywhere"},
		},
		{Code: RejectHashMismatch, Then: GiveUp, Word: Word{Meaning: "what came is not what was offered"}},
		{Code: RejectConflict, Then: GiveUp, Word: Word{Meaning: "another job of this requester has the same ID"}},
		{
			Code: RejectUnknownJob, Then: GiveUp, As: CodeNotFound,
			Word: Word{Meaning: "the job that is to be attached to is not there"},
		},
	}, (*RejectWord).complete)
}

func (w *RejectWord) complete() {
	w.Name = string(w.Code)
	if w.As == "" {
		w.As = CodeRefused
	}
}

// Row returns the row of c; of a code outside the closed set, that of RejectInternal.
func (c RejectCode) Row() RejectWord {
	table := RejectWords()
	if i := slices.IndexFunc(table, func(w RejectWord) bool { return w.Code == c }); i >= 0 {
		return table[i]
	}
	return RejectInternal.Row()
}

// GuardWords returns the table of what can confine a worker, a closed set, in its order.
// A Meaning says what was tried before the guard is named.
func GuardWords() []Word {
	return []Word{
		{
			"process",
			"nothing: the module runs in a process of its own, which has no key, no environment of the user's, and " +
				"`/` as its folder",
		},
		{
			"rlimits",
			"what must fail: a descriptor beyond the limit of 256; on Linux also memory beyond the bound, and a " +
				"byte into a file for a job that writes none. The limit on core dumps is 0",
		},
		{"nodump", "reading back that nobody but root may attach to the worker or read its memory"},
		{"pdeathsig", "asking the kernel whether it will kill the worker when its supervisor dies, of `kill -9` too"},
		{"nofds", "each descriptor that was not passed on purpose: none may be open"},
		{
			"nnp",
			"reading back that no program started from here could gain rights (`no_new_privs`), with what has set " +
				"it on every thread",
		},
		{"landlock", "opening a folder that could be opened a moment before"},
		{
			"seccomp",
			"a system call that only our filter answers in its way, when the kernel has said that every thread is " +
				"under it",
		},
	}
}

// TrapWords returns the table of traps, a closed set, as the WebAssembly core
// specification names them. They have no Meaning beside their names.
func TrapWords() []Word {
	names := []string{
		TrapUnreachable, TrapStackOverflow, TrapMemory, TrapTable, TrapIndirectCall, TrapNullReference,
		TrapDivideByZero,
		TrapIntegerOverflow, TrapConversion, TrapUncaughtException, TrapUnaligned, TrapOther,
	}
	table := make([]Word, len(names))
	for i, n := range names {
		table[i].Name = n
	}
	return table
}

// EventWord is the row of an event of the log. Meaning says who logs it.
type EventWord struct {
	Word
	Attrs string // what it says beside peer, requester and job, as the docs have it
}

// EventWords returns the table of events, the stable names of what is logged.
func EventWords() []EventWord {
	const node, network, exchange = "the node", "all on the network", "the node; at a requester's without `requester`"
	return []EventWord{
		{Word{"peer.discovered", network}, "`source`"},
		{Word{"peer.connected", network}, "`addr`, `direction`, `relayed`"},
		{Word{"peer.disconnected", network}, "`after`"},
		{Word{"capability.advertised", node}, "`keys`, `peers`, `duration`"},
		{
			Word{"nat.status", node},
			"`reachability`, `relays`, `public_addrs` (those that a router lends it, a mapped port's among them); " +
				"after an attempt to get through a NAT `direct`",
		},
		{Word{"job.offered", exchange}, "`source`, `listed`"},
		{Word{"job.accepted", exchange}, "`attached`, `module`, `stdin`"},
		{Word{"job.rejected", exchange}, "`code`, `reason`"},
		{Word{"job.started", exchange}, "`duration` (the wait)"},
		{
			Word{"job.finished", exchange + "; a job on this machine, too"},
			"`status`, `exit_code` or `trap`, `duration`, `cpu`, `engine`, `stdin_bytes`, " +
				"`stdout_bytes`, `stderr_bytes`, `memory_bytes`",
		},
		{Word{"job.cancelled", exchange}, "`cause`, and as `job.finished`"},
		{Word{"node.address", "an address of the node, when it is ready"}, "`addr`"},
		{Word{"node.ready", node}, "`node`, `slots`"},
		{Word{"allow.reloaded", node}, "`file`, `peers`, `any`"},
		{Word{"metrics.listening", node}, "`addr`"},
		{Word{"node.draining", node}, "`reason`, `uptime`, `running`, `reserved`, `waiting`"},
	}
}

// fill completes each row of a table.
func fill[T any](table []T, complete func(*T)) []T {
	for i := range table {
		complete(&table[i])
	}
	return table
}

// Column returns what each row of a table has in one column.
func Column[T, C any](table []T, of func(T) C) []C {
	list := make([]C, len(table))
	for i, row := range table {
		list[i] = of(row)
	}
	return list
}
