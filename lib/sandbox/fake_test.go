package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
)

// liar is a worker that keeps to the protocol as far as its mode says.
type liar struct {
	out     *os.File
	frames  *wire.Writer
	control *wire.Reader
	task    wire.Assignment
	module  []byte // what it was given
	code    *os.File
	lies    bool   // when it compiles, too
	tally   string // the file with a byte for each worker
	version string // of plasm, that it says it is of
}

// fake is such a worker's whole life. A mode is a list of steps, separated by
// spaces, that it takes one after the other; then it exits with 0. The step «:»
// followed by text sends the rest of the mode as it is, unquoted, but for «;hang»
// at its end.
func fake(mode string) int {
	out := os.NewFile(4, "frames")
	l := &liar{
		out: out, frames: wire.NewWriter(out), control: wire.NewReader(os.NewFile(3, "control")),
		lies: strings.Contains(mode, "unless-run"),
	}
	for mode != "" {
		var step string
		if strings.HasPrefix(mode, ":") {
			step, mode, _ = strings.Cut(mode, ";")
		} else {
			step, mode, _ = strings.Cut(mode, " ")
		}
		name, value, _ := strings.Cut(step, "=")
		if code := l.step(name, value); code >= 0 {
			return code
		}
	}
	return 0
}

// step takes one step. It returns the exit code, or -1 to go on.
func (l *liar) step(name, value string) int {
	switch name {
	case "exit":
		code, _ := strconv.Atoi(value)
		return code
	case "hang":
		for {
			<-time.After(time.Hour) // a timer, as a program without one that waits is dead to Go
		}
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "say":
		_, _ = fmt.Fprintln(os.Stderr, strings.ReplaceAll(value, "_", " "))
	case "flood":
		for range 1 << 10 {
			_, _ = os.Stderr.WriteString(strings.Repeat("x", 10<<10))
		}
	case "tally", "killed": // a byte for each worker; the first so many of them die, or are killed
		file, most, _ := strings.Cut(value, ",")
		l.tally = file
		f, _ := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		_, _ = f.WriteString("x")
		info, _ := f.Stat()
		switch n, _ := strconv.Atoi(most); {
		case info.Size() > int64(n):
		case name == "killed":
			return l.step("kill", "")
		default:
			return 1
		}
	case "pid":
		_ = os.WriteFile(value, []byte(strconv.Itoa(os.Getpid())), 0o600)
	case "ready":
		l.talk(name, value)
		if l.task.Task == wire.Compile && !l.lies {
			for _, step := range []string{"module", "code-good", "loaded"} {
				l.talk(step, "")
			}
			return 0
		}
	case "unless-run": // what follows is for a compiling worker: to run, be a good one
		if l.task.Task == wire.Run {
			return l.good()
		}
	case "unless-compile": // what follows is for a worker that runs
		if l.task.Task == wire.Compile {
			return 0
		}
	case "child", "orphan":
		l.child(name == "orphan")
	default:
		if strings.HasPrefix(name, ":") {
			name, value = name[:1], name[1:]+"="+value
			value = strings.TrimSuffix(value, "=")
		}
		l.talk(name, value)
	}
	return -1
}

// good runs a guest that exits with 0.
func (l *liar) good() int {
	for _, step := range []string{"module", "loaded", "started", "ended"} {
		l.talk(step, "")
	}
	return 0
}

