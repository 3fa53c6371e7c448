package identity

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

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

// EditAllowFile applies an edit to the file path; where there is none it is made,
// with the mode 0644. The file is replaced in one step, with its owner and mode as
// they were (a new one gets its folder's owner), and what a symbolic link leads to
// in the link's place. Nobody else's edit at the same time is lost. changed is as
// Apply's; where it is empty the file is not written. An error is a *job.Error.
func EditAllowFile(path string, e AllowEdit) (changed []string, err error) {
	changed, err = editAllowFile(path, e)
	if _, told := errors.AsType[*job.Error](err); err != nil && !told {
		err = &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("allow file cannot be edited: %s: %v", path, cause(err)), Err: err}
	}
	return changed, err
}

func editAllowFile(path string, e AllowEdit) ([]string, error) {
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		target, err = path, nil
	}
	if err != nil {
		return nil, err
	}
	dir, err := os.Open(filepath.Dir(target))
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }() // and with it the lock
	if err := lockFolder(dir); err != nil {
		return nil, err
	}
	data, info, err := readAllow(target, dir)
	if err != nil {
		return nil, err
	}
	edited, changed, err := e.Apply(data, path)
	if err != nil || len(changed) == 0 {
		return nil, err
	}
	return changed, replace(target, edited, info)
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
func readAllow(path string, dir *os.File) ([]byte, newFile, error) {
	like := newFile{mode: 0o644, uid: -1, gid: -1}
	var data []byte
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		info, err = dir.Stat()
	case err != nil:
	case !info.Mode().IsRegular():
		err = errors.New("not a regular file")
	default:
		like.mode = info.Mode().Perm()
		data, err = ReadFile(path)
	}
	if err != nil {
		return nil, like, err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		like.uid, like.gid = int(st.Uid), int(st.Gid)
	}
	return data, like, nil
}

// newFile is what a file is to be like.
type newFile struct {
	mode     fs.FileMode
	uid, gid int
}

// replace puts a whole file into the place of path.
func replace(path string, data []byte, like newFile) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".allow-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if os.Geteuid() == 0 { // nobody else can give a file away
		err = errors.Join(err, f.Chown(like.uid, like.gid))
	}
	err = errors.Join(err, f.Chmod(like.mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the other error is the one to tell
		return err
	}
	return syncDir(filepath.Dir(path))
}
