//go:build unix

package worker

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"plasm/lib/sandbox/wire"
)

// receive takes the descriptors that the supervisor has sent, as many as are expected,
// and closes the socket that they came on.
func receive(expected int) ([]*os.File, error) {
	defer func() { _ = unix.Close(wire.Descriptor) }()
	var files []*os.File
	for range expected {
		f, err := receiveFrom(wire.Descriptor)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// receiveFrom takes one descriptor from a socket.
func receiveFrom(socket int) (*os.File, error) {
	rights := make([]byte, unix.CmsgSpace(4)) // room for one
	var n int
	for {
		var err error
		_, n, _, _, err = unix.Recvmsg(socket, make([]byte, 1), rights, 0)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EINTR) {
			return nil, err
		}
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil {
		return nil, err
	}
	for i := range messages {
		if fds, err := unix.ParseUnixRights(&messages[i]); err == nil && len(fds) == 1 {
			unix.CloseOnExec(fds[0])
			return os.NewFile(uintptr(fds[0]), "handed over"), nil
		}
	}
	return nil, errors.New("none came")
}
