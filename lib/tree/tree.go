// Package tree holds folders as documents.
//
// # Trees
//
// A tree says what is in a folder: names, types and the digests of contents, and neither
// times, owners nor modes. Its document is named by the digest of its bytes, so a folder
// has one document and no other: it is in the JSON profile of package job, and canonical.
//
//	{"version":"1","entries":[
//	{"path":"a","type":"dir"},
//	{"path":"a/b","type":"file","size":3,"digest":"sha256:…","executable":true},
//	{"path":"l","type":"link","target":"a/b"}]}
//
// without the line breaks: members in this order, no white space, executable only when it
// is true. In strings only the quote, the backslash and the bytes below 0x20 are escaped,
// as \b \t \n \f \r or \u00xx in lower case.
//
// Paths are relative to the folder, which has no entry itself, separated by slashes, and
// strictly ascending by bytes; every parent has an entry and is a dir. A path has at most
// MaxPath bytes and each part of it MaxPart, in UTF-8 without NUL; no part is empty, "."
// or "..", and nothing is normalised or folded. A link's target has 1 to MaxPath bytes of
// UTF-8 without NUL and isn't absolute; ".." stands only at its beginning, at most as
// often as the link has parents, so no link leads out of its tree. There are at most
// MaxEntries entries in at most MaxDocument bytes.
//
// # Packs
//
// A pack is one file with the trees of a job and the contents of their files: see Packer.
//
// # Lists
//
// A list is what a worker says is in a folder that its program could write: see ReadList.
package tree

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode/utf8"

	"plasm/lib/job"
)

// Version is the only version of trees.
const Version = "1"

// Maxima of a tree.
const (
	MaxEntries  = job.MaxEntries
	MaxDocument = job.MaxTree // bytes of the document
	MaxPath     = 4096        // bytes of a path, and of a link's target
	MaxPart     = 255         // bytes of a part of a path
)

// Type is what an entry is.
type Type string

// The types, a closed set.
const (
	Dir  Type = "dir"
	File Type = "file"
	Link Type = "link" // a symbolic link
)

// Entry is one name in a tree.
type Entry struct {
	Path       string // relative to the tree, separated by slashes
	Type       Type
	Size       int64      // of a File: bytes, 0 to job.MaxSafeInt
	Digest     job.Digest // of a File: of its content
	Executable bool       // of a File
	Target     string     // of a Link
}

// Tree is a folder: its entries, strictly ascending by path. A tree that Decode returned,
// or that Validate accepts, keeps every rule of the package comment. A Tree that isn't
// changed may be used by several goroutines.
type Tree struct {
	Entries []Entry
}

// Empty is the digest of the tree without entries.
const Empty = job.EmptyTree

// Digest names t: it is that of its document.
func (t *Tree) Digest() job.Digest {
	sum := sha256.New()
	t.write(func(piece []byte) { sum.Write(piece) })
	return job.DigestOf(sum.Sum(nil))
}

// Files returns how many files t has.
func (t *Tree) Files() int64 {
	var n int64
	for i := range t.Entries {
		if t.Entries[i].Type == File {
			n++
		}
	}
	return n
}

// Bytes returns how many bytes the files of t have together, each name counted. Of a valid
// tree it is at most job.MaxSafeInt.
func (t *Tree) Bytes() int64 {
	var n int64
	for i := range t.Entries {
		n += t.Entries[i].Size // 0 but for files
	}
	return n
}

// Validate checks every rule of the package comment. An error is a *job.FieldError.
func (t *Tree) Validate() error {
	c := newChecker()
	for i := range t.Entries {
		if err := c.add(&t.Entries[i]); err != nil {
			return err
		}
	}
	return nil
}

// checker holds entries, one after the other, to the rules.
type checker struct {
	last  string
	n     int
	bytes int64           // of the document so far
	total int64           // of the files' sizes
	dirs  map[string]bool // by path
}

func newChecker() *checker {
	return &checker{bytes: EmptyDocument, dirs: map[string]bool{}}
}