// talk takes a step that sends or reads frames.
func (l *liar) talk(name, value string) {
	tell := func(kind wire.Kind, v any) {
		payload, _ := json.Marshal(v)
		_ = l.frames.Frame(kind, payload)
	}
	switch name {
	case ":": // bytes
		text, _ := strconv.Unquote(`"` + value + `"`)
		_, _ = l.out.WriteString(text)
	case "ready":
		l.assigned()
		tell(wire.Ready, wire.Readiness{
			Version: l.version, Guards: strings.Split(value, ","),
			EngineVersion: fakeEngine.Version,
		})
	case "version":
		l.version = value
	case "module":
		for {
			kind, _, err := l.control.Next()
			if err != nil || kind == wire.Load {
				return
			}
			piece, _ := l.control.Payload()
			l.module = append(l.module, piece...)
		}
	case "tell-module": // its digest, as output
		_ = l.frames.Frame(wire.Stdout, []byte(job.Sum(l.module)))
	case "prepared": // so many bytes
		n, _ := strconv.Atoi(value)
		_ = l.frames.Stream(wire.Prepared, make([]byte, n))
	case "stale-until": // as often; the tally has a byte for each worker
		most, _ := strconv.Atoi(value)
		if info, err := os.Stat(l.tally); err == nil && info.Size() <= int64(most) {
			tell(wire.Failed, wire.Failure{Code: wire.StaleCode, Message: "of no use"})
		}
	case "failed":
		code, message, _ := strings.Cut(value, ",")
		tell(wire.Failed, wire.Failure{Code: code, Message: message, Hint: "a hint"})
	case "loaded":
		_ = l.frames.Frame(wire.Loaded, nil)
	case "started":
		_ = l.frames.Frame(wire.Started, nil)
	case "out":
		_ = l.frames.Frame(wire.Stdout, []byte(value))
	case "ended":
		code, _ := strconv.Atoi(value)
		tell(wire.Ended, wire.End{Status: "exit", ExitCode: uint32(code)})
	case "end": // status,trap
		status, trap, _ := strings.Cut(value, ",")
		tell(wire.Ended, wire.End{Status: status, Trap: trap})
	case "traps": // in so many functions of that name
		name, n, _ := strings.Cut(value, ",")
		times, _ := strconv.Atoi(n)
		tell(wire.Ended, wire.End{Status: "trap", Trap: "unreachable", Trace: slices.Repeat([]string{name}, times)})
	case "exits": // in a function
		tell(wire.Ended, wire.End{Status: "exit", Trace: []string{value}})
	default:
		l.compiled(name)
	}
}

// assigned reads the assignment, and takes the descriptor that came before it.
func (l *liar) assigned() {
	_, _, _ = l.control.Next()
	payload, _ := l.control.Payload()
	_ = json.Unmarshal(payload, &l.task)
	if !l.task.Code {
		return
	}
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(wire.Descriptor, make([]byte, 1), rights, 0)
	if err != nil {
		panic(err)
	}
	messages, _ := unix.ParseSocketControlMessage(rights[:n])
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		panic(err)
	}
	l.code = os.NewFile(uintptr(fds[0]), "code")
}

// compiled writes machine code, or what the supervisor must refuse.
func (l *liar) compiled(name string) {
	switch name {
	case "code-good":
		_, _ = l.code.WriteString("compiled")
	case "code-nothing":
	case "code-huge":
		_ = l.code.Truncate(wire.MaxCode + 1)
	case "code-mapped": // to write, for longer than the worker lives
		_, _ = l.code.WriteString("compiled")
		if _, err := unix.Mmap(int(l.code.Fd()), 0, 8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
			panic(err)
		}
		if err := l.code.Close(); err != nil { // the mapping stays
			panic(err)
		}
	case "tell-code": // that is handed to a worker that runs, as output
		data, _ := io.ReadAll(l.code)
		_, err := l.code.WriteString("x")
		_ = l.frames.Frame(wire.Stdout, fmt.Appendf(nil, "%s, writing %v", data, err != nil))
	default:
		panic("a fake worker knows no step " + name)
	}
}

// child starts a process that has all the worker's pipes and outlives it, as an
// orphan in a session of its own.
func (l *liar) child(orphan bool) {
	c := exec.Command("/bin/sleep", "3600")
	c.Stderr, c.ExtraFiles = os.Stderr, []*os.File{l.out, l.out}
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: orphan}
	if err := c.Start(); err != nil {
		panic(err)
	}
	_ = l.frames.Frame(wire.Stdout, []byte(strconv.Itoa(c.Process.Pid)))
}
