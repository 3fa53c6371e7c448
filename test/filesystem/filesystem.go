// Package filesystem is what every file system of package wasi is held to: it must do as a
// plain model in memory does, whatever is asked of it.
package filesystem

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/wasi"
)

// Model does steps random operations on a new, empty folder that can be written, and on the
// model, and compares every answer, and everything that can be seen. After the last operation
// it returns what there is by path: of a file its content, of a link "-> " and its target, of
// a folder "/".
func Model(t *testing.T, root wasi.Dir, seed uint64, steps int) map[string]string {
	t.Helper()
	top := newInode(wasi.TypeDirectory)
	top.links = 1
	m := &model{rand: rand.New(rand.NewPCG(seed, 0)), dirs: []openDir{{root, top}}} //nolint:gosec // repeatable on purpose
	for range steps {
		m.step()
		if m.problem != "" {
			t.Fatalf("seed %d: after %d steps: %s", seed, len(m.log), m.problem)
		}
	}
	all := map[string]string{}
	m.compare(root, top, "", all)
	for _, f := range m.files {
		m.same("close", f.wasi.Close(), wasi.Success)
	}
	for _, d := range m.dirs[1:] {
		m.same("close", d.wasi.Close(), wasi.Success)
	}
	if m.problem != "" {
		t.Fatalf("seed %d: at the end: %s", seed, m.problem)
	}
	return all
}

type openDir struct {
	wasi  wasi.Dir
	model *inode
}

type openFile struct {
	wasi        wasi.File
	model       *inode
	read, write bool
}

type model struct {
	rand    *rand.Rand
	dirs    []openDir // the root is the first
	files   []openFile
	log     []string
	problem string
}

// names are few, so that operations meet.
var names = []string{"a", "b", "c", "d.txt", "é"}

func (m *model) name() string  { return names[m.rand.IntN(len(names))] }
func (m *model) dir() openDir  { return m.dirs[m.rand.IntN(len(m.dirs))] }
func (m *model) chance() bool  { return m.rand.IntN(2) == 0 }
func (m *model) offset() int64 { return m.rand.Int64N(20_000) }

// fail notes a difference.
func (m *model) fail(format string, args ...any) {
	if m.problem == "" {
		m.problem = fmt.Sprintf(format, args...)
		for _, line := range m.log[max(0, len(m.log)-12):] {
			m.problem += "\n\t" + line
		}
	}
}

// same compares an answer.
func (m *model) same(what string, got, want wasi.Errno) bool {
	m.log = append(m.log, fmt.Sprintf("%s: %v", what, want))
	if got != want {
		m.fail("%s is %v, want %v", what, got, want)
	}
	return got == wasi.Success && want == wasi.Success
}

// step does one operation.
func (m *model) step() {
	d, name := m.dir(), m.name()
	to, newName := m.dir(), m.name()
	switch m.rand.IntN(14) {
	case 0, 1:
		m.open(d, name)
	case 2:
		m.same("mkdir "+name, d.wasi.Mkdir(name), d.model.make(name, newInode(wasi.TypeDirectory)))
	case 3:
		n := newInode(wasi.TypeSymlink)
		n.target = m.name()
		m.same("symlink "+name, d.wasi.Symlink(n.target, name), d.model.make(name, n))
	case 4:
		m.same("link "+name+" "+newName, d.wasi.Link(name, to.wasi, newName), d.model.link(name, to.model, newName))
	case 5, 6:
		m.same("rename "+name+" "+newName, d.wasi.Rename(name, to.wasi, newName),
			d.model.rename(name, to.model, newName))
	case 7:
		m.same("unlink "+name, d.wasi.Unlink(name), d.model.unlink(name))
	case 8:
		m.same("rmdir "+name, d.wasi.Rmdir(name), d.model.rmdir(name))
	case 9:
		m.closeOne()
	case 10:
		m.compare(d.wasi, d.model, "", nil)
	default:
		m.file()
	}
}

func (m *model) open(d openDir, name string) {
	o := wasi.OpenOptions{Write: m.chance(), Create: m.chance(), Exclusive: m.chance(), Truncate: m.chance()}
	o.Read = !o.Write || m.chance() // what may do neither is for whoever holds the descriptor to refuse
	if o.Truncate = o.Truncate && o.Write; !o.Create && !o.Write {
		o.Directory = m.chance()
	}
	o.Exclusive = o.Exclusive && o.Create
	node, errno := d.wasi.Open(name, o)
	n, want := d.model.open(name, o)
	if !m.same(fmt.Sprintf("open %s %+v", name, o), errno, want) {
		return
	}
	switch node := node.(type) {
	case wasi.Dir:
		m.dirs = append(m.dirs, openDir{node, n})
	case wasi.File:
		m.files = append(m.files, openFile{node, n, o.Read, o.Write})
	}
	if (n.kind == wasi.TypeDirectory) != (node != nil && isDir(node)) {
		m.fail("%s is opened as %T", name, node)
	}
}

func isDir(n wasi.Node) bool {
	_, ok := n.(wasi.Dir)
	return ok
}

// closeOne closes a file or folder, more readily the more are open.
func (m *model) closeOne() {
	if i := m.rand.IntN(8); i < len(m.files) {
		m.same("close a file", m.files[i].wasi.Close(), wasi.Success)
		m.files = append(m.files[:i], m.files[i+1:]...)
	}
	if i := 1 + m.rand.IntN(8); i < len(m.dirs) {
		m.same("close a folder", m.dirs[i].wasi.Close(), wasi.Success)
		m.dirs = append(m.dirs[:i], m.dirs[i+1:]...)
	}
}

