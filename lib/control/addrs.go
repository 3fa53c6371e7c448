package control

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"plasm/lib/custody"
	"plasm/lib/job"
	"plasm/lib/replace"
)

// Limits of an addrs file, in bytes.
const (
	maxAddrs = 64 << 10
	maxAddr  = 1 << 10
)

// WriteAddrs puts a node's addresses into its runtime folder, for everybody to
// read; each must be a line of an addrs file.
func (f *Folders) WriteAddrs(addrs []string) error {
	var data bytes.Buffer
	for _, addr := range addrs {
		data.WriteString(addr + "\n")
	}
	if _, err := parseAddrs(data.Bytes()); err != nil {
		return fileError("addresses cannot be written", filepath.Join(f.Runtime, addrsName), err, "")
	}
	if err := replace.File(filepath.Join(f.Runtime, addrsName), addrsMode, data.Bytes()); err != nil {
		return fileError("addresses cannot be written", filepath.Join(f.Runtime, addrsName), err, roleRuntime)
	}
	return nil
}

// RemoveAddrs removes the addresses from the runtime folder, if there are any.
func (f *Folders) RemoveAddrs() error {
	path := filepath.Join(f.Runtime, addrsName)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileError("old addresses cannot be removed", path, err, "")
	}
	return nil
}

// LocalAddrs returns the addresses that nodes on this machine have left in the
// runtime folders where u would look for them. A folder without addresses, or one
// that u may not look into, is passed over; addresses that cannot be believed or
// read are passed over too, with an error each.
func (u User) LocalAddrs() ([]string, []error) {
	var addrs []string
	var refused []error
	for _, dir := range u.RuntimeDirs() {
		some, err := u.ReadAddrs(dir)
		switch {
		case err == nil:
			addrs = append(addrs, some...)
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission):
			refused = append(refused, err)
		}
	}
	return addrs, refused
}

// ReadAddrs returns the addresses in the runtime folder dir, which is absolute.
// They are believed when the file belongs to root, to u or to the folder's
// service user, nobody else may write to it, and no folder on the way there lets
// another user replace it (package custody). That there is no file is an error that wraps fs.ErrNotExist.
// Whether the addresses make sense is for the network to say.
func (u User) ReadAddrs(dir string) ([]string, error) {
	path := filepath.Join(dir, addrsName)
	data, err := u.readBelieved(dir)
	if err == nil {
		var addrs []string
		if addrs, err = parseAddrs(data); err == nil {
			return addrs, nil
		}
	}
	return nil,
		&job.Error{Code: job.CodeIO, Message: fmt.Sprintf("addresses of a local node are not believed: %s: %v", path,
			cause(err)), Err: err}
}

// readBelieved reads the addrs file in dir, if it is to be believed.
func (u User) readBelieved(dir string) ([]byte, error) {
	f, err := custody.Open(u.UID, dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadFile(addrsName, maxAddrs)
}

// parseAddrs reads an addrs file.
func parseAddrs(data []byte) ([]string, error) {
	if len(data) > maxAddrs {
		return nil, fmt.Errorf("it is longer than %d bytes", maxAddrs)
	}
	var addrs []string
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		addr := strings.TrimSuffix(line, "\n")
		if len(addr) < 2 || len(addr) > maxAddr || addr[0] != '/' || strings.ContainsFunc(addr, unprintable) {
			return nil, fmt.Errorf("line %d is not a multiaddress", n) // and what else it is is not for messages
		}
		addrs = append(addrs, addr)
	}
	return addrs, nil
}

// unprintable reports whether a character is not one of printable ASCII; a space
// is not either.
func unprintable(r rune) bool { return r <= ' ' || r > '~' }
