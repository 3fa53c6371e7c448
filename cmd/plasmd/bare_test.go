package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"plasm/lib/sandbox/wire"
	"plasm/test/bin"
)

// bareArgument has the test program be a worker that has one engine and no guard but
// its process, and says of any module that it exited with 42.
const bareArgument = "bare-worker"

// bareScript writes the command that is such a worker.
func bareScript(dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return bin.Script(filepath.Join(dir, "bare"), fmt.Sprintf("exec %q %s \"$@\"\n", self, bareArgument))
}

// bareWorker is that worker's whole life, from its arguments to its exit code.
func bareWorker(args []string) int {
	if len(args) > 0 && args[0] == "--engine-info" {
		_, _ = fmt.Fprintln(os.Stdout, `{"version":"dev","engines":[{"name":"wazero","version":"1","features":[]}]}`)
		return 0
	}
	if err := bareJob(wire.NewReader(os.NewFile(3, "control")), wire.NewWriter(os.NewFile(4, "frames"))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func bareJob(control *wire.Reader, frames *wire.Writer) error {
	if _, _, err := control.Next(); err != nil {
		return err
	}
	var a wire.Assignment
	payload, err := control.Payload()
	if err == nil {
		err = json.Unmarshal(payload, &a)
	}
	if err == nil {
		err = frames.Frame(wire.Ready, []byte(`{"guards":["process"],"version":"dev","engine_version":"1"}`))
	}
	for kind := wire.Assign; err == nil && kind != wire.Load; {
		if kind, _, err = control.Next(); err == nil {
			_, err = control.Payload()
		}
	}
	if err == nil && a.Task == wire.Compile {
		err = bareCode()
	}
	if err == nil {
		err = frames.Frame(wire.Loaded, nil)
	}
	if err != nil || a.Task == wire.Compile {
		return err
	}
	if err := frames.Frame(wire.Started, nil); err != nil {
		return err
	}
	return frames.Frame(wire.Ended, []byte(`{"status":"exit","exit_code":42}`))
}

// bareCode leaves a byte in the place of machine code.
func bareCode() error {
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(wire.Descriptor, make([]byte, 1), rights, 0)
	if err != nil {
		return err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil {
		return err
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return err
	}
	_, err = os.NewFile(uintptr(fds[0]), "code").WriteString("x")
	return err
}