// file does something with an open file.
func (m *model) file() {
	if len(m.files) == 0 {
		return
	}
	f := m.files[m.rand.IntN(len(m.files))]
	switch m.rand.IntN(5) {
	case 0:
		m.readAt(f, m.rand.IntN(10_000), m.offset())
	case 1, 2:
		p := m.bytes()
		off := m.offset()
		n, errno := f.wasi.WriteAt(p, off)
		m.wrote(f, n, errno, p, off)
	case 3:
		p := m.bytes()
		n, end, errno := f.wasi.Append(p)
		m.wrote(f, n, errno, p, int64(len(f.model.data)))
		if f.write && n > 0 && end != int64(len(f.model.data)) {
			m.fail("the end is %d, want %d", end, len(f.model.data))
		}
	case 4:
		size := m.offset()
		want := wasi.Success
		if f.write {
			f.model.resize(size)
		} else {
			want = wasi.EINVAL
		}
		m.same(fmt.Sprintf("set size %d", size), f.wasi.SetSize(size), want)
	}
}

// bytes are what is written: whole blocks, too.
func (m *model) bytes() []byte {
	size := m.rand.IntN(10_000)
	if m.chance() {
		size = m.rand.IntN(3) * 4096
	}
	return bytes.Repeat([]byte{byte('a' + m.rand.IntN(26))}, size)
}

func (m *model) wrote(f openFile, n int, errno wasi.Errno, p []byte, off int64) {
	want := wasi.Success
	if !f.write {
		want = wasi.EBADF
	}
	if len(p) == 0 && errno == wasi.Success { // the kernel doesn't look at nothing
		want = errno
	}
	if m.same(fmt.Sprintf("write %d at %d", len(p), off), errno, want) {
		f.model.write(p, off)
		if n != len(p) {
			m.fail("%d of %d were written", n, len(p))
		}
	}
}

func (m *model) readAt(f openFile, size int, off int64) {
	p := make([]byte, size)
	n, errno := f.wasi.ReadAt(p, off)
	want := wasi.Success
	if !f.read {
		want = wasi.EBADF
	}
	if size == 0 && errno == wasi.Success {
		want = errno
	}
	if m.same(fmt.Sprintf("read %d at %d", size, off), errno, want) && !bytes.Equal(p[:n], f.model.read(size, off)) {
		m.fail("%d bytes were read, want %d, or others", n, len(f.model.read(size, off)))
	}
}

// compare compares what can be seen of a folder and all below it, and puts it into all,
// which may be nil.
func (m *model) compare(d wasi.Dir, n *inode, path string, all map[string]string) {
	entries, errno := d.List()
	want := wasi.Success
	if n.gone() {
		want = wasi.ENOENT
	}
	if !m.same("list "+path, errno, want) {
		return
	}
	got := make([]string, 0, len(entries))
	for _, e := range entries {
		got = append(got, e.Name)
	}
	if diff := cmp.Diff(n.names(), append([]string(nil), got...)); diff != "" && len(got)+len(n.children) > 0 {
		m.fail("names in %q (-want +got):\n%s", path, diff)
		return
	}
	for _, e := range entries {
		child := n.children[e.Name]
		m.compareOne(d, e, child, path+e.Name)
		m.compareContent(d, e.Name, child, path+e.Name, all)
	}
}

func (m *model) compareOne(d wasi.Dir, e wasi.Entry, n *inode, path string) {
	st, errno := d.Lstat(e.Name)
	if !m.same("stat "+path, errno, wasi.Success) {
		return
	}
	if e.Type != n.kind || st.Type != n.kind || st.Inode != e.Inode {
		m.fail("%s is listed as %+v, and described as %+v", path, e, st)
	}
	if n.kind == wasi.TypeRegular && (st.Size != uint64(len(n.data)) || st.Links != uint64(n.links)) {
		m.fail("%s has %d bytes and %d names, want %d and %d", path, st.Size, st.Links, len(n.data), n.links)
	}
}

func (m *model) compareContent(d wasi.Dir, name string, n *inode, path string, all map[string]string) {
	shown := "/"
	switch n.kind {
	case wasi.TypeSymlink:
		target, errno := d.Readlink(name)
		if m.same("readlink "+path, errno, wasi.Success) && target != n.target {
			m.fail("%s points to %s, want %s", path, target, n.target)
		}
		shown = "-> " + target
	case wasi.TypeRegular:
		node, errno := d.Open(name, wasi.OpenOptions{Read: true})
		f, ok := node.(wasi.File)
		if !m.same("open "+path, errno, wasi.Success) || !ok {
			return
		}
		m.readAt(openFile{wasi: f, model: n, read: true}, len(n.data)+1, 0)
		m.same("close "+path, f.Close(), wasi.Success)
		shown = string(n.data)
	default:
		node, errno := d.Open(name, wasi.OpenOptions{Directory: true})
		sub, ok := node.(wasi.Dir)
		if !m.same("open "+path, errno, wasi.Success) || !ok {
			return
		}
		m.compare(sub, n, path+"/", all)
		m.same("close "+path, sub.Close(), wasi.Success)
	}
	if all != nil {
		all[path] = shown
	}
}
