package store

import (
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// memDisk is a disk that knows what it would still have after a power cut: of a
// file what was synced, of a folder the names that were. It can fail at a step, die
// at one, and be full.
type memDisk struct {
	clock clock
	room  int64 // free bytes; file bytes count against it

	mu     sync.Mutex
	root   *node
	step   int                                   // operations so far
	fault  func(step int, op, name string) error // nil: none
	dead   bool                                  // nothing is done any more
	opened int                                   // files that are open
}

var errDead = errors.New("the power is off")

type node struct {
	dir           bool
	names, synced map[string]*node // of a folder
	data, safe    []byte           // of a file
	changed       time.Time
}

func newFolder() *node {
	return &node{dir: true, names: map[string]*node{}, synced: map[string]*node{}}
}

func newMemDisk(c clock) *memDisk { return &memDisk{clock: c, room: 1 << 40, root: newFolder()} }

// begin counts a step and says whether it fails; d.mu is held from then on, until
// the caller lets go of it.
func (d *memDisk) begin(op, name string) error {
	d.mu.Lock()
	if d.dead {
		return errDead
	}
	d.step++
	if d.fault == nil {
		return nil
	}
	err := d.fault(d.step, op, name)
	if errors.Is(err, errDead) {
		d.dead = true
	}
	if err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return nil
}

// at returns the folder that name is in, and its node or nil.
func (d *memDisk) at(name string) (folder *node, base string, n *node) {
	folder = d.root
	if name == "." {
		return nil, "", d.root
	}
	parts := strings.Split(name, "/")
	for _, part := range parts[:len(parts)-1] {
		if folder = folder.names[part]; folder == nil || !folder.dir {
			return newFolder(), "", nil
		}
	}
	base = parts[len(parts)-1]
	return folder, base, folder.names[base]
}

func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

func (d *memDisk) create(name string) (file, error) {
	err := d.begin("create", name)
	defer d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	folder, base, n := d.at(name)
	if n != nil || base == "" {
		return nil, pathError("create", name, fs.ErrExist)
	}
	n = &node{changed: d.clock.wall()}
	folder.names[base] = n
	d.opened++
	return &memFile{disk: d, node: n, name: name}, nil
}

func (d *memDisk) open(name string) (file, error) {
	err := d.begin("open", name)
	defer d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	_, _, n := d.at(name)
	switch {
	case n == nil:
		return nil, pathError("open", name, fs.ErrNotExist)
	case n.dir:
		return nil, pathError("open", name, errNotRegular)
	}
	d.opened++
	return &memFile{disk: d, node: n, name: name}, nil
}

func (d *memDisk) mkdir(name string) error {
	err := d.begin("mkdir", name)
	defer d.mu.Unlock()
	if err != nil || name == "." {
		return err
	}
	folder, base, n := d.at(name)
	if n != nil || base == "" {
		return pathError("mkdir", name, fs.ErrExist)
	}
	folder.names[base] = newFolder()
	return nil
}

func (d *memDisk) chmod(name string) error {
	defer d.mu.Unlock()
	return d.begin("chmod", name)
}

func (d *memDisk) rename(from, to string) error {
	err := d.begin("rename", to)
	defer d.mu.Unlock()
	if err != nil {
		return err
	}
	source, was, n := d.at(from)
	target, base, there := d.at(to)
	switch {
	case n == nil || base == "":
		return pathError("rename", from, fs.ErrNotExist)
	case there != nil && (!there.dir || len(there.names) > 0):
		return pathError("rename", to, syscall.ENOTEMPTY)
	}
	delete(source.names, was)
	target.names[base] = n
	return nil
}

func (d *memDisk) remove(name string) error {
	err := d.begin("remove", name)
	defer d.mu.Unlock()
	if err != nil {
		return err
	}
	folder, base, n := d.at(name)
	switch {
	case n == nil:
		return pathError("remove", name, fs.ErrNotExist)
	case len(n.names) > 0:
		return pathError("remove", name, syscall.ENOTEMPTY)
	}
	delete(folder.names, base)
	d.room += int64(len(n.data))
	return nil
}

func (d *memDisk) removeAll(name string) error {
	names, err := d.readDir(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil && !errors.Is(err, syscall.ENOTDIR) {
		return err
	}
	slices.Sort(names)
	for _, base := range names {
		if err := d.removeAll(path.Join(name, base)); err != nil {
			return err
		}
	}
	return d.remove(name)
}

func (d *memDisk) readDir(name string) ([]string, error) {
	err := d.begin("readdir", name)
	defer d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	_, _, n := d.at(name)
	switch {
	case n == nil:
		return nil, pathError("readdir", name, fs.ErrNotExist)
	case !n.dir:
		return nil, pathError("readdir", name, syscall.ENOTDIR)
	}
	var names []string
	for base := range n.names {
		names = append(names, base)
	}
	return names, nil
}

func (d *memDisk) stat(name string) (info, error) {
	err := d.begin("stat", name)
	defer d.mu.Unlock()
	if err != nil {
		return info{}, err
	}
	_, _, n := d.at(name)
	if n == nil {
		return info{}, pathError("stat", name, fs.ErrNotExist)
	}
	return info{size: int64(len(n.data)), changed: n.changed, dir: n.dir, regular: !n.dir}, nil
}

func (d *memDisk) touch(name string, t time.Time) error {
	err := d.begin("touch", name)
	defer d.mu.Unlock()
	if _, _, n := d.at(name); err == nil && n != nil {
		n.changed = t
	}
	return err
}

func (d *memDisk) syncDir(name string) error {
	err := d.begin("syncdir", name)
	defer d.mu.Unlock()
	if err != nil {
		return err
	}
	_, _, n := d.at(name)
	if n == nil {
		return pathError("syncdir", name, fs.ErrNotExist)
	}
	n.synced = maps.Clone(n.names)
	return nil
}

func (d *memDisk) free() (int64, error) {
	err := d.begin("free", "")
	defer d.mu.Unlock()
	return d.room, err
}

// crash returns the disk as it may be after a power cut: what was synced, and of
// the rest what random says.
func (d *memDisk) crash(random *rand.Rand) *memDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	after := newMemDisk(d.clock)
	after.root = d.root.survive(random)
	return after
}

func (n *node) survive(random *rand.Rand) *node {
	if !n.dir {
		kept := n.safe
		switch random.IntN(3) {
		case 0:
			kept = n.data
		case 1:
			kept = n.data[:random.IntN(len(n.data)+1)]
			if len(kept) < len(n.safe) {
				kept = n.safe
			}
		}
		return &node{data: slices.Clone(kept), safe: slices.Clone(kept), changed: n.changed}
	}
	left := newFolder()
	all := maps.Clone(n.synced)
	maps.Copy(all, n.names)
	for _, base := range slices.Sorted(maps.Keys(all)) {
		child := n.names[base]
		if random.IntN(2) == 0 {
			child = n.synced[base]
		}
		if child != nil {
			left.names[base] = child.survive(random)
			left.synced[base] = left.names[base]
		}
	}
	return left
}

// files returns every file and every empty folder with its bytes.
func (d *memDisk) files() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[string]string{}
	var walk func(name string, n *node)
	walk = func(name string, n *node) {
		if !n.dir {
			all[name] = string(n.data)
		}
		if n.dir && len(n.names) == 0 && strings.Contains(name, "/") { // the three folders always are
			all[name+"/"] = ""
		}
		for base, child := range n.names {
			walk(path.Join(name, base), child)
		}
	}
	walk("", d.root)
	return all
}
