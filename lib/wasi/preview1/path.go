package preview1

import "plasm/lib/wasi"

// Flags of paths (witx: lookupflags, oflags).
const (
	lookupFollow = 1 << 0

	openCreate    = 1 << 0
	openDirectory = 1 << 1
	openExclusive = 1 << 2
	openTruncate  = 1 << 3
	allOpen       = 1<<4 - 1
)

// All functions here take paths as an address and a length in bytes, and resolve them in
// the folder fd as package wasi does (see wasi.Open). Their errors are those of the
// function of that package that does the work, and EBADF (fd is not open), ENOTDIR (it is
// no folder), EFAULT.

// at returns the folder and the path that a function gets.
func (g *Guest) at(mem memory, need rights, fd, path, n uint64) (wasi.Dir, string, wasi.Errno) {
	dir, errno := g.folder(fd, need)
	if errno != wasi.Success {
		return nil, "", errno
	}
	name, errno := mem.string(path, n)
	return dir, name, errno
}

// pathCreateDirectory is path_create_directory(fd, path, path_len). See wasi.MkdirPath.
func pathCreateDirectory(g *Guest, mem memory, args []uint64) wasi.Errno {
	dir, path, errno := g.at(mem, rightPathCreateDirectory, args[0], args[1], args[2])
	if errno != wasi.Success {
		return errno
	}
	return wasi.MkdirPath(dir, path)
}

// pathFilestatGet is path_filestat_get(fd, flags, path, path_len, stat): it writes a
// filestat (see putStat), with the flag 1 of what a symbolic link leads to. EINVAL: there
// is no such flag. See wasi.StatPath.
func pathFilestatGet(g *Guest, mem memory, args []uint64) wasi.Errno {
	dir, path, errno := g.at(mem, rightPathFilestatGet, args[0], args[2], args[3])
	switch {
	case errno != wasi.Success:
		return errno
	case args[1]&^lookupFollow != 0:
		return wasi.EINVAL
	}
	st, errno := wasi.StatPath(dir, path, args[1] != 0)
	if errno != wasi.Success {
		return errno
	}
	return mem.putStat(args[4], st)
}

// pathFilestatSetTimes is path_filestat_set_times(fd, flags, path, path_len, atim, mtim,
// fst_flags): see timesOf, and with the flag 1 of what a symbolic link leads to. EINVAL:
// there is no such flag. See wasi.SetTimesPath.
func pathFilestatSetTimes(g *Guest, mem memory, args []uint64) wasi.Errno {
	dir, path, errno := g.at(mem, rightPathFilestatSetTimes, args[0], args[2], args[3])
	switch {
	case errno != wasi.Success:
		return errno
	case args[1]&^lookupFollow != 0:
		return wasi.EINVAL
	}
	t, errno := timesOf(args[4], args[5], args[6])
	if errno != wasi.Success {
		return errno
	}
	return wasi.SetTimesPath(dir, path, args[1] != 0, t)
}

// pathLink is path_link(old_fd, old_flags, old_path, old_path_len, new_fd, new_path,
// new_path_len): it gives a file, or a symbolic link itself, another name. EINVAL:
// old_flags is not 0, which would link what a symbolic link leads to. See wasi.LinkPath.
func pathLink(g *Guest, mem memory, args []uint64) wasi.Errno {
	dir, path, errno := g.at(mem, rightPathLinkSource, args[0], args[2], args[3])
	if errno != wasi.Success {
		return errno
	}
	to, newPath, errno := g.at(mem, rightPathLinkTarget, args[4], args[5], args[6])
	switch {
	case errno != wasi.Success:
		return errno
	case args[1] != 0:
		return wasi.EINVAL
	}
	return wasi.LinkPath(dir, path, to, newPath)
}

