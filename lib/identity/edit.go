package identity

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"plasm/lib/custody"
	"plasm/lib/job"
)

// ListEdit is a change to a list of peers.
type ListEdit struct {
	Kind   ListKind
	Add    []string // PEERID[=NAME], in a trust file ADDR=NAME too, or "any"; put at the end, or changed where they are
	Remove []string // PEERID, NAME or "any"; their lines go, with the comments on these lines
}

// Apply returns data, of which every line stays as it is that the edit does not
// concern. changed are those of Add and Remove that changed something. name is the
// list's, for messages. Errors are of job.CodeUsage: words that name no peer, and a list
// that ParseList does not read, or would not after the edit.
func (e ListEdit) Apply(data []byte, name string) (edited []byte, changed []string, err error) {
	added := make([]*Peer, 0, len(e.Add))
	for _, word := range e.Add {
		p, err := e.Kind.ParseWord(word)
		if err != nil {
			return nil, nil, err
		}
		added = append(added, p)
	}
	for _, word := range e.Remove {
		if _, notID := ParsePeerID(word); notID != nil && word != anyone && CheckName(word) != nil {
			return nil, nil, e.Kind.wrongWord("%s is neither a peer ID nor a name", job.Quote(word))
		}
	}
	listed, err := ParseList(e.Kind, data, name)
	if err != nil {
		return nil, nil, err
	}
	lines := slices.Collect(strings.Lines(string(data)))
	for _, word := range e.Remove {
		id := listed.find(word)
		left := slices.DeleteFunc(slices.Clone(lines),
			func(line string) bool { return id != "" && firstWord(line) == id })
		if len(left) < len(lines) {
			changed = append(changed, word)
		}
		lines = left
	}
	for i, p := range added {
		var did bool
		if lines, did = p.addTo(lines); did {
			changed = append(changed, e.Add[i])
		}
	}
	edited = []byte(strings.Join(lines, ""))
	_, err = ParseList(e.Kind, edited, name) // a name that another has, or longer than it may be
	return edited, changed, err
}

// find returns the peer ID, or the word "any", that a word to be removed stands for; ""
// where it is a name that nobody has.
func (l *List) find(word string) string {
	for _, p := range l.Peers {
		if p.Name == word {
			return p.ID
		}
	}
	if _, err := ParsePeerID(word); err == nil || word == anyone {
		return word
	}
	return ""
}

// ParseWord reads PEERID[=NAME], in a trust file ADDR=NAME too, or "any", which is a Peer
// with that ID. An error is of job.CodeUsage.
func (k ListKind) ParseWord(word string) (*Peer, error) {
	if word == anyone {
		return &Peer{ID: anyone}, nil
	}
	who, name, named := word, "", false
	if i := strings.LastIndexByte(word, '='); i >= 0 {
		who, name, named = word[:i], word[i+1:], true
	}
	words := []string{who}
	if k == TrustFile && strings.HasPrefix(who, "/") {
		_, id := path.Split(who)
		words = []string{id, name, who}
		if !named {
			return nil, k.wrongWord("an address needs a name: %s=NAME", who)
		}
	} else if named {
		words = append(words, name)
	}
	p, err := k.parsePeer(words)
	if err != nil {
		return nil, k.wrongWord("%v", err)
	}
	return p, nil
}

func (k ListKind) wrongWord(format string, args ...any) error {
	hint := "name peer IDs (12D3KooW…), with a name if you like (12D3KooW…=NAME), or any for everybody"
	return &job.Error{Code: job.CodeUsage, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// addTo adds a peer to the lines of a list, and reports whether they are changed by that.
func (p *Peer) addTo(lines []string) ([]string, bool) {
	for i, line := range lines {
		words, comment := splitLine(strings.TrimRight(line, "\n"))
		if len(words) == 0 || words[0] != p.ID {
			continue
		}
		wanted := []string{p.ID}
		if p.Name != "" || len(words) > 1 {
			wanted = append(wanted, cmp.Or(p.Name, strings.Join(words[1:min(len(words), 2)], "")))
		}
		for _, addr := range slices.Concat(words[min(len(words), 2):], p.Addrs) {
			if !slices.Contains(wanted, addr) {
				wanted = append(wanted, addr)
			}
		}
		if slices.Equal(words, wanted) {
			return lines, false
		}
		if comment != "" {
			wanted = append(wanted, comment)
		}
		lines[i] = strings.Join(wanted, " ") + "\n"
		return lines, true
	}
	if last := len(lines) - 1; last >= 0 && !strings.HasSuffix(lines[last], "\n") {
		lines[last] += "\n"
	}
	return append(lines, p.String()+"\n"), true
}

// String returns the line that lists the peer, without its end.
func (p *Peer) String() string {
	words := []string{p.ID}
	if p.Name != "" {
		words = append(words, p.Name)
	}
	return strings.Join(append(words, p.Addrs...), " ")
}

// firstWord returns the peer ID of a line, the word "any", or "".
func firstWord(line string) string {
	words, _ := splitLine(strings.TrimRight(line, "\n"))
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// EditList applies an edit to a list, whose path is absolute; where there is
// none it is made, with the mode 0644. The file is replaced in one step, with its
// owner and mode as they were (a new one gets its folder's owner), and what a symbolic
// link leads to in the link's place. Nobody else's edit at the same time is lost.
// changed is as Apply's; where it is empty the file is not written. An error is a
// *job.Error. Root edits nothing in a folder that is in another user's hands: it is
// for the caller to become that user first (custody.Become).
func EditList(file string, e ListEdit) (changed []string, err error) {
	changed, err = editList(file, e)
	if _, told := errors.AsType[*job.Error](err); err != nil && !told {
		err = &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("%s cannot be edited: %s: %v", e.Kind, file,
			cause(err)), Err: err}
	}
	return changed, err
}

func editList(file string, e ListEdit) ([]string, error) {
	dir, name, err := custody.Find(os.Geteuid(), file)
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
	data, like, err := readList(dir, name, lock)
	if err != nil {
		return nil, err
	}
	edited, changed, err := e.Apply(data, file)
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

// readList returns what is in a list, and what the file that replaces it
// is to be like.
func readList(dir *custody.Folder, name string, opened *os.File) ([]byte, newFile, error) {
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
	temp := ".peers-" + job.NewID()
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
