package identity

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"plasm/lib/custody"
	"plasm/lib/job"
)

// AllowEdit is a change to a list of peers: an allow file, or a trust file, which
// has the same form. Each name is a peer ID or the word "any".
type AllowEdit struct {
	Add    []string // put at the end, unless they are there
	Remove []string // their lines go, with the comments on these lines
}

// Apply returns data, of which every line stays as it is that the edit does not
// concern. changed are the names that were added or removed. name is the list's,
// for messages. Errors are of job.CodeUsage: names that are none, and a list that
// ParseTrust does not read.
func (e AllowEdit) Apply(data []byte, name string) (edited []byte, changed []string, err error) {
	for _, word := range slices.Concat(e.Add, e.Remove) {
		if err := checkAllow(word); err != nil {
			return nil, nil, err
		}
	}
	if _, err := ParseTrust(data, name); err != nil {
		return nil, nil, err
	}
	var out bytes.Buffer
	there := map[string]bool{}
	for line := range bytes.Lines(data) {
		word := firstWord(strings.TrimSuffix(string(line), "\n"))
		if word != "" && slices.Contains(e.Remove, word) {
			if !slices.Contains(changed, word) {
				changed = append(changed, word)
			}
			continue
		}
		there[word] = true
		out.Write(line)
	}
	if out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte("\n")) && len(e.Add) > 0 {
		out.WriteByte('\n')
	}
	for _, word := range e.Add {
		if !there[word] {
			there[word] = true
			changed = append(changed, word)
			out.WriteString(word + "\n")
		}
	}
	if _, err := ParseTrust(out.Bytes(), name); err != nil { // longer than it may be
		return nil, nil, err
	}
	return out.Bytes(), changed, nil
}

// checkAllow refuses what is neither a peer ID nor the word "any".
func checkAllow(word string) error {
	if word == "any" {
		return nil
	}
	if _, err := ParsePeerID(word); err != nil {
		return &job.Error{Code: job.CodeUsage, Message: err.Error(), Hint: "name peer IDs (12D3KooW…), or any for everybody"}
	}
	return nil
}

// EditAllowFile applies an edit to the file path, which is absolute; where there is
// none it is made, with the mode 0644. The file is replaced in one step, with its
// owner and mode as they were (a new one gets its folder's owner), and what a symbolic
// link leads to in the link's place. Nobody else's edit at the same time is lost.
// changed is as Apply's; where it is empty the file is not written. An error is a
// *job.Error. Root edits nothing in a folder that is in another user's hands: it is
// for the caller to become that user first (custody.Become).
func EditAllowFile(path string, e AllowEdit) (changed []string, err error) {
	changed, err = editAllowFile(path, e)
	if _, told := errors.AsType[*job.Error](err); err != nil && !told {
		err = &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("allow file cannot be edited: %s: %v", path, cause(err)), Err: err}
	}
	return changed, err
}

func editAllowFile(path string, e AllowEdit) ([]string, error) {
	dir, name, err := custody.Find(os.Geteuid(), path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if os.Geteuid() == 0 && dir.Other != custody.Nobody {
		return nil, fmt.Errorf("it is in the hands of %s", custody.Name(dir.Other))
	}
	lock, err := dir.File()
	if err != nil {
		return nil, err
	}
	defer func() { _ = lock.Close() }() // and with it the lock
	if err := lockFolder(lock); err != nil {
		return nil, err
	}
	data, like, err := readAllow(dir, name, lock)
	if err != nil {
		return nil, err
	}
	edited, changed, err := e.Apply(data, path)
	if err != nil || len(changed) == 0 {
		return nil, err
	}
	if err := replace(dir, name, edited, like); err != nil {
		return nil, err
	}
	return changed, lock.Sync()
}

// lockFolder waits until no other edit is under way in a folder.
func lockFolder(dir *os.File) error {
	for {
		if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// readAllow returns what is in an allow file, and what the file that replaces it
// is to be like.
func readAllow(dir *custody.Folder, name string, opened *os.File) ([]byte, newFile, error) {
	like := newFile{mode: 0o644, uid: -1, gid: -1}
	f, err := dir.OpenFile(name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		info, err := opened.Stat()
		if err == nil {
			like.ownedAs(info)
		}
		return nil, like, err
	}
	if err != nil {
		return nil, like, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, like, err
	}
	like.mode = info.Mode().Perm()
	like.ownedAs(info)
	data, err := readSmall(f)
	return data, like, err
}

// newFile is what a file is to be like.
type newFile struct {
	mode     fs.FileMode
	uid, gid int
}

// ownedAs gives a file the owner of another.
func (n *newFile) ownedAs(info fs.FileInfo) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		n.uid, n.gid = int(st.Uid), int(st.Gid)
	}
}

// replace puts a whole file into the place of a name.
func replace(dir *custody.Folder, name string, data []byte, like newFile) error {
	temp := ".allow-" + job.NewID()
	f, err := dir.Create(temp)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if os.Geteuid() == 0 { // nobody else can give a file away
		err = errors.Join(err, f.Chown(like.uid, like.gid))
	}
	err = errors.Join(err, f.Chmod(like.mode), f.Sync(), f.Close())
	if err == nil {
		err = dir.Rename(temp, name)
	}
	if err != nil {
		_ = dir.Remove(temp) // the other error is the one to tell
	}
	return err
}
