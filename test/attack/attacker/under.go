//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"plasm/test/attack"
)

// under runs a command under a filter: the answer to calls that it does not
// name, then those that it does. An answer is "allow" or the number of an error:
//
//	under 1 0=allow,1=allow,435=38 command…
func under(args []string) error {
	if len(args) < 3 {
		return errors.New("under: an answer, a list, a command")
	}
	rest, err := answer(args[0])
	if err != nil {
		return err
	}
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}}
	for pair := range strings.SplitSeq(args[1], ",") {
		number, what, _ := strings.Cut(pair, "=")
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return err
		}
		verdict, err := answer(what)
		if err != nil {
			return err
		}
		program = append(program,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(n), Jf: 1},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: verdict})
	}
	program = append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: rest})
	runtime.LockOSThread() // a filter is its thread's, and goes with it into the command
	if os.Geteuid() != 0 {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
	}
	f := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&f)), 0, 0); err != nil { //nolint:gosec // the kernel reads the program there
		return fmt.Errorf("under: %w", err)
	}
	return unix.Exec(args[2], args[2:], os.Environ())
}

// answer returns what a filter returns for an answer.
func answer(text string) (uint32, error) {
	if text == "allow" {
		return 0x7fff0000, nil
	}
	errno, err := strconv.ParseUint(text, 10, 12)
	return 0x00050000 | uint32(errno), err
}

// reap runs a command, and when it has ended waits for one process that it left
// behind and reports as the status what that one died of.
func reap(command []string, in io.Reader, out io.Writer) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	cmd := exec.CommandContext(context.Background(), command[0], command[1:]...) //nolint:gosec // a command is what it is given
	cmd.Stdin, cmd.Stdout = in, out
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return err
	}
	var status unix.WaitStatus
	for {
		if _, err = unix.Wait4(-1, &status, 0, nil); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("reap: %w", err)
	}
	return json.NewEncoder(out).Encode(attack.Report{Status: fmt.Sprintf("signal %d", status.Signal())})
}