// add checks the next entry. An error is a *job.FieldError.
func (c *checker) add(e *Entry) error {
	fail := func(name, format string, args ...any) error {
		return &job.FieldError{
			Path:    fmt.Sprintf("tree.entries[%d]%s", c.n, name),
			Problem: fmt.Sprintf(format, args...),
		}
	}
	if problem := PathProblem(e.Path); problem != "" {
		return fail(".path", "%s is not a path in a tree: %s", job.Quote(e.Path), problem)
	}
	switch {
	case c.n == MaxEntries:
		return &job.FieldError{
			Path:    "tree.entries",
			Problem: fmt.Sprintf("more than the %d entries allowed", MaxEntries),
		}
	case c.n > 0 && e.Path == c.last:
		return fail(".path", "%s is there twice", job.Quote(e.Path))
	case c.n > 0 && e.Path < c.last:
		return fail(".path", "%s comes after %s: not in the order of bytes", job.Quote(e.Path), job.Quote(c.last))
	}
	if at := strings.LastIndexByte(e.Path, '/'); at >= 0 && !c.dirs[e.Path[:at]] {
		return fail(".path", "%s has no dir entry for its parent", job.Quote(e.Path))
	}
	if err := checkContent(e, fail); err != nil {
		return err
	}
	if c.total += e.Size; c.total > job.MaxSafeInt { // both are at most 2^53
		return fail(".size", "with it the files have more than %d bytes", int64(job.MaxSafeInt))
	}
	if c.bytes += EntryLen(e); c.bytes > MaxDocument {
		return &job.FieldError{Path: "tree", Problem: fmt.Sprintf("more than the %d bytes allowed", MaxDocument)}
	}
	if e.Type == Dir {
		c.dirs[e.Path] = true
	}
	c.last = e.Path
	c.n++
	return nil
}

// checkContent checks what goes with the type of an entry.
func checkContent(e *Entry, fail func(name, format string, args ...any) error) error {
	switch {
	case e.Type != Dir && e.Type != File && e.Type != Link:
		return fail(".type", "%s is not one of dir, file, link", job.Quote(string(e.Type)))
	case e.Type != File && (e.Size != 0 || e.Digest != "" || e.Executable):
		return fail("", "a %s has no content", e.Type)
	case e.Type != Link && e.Target != "":
		return fail(".target", "a %s has none", e.Type)
	case e.Type == File && (e.Size < 0 || e.Size > job.MaxSafeInt):
		return fail(".size", "%d is not in 0…%d", e.Size, int64(job.MaxSafeInt))
	case e.Type == File && !e.Digest.Valid():
		return fail(".digest", "%s is not sha256: and 64 lower-case hex digits", job.Quote(string(e.Digest)))
	case e.Type == Link:
		if problem := TargetProblem(e.Path, e.Target); problem != "" {
			return fail(".target", "%s is not a target in a tree: %s", job.Quote(e.Target), problem)
		}
	}
	return nil
}

// PathProblem says why path can't be that of an entry, in a few words, or "".
func PathProblem(path string) string {
	if len(path) > MaxPath {
		return fmt.Sprintf("longer than %d bytes", MaxPath)
	}
	for part := range strings.SplitSeq(path, "/") {
		if problem := PartProblem(part); problem != "" {
			return problem
		}
	}
	return ""
}

// PartProblem says why part can't be a part of an entry's path, in a few words, or "".
func PartProblem(part string) string {
	switch {
	case part == "", part == ".", part == "..":
		return "a part that is empty, . or .."
	case len(part) > MaxPart:
		return fmt.Sprintf("a part longer than %d bytes", MaxPart)
	case strings.IndexByte(part, '/') >= 0: // only where somebody asks about a single name
		return "a part with a slash"
	}
	return textProblem(part)
}

// TargetProblem says why target can't be that of a link at path, in a few words, or "".
func TargetProblem(path, target string) string {
	switch {
	case target == "":
		return "empty"
	case len(target) > MaxPath:
		return fmt.Sprintf("longer than %d bytes", MaxPath)
	case target[0] == '/':
		return "absolute"
	}
	up, names := 0, false
	for part := range strings.SplitSeq(target, "/") {
		switch {
		case part != "..":
			names = true
		case names:
			return ".. after its beginning"
		default:
			up++
		}
	}
	if up > strings.Count(path, "/") {
		return "it leads out"
	}
	return textProblem(target)
}

func textProblem(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "not UTF-8"
	case strings.IndexByte(s, 0) >= 0:
		return "it has NUL"
	}
	return ""
}