// pathOpen is path_open(fd, dirflags, path, path_len, oflags, rights, inheriting, fdflags,
// opened): it opens a file or folder, and writes its number, 4 bytes: the lowest that is
// free. dirflags 1 follows a symbolic link; oflags are to make a file (1), to fail where
// it is no folder (2), to fail where it is there (4), and to empty it (8). It can be read
// and written as rights say; a folder cannot be opened for writing. EINVAL: there is no
// such flag, or 1 and 2 come together. EMFILE: no number is free. EPERM: it was to be
// emptied, and path_filestat_set_size was given up. ENOTCAPABLE: it was to be made, and
// path_create_file was given up. See wasi.Open.
func pathOpen(g *Guest, mem memory, args []uint64) wasi.Errno {
	parent, errno := g.open(args[0], rightPathOpen)
	if errno != wasi.Success {
		return errno
	}
	_, path, errno := g.at(mem, 0, args[0], args[2], args[3])
	if errno != wasi.Success {
		return errno
	}
	base, oflags := rights(args[5])&^parent.givenChildren, args[4]
	flags, errno := flagsOf(args[7])
	switch {
	case !mem.has(args[8], 4):
		return wasi.EFAULT
	case errno != wasi.Success || args[1]&^lookupFollow != 0 || oflags&^allOpen != 0:
		return wasi.EINVAL
	case oflags&openTruncate != 0 && parent.given&rightPathFilestatSetSize != 0:
		return wasi.EPERM
	case oflags&openCreate != 0 && parent.given&rightPathCreateFile != 0:
		return wasi.ENOTCAPABLE
	}
	node, errno := wasi.Open(parent.Dir(), path, args[1] != 0, wasi.OpenOptions{
		Read: base&rightFdRead != 0, Write: base&rightFdWrite != 0,
		Create: oflags&openCreate != 0, Exclusive: oflags&openExclusive != 0,
		Truncate: oflags&openTruncate != 0, Directory: oflags&openDirectory != 0,
	})
	if errno != wasi.Success {
		return errno
	}
	fd, errno := g.descriptors.Add(parent.child(wasi.NewDescriptor(node, flags), base, rights(args[6])))
	if errno != wasi.Success {
		_ = node.Close()
		return errno
	}
	return mem.putU32(args[8], fd)
}

// child gives opened, which was opened through the folder d, the rights that were asked for
// as far as it can have them.
func (d *descriptor) child(opened *wasi.Descriptor, base, inheriting rights) *descriptor {
	c := &descriptor{Descriptor: opened, base: base & fileRights, given: d.givenChildren}
	if opened.Dir() != nil {
		c.base, c.inheriting, c.givenChildren = base&dirRights, inheriting&d.inheriting, d.givenChildren
	}
	return c
}

// pathReadlink is path_readlink(fd, path, path_len, buf, buf_len, bufused): it writes
// where a symbolic link points, as much as fits, and how many bytes that are, 4 bytes. See
// wasi.ReadlinkPath.
func pathReadlink(g *Guest, mem memory, args []uint64) wasi.Errno {
	dir, path, errno := g.at(mem, rightPathReadlink, args[0], args[1], args[2])
	if errno != wasi.Success {
		return errno
	}
	buf, errno := mem.slice(args[3], args[4])
	if errno != wasi.Success || !mem.has(args[5], 4) {
		return wasi.EFAULT
	}
	target, errno := wasi.ReadlinkPath(dir, path)
	if errno != wasi.Success {
		return errno
	}
	return mem.putU32(args[5], uint32(copy(buf, target)))
}

// pathRemoveDirectory is path_remove_directory(fd, path, path_len). See wasi.RmdirPath.
func pathRemoveDirectory(g *Guest, mem memory, args []uint64) wasi.Errno {
	dir, path, errno := g.at(mem, rightPathRemoveDirectory, args[0], args[1], args[2])
	if errno != wasi.Success {
		return errno
	}
	return wasi.RmdirPath(dir, path)
}

// pathRename is path_rename(fd, old_path, old_path_len, new_fd, new_path, new_path_len).
// See wasi.RenamePath.
func pathRename(g *Guest, mem memory, args []uint64) wasi.Errno {
	dir, path, errno := g.at(mem, rightPathRenameSource, args[0], args[1], args[2])
	if errno != wasi.Success {
		return errno
	}
	to, newPath, errno := g.at(mem, rightPathRenameTarget, args[3], args[4], args[5])
	if errno != wasi.Success {
		return errno
	}
	return wasi.RenamePath(dir, path, to, newPath)
}

// pathSymlink is path_symlink(old_path, old_path_len, fd, new_path, new_path_len): it
// makes a symbolic link that points to old_path. See wasi.SymlinkPath.
func pathSymlink(g *Guest, mem memory, args []uint64) wasi.Errno {
	dir, path, errno := g.at(mem, rightPathSymlink, args[2], args[3], args[4])
	if errno != wasi.Success {
		return errno
	}
	target, errno := mem.string(args[0], args[1])
	if errno != wasi.Success {
		return errno
	}
	return wasi.SymlinkPath(target, dir, path)
}

// pathUnlinkFile is path_unlink_file(fd, path, path_len). See wasi.UnlinkPath.
func pathUnlinkFile(g *Guest, mem memory, args []uint64) wasi.Errno {
	dir, path, errno := g.at(mem, rightPathUnlinkFile, args[0], args[1], args[2])
	if errno != wasi.Success {
		return errno
	}
	return wasi.UnlinkPath(dir, path)
}
