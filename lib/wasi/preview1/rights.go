package preview1

import "plasm/lib/wasi"

// rights are what a descriptor may be used for (witx: rights).
//
// fd_fdstat_get reports what was asked for when the descriptor was opened, as far as it
// suits what it is. fd_fdstat_set_rights gives rights up, and what is given up is gone:
// also for what is opened through a folder, by its inheriting rights. What was merely not
// asked for is reported as missing, yet only reading and writing a file need it: other
// hosts ask for nothing more, and programs have come to ask for too little.
type rights uint64

// Rights, by their bits.
const (
	rightFdDatasync rights = 1 << iota
	rightFdRead
	rightFdSeek
	rightFdFdstatSetFlags
	rightFdSync
	rightFdTell
	rightFdWrite
	rightFdAdvise
	rightFdAllocate
	rightPathCreateDirectory
	rightPathCreateFile
	rightPathLinkSource
	rightPathLinkTarget
	rightPathOpen
	rightFdReaddir
	rightPathReadlink
	rightPathRenameSource
	rightPathRenameTarget
	rightPathFilestatGet
	rightPathFilestatSetSize
	rightPathFilestatSetTimes
	rightFdFilestatGet
	rightFdFilestatSetSize
	rightFdFilestatSetTimes
	rightPathSymlink
	rightPathRemoveDirectory
	rightPathUnlinkFile
	rightPollFdReadwrite
)

// What suits a stream, a file and a folder.
const (
	streamRights = rightFdFdstatSetFlags | rightFdFilestatGet | rightPollFdReadwrite
	inputRights  = streamRights | rightFdRead
	outputRights = streamRights | rightFdWrite

	fileRights = rightFdDatasync | rightFdRead | rightFdSeek | rightFdFdstatSetFlags | rightFdSync | rightFdTell |
		rightFdWrite | rightFdAdvise | rightFdAllocate | rightFdFilestatGet | rightFdFilestatSetSize |
		rightFdFilestatSetTimes | rightPollFdReadwrite
	dirRights = rightFdDatasync | rightFdFdstatSetFlags | rightFdSync | rightPathCreateDirectory | rightPathCreateFile |
		rightPathLinkSource | rightPathLinkTarget | rightPathOpen | rightFdReaddir | rightPathReadlink |
		rightPathRenameSource | rightPathRenameTarget | rightPathFilestatGet | rightPathFilestatSetSize |
		rightPathFilestatSetTimes | rightFdFilestatGet | rightFdFilestatSetTimes | rightPathSymlink |
		rightPathRemoveDirectory | rightPathUnlinkFile
)

// descriptor is what a number stands for.
type descriptor struct {
	*wasi.Descriptor

	base, inheriting     rights // as reported
	given, givenChildren rights // as given up: for itself, and for what is opened through it
}

// open returns the descriptor of a number. EBADF: there is none. ENOTCAPABLE: it has
// given need up.
func (g *Guest) open(fd uint64, need rights) (*descriptor, wasi.Errno) {
	d := g.descriptors.Get(uint32(fd))
	switch {
	case d == nil:
		return nil, wasi.EBADF
	case d.given&need != 0:
		return nil, wasi.ENOTCAPABLE
	}
	return d, wasi.Success
}

// transfers returns the descriptor of a number for reading or writing, as need says. EBADF:
// it is not open for that.
func (g *Guest) transfers(fd uint64, need rights) (*descriptor, wasi.Errno) {
	d := g.descriptors.Get(uint32(fd))
	if d == nil || d.Dir() == nil && d.base&need != need {
		return nil, wasi.EBADF
	}
	return d, wasi.Success
}

// folder returns the folder of a number. ENOTDIR: it is something else.
func (g *Guest) folder(fd uint64, need rights) (wasi.Dir, wasi.Errno) {
	d, errno := g.open(fd, need)
	switch {
	case errno != wasi.Success:
		return nil, errno
	case d.Dir() == nil:
		return nil, wasi.ENOTDIR
	}
	return d.Dir(), wasi.Success
}

// fdFdstatSetRights is fd_fdstat_set_rights(fd, base, inheriting): it gives up all rights
// but these. EBADF: fd is not open. ENOTCAPABLE: one of them is not there.
func fdFdstatSetRights(g *Guest, _ memory, args []uint64) wasi.Errno {
	d, errno := g.open(args[0], 0)
	if errno != wasi.Success {
		return errno
	}
	base, inheriting := rights(args[1]), rights(args[2])
	if base&^d.base != 0 || inheriting&^d.inheriting != 0 {
		return wasi.ENOTCAPABLE
	}
	d.given |= d.base &^ base
	d.givenChildren |= d.inheriting &^ inheriting
	d.base, d.inheriting = base, inheriting
	return wasi.Success
}
