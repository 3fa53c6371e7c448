package wasi

// The file system that a program sees is made of Nodes: open files and folders.
// Everything that has to do with paths (their elements, "..", symbolic links, trailing
// slashes) is this package's, once for all file systems (see walk.go), and so are
// descriptors, offsets, rights and flags: a file system deals with one name in one open
// folder at a time.
//
// All methods are called by one goroutine, the guest's. They return 0 for success. Names
// are what NameErrno passes: 1 to 255 bytes, without "/" and NUL, neither "." nor "..".
// No method follows a symbolic link.

// Node is an open file or folder: a File or a Dir. It stays what it is when its name is
// changed or removed.
type Node interface {
	// Stat describes the node.
	Stat() (Stat, Errno)
	// SetTimes sets the node's times. Errors: EROFS, EACCES, EPERM.
	SetTimes(t Times) Errno
	// Sync makes what was written durable: content and what it takes to find it, and
	// without dataOnly also the rest of Stat. A file system without a disk returns 0.
	Sync(dataOnly bool) Errno
	// Close lets go of the node. It is called once, and nothing after it.
	Close() Errno
}

// File is an open regular file.
type File interface {
	Node

	// ReadAt reads up to len(p) bytes from off, which is not negative. It returns 0 and no
	// error at the end only; fewer than len(p) before that only where a live folder's
	// system has it so (FUSE, or 2 GiB at once). EBADF: the file was not opened with Read.
	ReadAt(p []byte, off int64) (int, Errno)
	// WriteAt writes p at off, which is not negative; what lies between the file's end
	// and off reads as zeros. It returns fewer than len(p) only with an error, of which a
	// caller tells the program only when n is 0. EBADF: the file was not opened with
	// Write. ENOSPC, EFBIG, EDQUOT: there is no room.
	WriteAt(p []byte, off int64) (n int, errno Errno)
	// Append writes p at the file's end, and returns where the end is then.
	Append(p []byte) (n int, end int64, errno Errno)
	// SetSize cuts the file, or extends it with zeros. size is not negative. EINVAL: the
	// file was not opened with Write. EFBIG, ENOSPC as with WriteAt.
	SetSize(size int64) Errno
}

// Dir is an open folder.
type Dir interface {
	Node

	// Reopen opens the same folder again, with a life of its own.
	Reopen() (Dir, Errno)
	// Open opens name as o says. Errors:
	//
	//	ENOENT   there is no such name, and o has no Create
	//	EEXIST   o has Create and Exclusive, and there is, be it a symbolic link
	//	ELOOP    it is a symbolic link
	//	ENOTDIR  o has Directory, and it is neither a folder nor a symbolic link
	//	EISDIR   o has Write, Create or Truncate, and it is a folder
	//	EPERM    it is neither file nor folder, or one that no program may have
	//	EROFS    o has Write, Create or Truncate, and the file system is read-only
	//	EACCES, ENAMETOOLONG, EMFILE, ENOSPC, EDQUOT
	Open(name string, o OpenOptions) (Node, Errno)
	// Lstat describes name, be it a symbolic link. ENOENT: there is none.
	Lstat(name string) (Stat, Errno)
	// Readlink returns where the symbolic link name points. EINVAL: it is something else.
	// EPERM: it is absolute, and would tell the host's paths.
	Readlink(name string) (string, Errno)
	// List returns the folder's entries but "." and "..", sorted by the bytes of their
	// names.
	List() ([]Entry, Errno)

	// Mkdir makes the folder name. EEXIST: the name is there.
	Mkdir(name string) Errno
	// Symlink makes a symbolic link: target has 1 to MaxPath bytes without NUL, and is
	// not absolute. EEXIST: the name is there.
	Symlink(target, name string) Errno
	// Link gives the file or symbolic link name another name in another folder. EEXIST:
	// the new name is there. EPERM: name is a folder. EXDEV: to is of another file system.
	Link(name string, to Dir, newName string) Errno
	// Rename is rename(2): what has the new name is replaced at once. ENOENT, EXDEV,
	// ENOTDIR (a folder over something else), EISDIR (something else over a folder),
	// ENOTEMPTY, EINVAL (a folder into itself), EBUSY (a folder that is mounted).
	Rename(name string, to Dir, newName string) Errno
	// Unlink removes a name that is no folder. EISDIR: it is one.
	Unlink(name string) Errno
	// Rmdir removes an empty folder. ENOTDIR, ENOTEMPTY, EBUSY.
	Rmdir(name string) Errno
	// SetTimesOf sets the times of name, be it a symbolic link.
	SetTimesOf(name string, t Times) Errno
}

// OpenOptions say how Dir.Open opens. The zero value opens a file or folder that is there,
// for neither reading nor writing.
type OpenOptions struct {
	Read, Write bool // what the file can be used for; a folder can always be listed

	Create    bool // make a file where there is none
	Exclusive bool // with Create: fail where there is one
	Truncate  bool // empty the file, whether or not with Write
	Directory bool // fail where it is not a folder; not with Create
}

// changes reports whether opening so may change something, or is for it.
func (o OpenOptions) changes() bool { return o.Write || o.Create || o.Truncate }

// FileType is the type of a file (witx: filetype).
type FileType uint8

// File types. The rest of witx's are never met.
const (
	TypeUnknown   FileType = 0 // streams, and files that can't be opened such as FIFOs
	TypeDirectory FileType = 3
	TypeRegular   FileType = 4
	TypeSymlink   FileType = 7
)

// Stat describes a file or folder. Times are in nanoseconds since 1970.
type Stat struct {
	Device, Inode       uint64 // together the same for the same file, and for no other
	Type                FileType
	Links               uint64
	Size                uint64 // bytes; of a symbolic link, its target's length
	Atime, Mtime, Ctime int64  // of access, of the content's change, of the change of any of this
}

// Entry is one name in a folder. Type and Inode are as Lstat would give them.
type Entry struct {
	Name  string
	Type  FileType
	Inode uint64
}

// Times are what SetTimes sets. The zero value sets nothing.
type Times struct{ Atime, Mtime SetTime }

// SetTime is what to do with one time.
type SetTime struct {
	Set bool
	Now bool  // with Set: to the present, by the file system's clock; At does not count
	At  int64 // with Set: nanoseconds since 1970
}

// MaxName and MaxPath are the lengths of the longest name of a file, and of the longest
// path and target of a symbolic link, in bytes.
const (
	MaxName = 255
	MaxPath = 4095
)
