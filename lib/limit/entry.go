//go:build linux && (amd64 || arm64)

//nolint:unused // by Go: the linker begins with entry, in assembly
package limit

import (
	"syscall"
	"unsafe"
)

// entry is where the kernel begins a program that is linked with
// -E plasm/lib/limit.entry: it calls admit, and goes on to the Go runtime's own entry
// with the stack that the kernel made. It stands on memory of its own meanwhile, for
// there may be no stack to be had.
func entry()

// enter is admit, for entry: Go's assembler has no other way to name a Go function
// with the arguments in registers. The other way, through memory, takes the current
// goroutine, which is not there yet.
var enter = admit

// What admit makes is not on the stack, of which it may take little.
var name, said, document words

// admit ends the process where a limit is too low for the Go runtime, as a command
// does later, with the same words: args points to the number of arguments, and the
// arguments. Nothing of the runtime is there: no goroutine, no heap, no stack that grows,
// no word from panic.
func admit(args unsafe.Pointer) {
	argv := arguments{*(*uint64)(args), unsafe.Add(args, 8)}
	l := Start.lacksOwn()
	if l.of == nil && !argv.worker() {
		l = Start.lacksSystem()
	}
	if l.of == nil {
		return
	}
	argv.program(&name)
	program := unsafe.String(&name.text[0], name.n) //nolint:gosec // without memory for a copy
	l.say(&said, program)
	said.write(2)
	if argv.wantJSON(program == "plasmd") {
		l.document(&document, program)
		document.write(1)
	}
	for {
		_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 125, 0, 0)
	}
}

func (w *words) write(fd uintptr) {
	_, _, _ = syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(&w.text)), uintptr(w.n)) //nolint:gosec // the kernel reads the text there
}

// say says what is wrong and what to do, as cli.Fail does.
func (l *lack) say(w *words, program string) {
	w.add(program)
	w.add(": ")
	l.describe(w, program)
	w.add("\n")
	w.add(program)
	w.add(": hint: ")
	l.remedy(w)
	w.add("\n")
}

// document is the error document, as job.EncodeError writes it.
func (l *lack) document(w *words, program string) {
	w.add(`{"error":{"code":"unsupported","message":"`)
	l.describe(w, program)
	w.add(`","hint":"`)
	l.remedy(w)
	w.add("\"}}\n")
}

// arguments are those of a process, as the kernel hands them over.
type arguments struct {
	n    uint64
	argv unsafe.Pointer // to n pointers to texts that end with a NUL
}

func (a *arguments) at(i uint64) string {
	text := *(*unsafe.Pointer)(unsafe.Add(a.argv, i*8))
	n := 0
	for *(*byte)(unsafe.Add(text, n)) != 0 {
		n++
	}
	return unsafe.String((*byte)(text), n) //nolint:gosec // it is the kernel's, and ends with a NUL
}

// worker reports whether it is a worker that is started, whose threads its node counts.
func (a *arguments) worker() bool { return a.n == 2 && a.at(1) == "--worker" }

// program is the base name of the program, as much of it as is the name of a command.
func (a *arguments) program(w *words) {
	if a.n == 0 {
		return
	}
	path := a.at(0)
	for i := range len(path) {
		switch c := path[i]; {
		case c == '/':
			w.n = 0
		case c == '-', '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			if w.n < 64 {
				w.byte(c)
			}
		}
	}
}

// wantJSON reports whether --json is among the flags of a command. Which flags take
// a value is not known here: what follows one without a = is taken for its value, and
// what is no flag and no value ends them. A node's subcommand, its first argument, does not.
func (a *arguments) wantJSON(subcommand bool) bool {
	value := subcommand
	for i := uint64(1); i < a.n; i++ {
		arg := a.at(i)
		switch {
		case arg == "--json" || arg == "--json=true":
			return true
		case arg == "--":
			return false
		case len(arg) > 1 && arg[0] == '-':
			value = arg[1] == '-'
			for j := range len(arg) {
				value = value && arg[j] != '='
			}
		case !value:
			return false
		default:
			value = false
		}
	}
	return false
}
