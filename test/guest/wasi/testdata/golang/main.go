// Command golang does with Go's standard library what programs do with files, streams and
// time. It panics with what went wrong; with all well it copies its input to stdout, and
// ends with exit code 7. With the argument "files" it works on the files of its folder,
// which is writable and empty; with "wait" it first waits for input, which must not come
// before it has written a line.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	run(os.Args, os.Stdin, os.Stdout)
	os.Exit(7)
}

func run(args []string, stdin, stdout *os.File) {
	timeAndStreams(stdin, stdout)
	if slices.Contains(args, "files") {
		temporary()
		listings()
		renames()
		contents()
		links()
	}
	if slices.Contains(args, "wait") {
		wait(stdin, stdout)
	}
	n, err := io.Copy(stdout, bufio.NewReader(stdin))
	must(err)
	equal("copied", n, 16)
}

func timeAndStreams(stdin, stdout *os.File) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err == nil {
		fail("a zone without a zone file: %v", zone)
	}
	equal("zone", time.Local.String(), "Local")
	utc, err := time.LoadLocation("UTC")
	must(err)
	if year := time.Now().In(utc).Year(); year < 2000 {
		fail("the year %d", year)
	}
	must(stdin.SetReadDeadline(time.Now().Add(-time.Second)))
	if n, err := stdin.Read(make([]byte, 8)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		fail("%d bytes after the deadline, %v", n, err)
	}
	must(stdin.SetReadDeadline(time.Time{}))
	began := time.Now()
	var group sync.WaitGroup
	for i := range 10 {
		group.Go(func() { time.Sleep(time.Duration(i) * time.Millisecond) })
	}
	group.Wait()
	if took := time.Since(began); took < 9*time.Millisecond {
		fail("slept %v", took)
	}
	select {
	case <-time.After(time.Millisecond):
	case <-make(chan int):
	}
	if stat, err := stdout.Stat(); err != nil || stat.Mode()&os.ModeCharDevice != 0 {
		fail("stdout is %v, %v", stat.Mode(), err)
	}
	if _, err := os.Stat("/missing"); err == nil {
		fail("/missing is there")
	}
	equal("variable", os.Getenv("NAME"), "value")
}

// wait waits for input, in vain, and says so.
func wait(stdin, stdout *os.File) {
	must(stdin.SetReadDeadline(time.Now().Add(20 * time.Millisecond)))
	if n, err := stdin.Read(make([]byte, 8)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		fail("%d bytes before there are any, %v", n, err)
	}
	must(stdin.SetReadDeadline(time.Now().Add(time.Hour)))
	_, err := fmt.Fprintln(stdout, "nothing came")
	must(err)
}

func temporary() {
	dir, err := os.MkdirTemp("/folder", "temp-*")
	must(err)
	file, err := os.CreateTemp(dir, "file-*.txt")
	must(err)
	_, err = file.WriteString("temporary")
	must(err)
	must(file.Sync())
	must(file.Close())
	must(os.MkdirAll(filepath.Join(dir, "a", "b", "c"), 0o700))
	must(os.WriteFile(filepath.Join(dir, "a", "b", "c", "d"), []byte("deep"), 0o600))
	must(os.RemoveAll(dir))
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		fail("%s after it was removed: %v", dir, err)
	}
}

func listings() {
	must(os.MkdirAll("/folder/tree/sub/deeper", 0o700))
	var want []string
	for i := range 200 {
		name := fmt.Sprintf("file-%03d", i)
		want = append(want, name)
		must(os.WriteFile("/folder/tree/sub/"+name, make([]byte, i), 0o600))
	}
	entries, err := os.ReadDir("/folder/tree/sub")
	must(err)
	equal("entries", len(entries), 201)
	equal("first", entries[0].Name(), "deeper")
	for i, entry := range entries[1:] {
		info, err := entry.Info()
		must(err)
		if entry.Name() != want[i] || !entry.Type().IsRegular() || info.Size() != int64(i) {
			fail("entry %d is %s", i, fs.FormatDirEntry(entry))
		}
	}
	dir, err := os.Open("/folder/tree/sub")
	must(err)
	for n := 0; ; {
		some, err := dir.Readdirnames(7)
		n += len(some)
		if errors.Is(err, io.EOF) {
			equal("names", n, 201)
			break
		}
		must(err)
	}
	must(dir.Close())
	var walked []string
	must(fs.WalkDir(os.DirFS("/folder/tree"), ".", func(path string, entry fs.DirEntry, err error) error {
		if !strings.Contains(path, "file-") {
			walked = append(walked, path)
		}
		return err
	}))
	equal("walked", strings.Join(walked, " "), ". sub sub/deeper")
	if err := os.Remove("/folder/tree/sub"); err == nil {
		fail("a folder with files in it was removed")
	}
	must(os.RemoveAll("/folder/tree"))
}

func renames() {
	must(os.WriteFile("/folder/one", []byte("one"), 0o600))
	must(os.WriteFile("/folder/two", []byte("two"), 0o600))
	must(os.Rename("/folder/one", "/folder/two"))
	text, err := os.ReadFile("/folder/two")
	must(err)
	equal("renamed", string(text), "one")
	must(os.Mkdir("/folder/dir", 0o700))
	must(os.Rename("/folder/two", "/folder/dir/two"))
	if err := os.Rename("/folder/dir", "/folder/dir/below"); err == nil {
		fail("a folder was moved into itself")
	}
	if err := os.Rename("/folder/missing", "/folder/two"); !errors.Is(err, fs.ErrNotExist) {
		fail("a missing file: %v", err)
	}
	if err := os.Mkdir("/folder/dir", 0o700); !errors.Is(err, fs.ErrExist) {
		fail("a folder twice: %v", err)
	}
	must(os.RemoveAll("/folder/dir"))
}

func contents() {
	file, err := os.OpenFile("/folder/file", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	must(err)
	_, err = file.Write([]byte("0123456789"))
	must(err)
	must(file.Truncate(4))
	end, err := file.Seek(-1, io.SeekEnd)
	must(err)
	equal("end", end, 3)
	_, err = file.WriteAt([]byte("xy"), 6)
	must(err)
	all := make([]byte, 16)
	n, err := file.ReadAt(all, 0)
	if !errors.Is(err, io.EOF) || string(all[:n]) != "0123\x00\x00xy" {
		fail("read %q, %v", all[:n], err)
	}
	must(file.Close())
	if _, err := file.Write(all); !errors.Is(err, os.ErrClosed) {
		fail("a closed file: %v", err)
	}
	if _, err := os.OpenFile("/folder/file", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); !errors.Is(err, fs.ErrExist) {
		fail("a file twice: %v", err)
	}
	log, err := os.OpenFile("/folder/file", os.O_WRONLY|os.O_APPEND, 0)
	must(err)
	_, err = log.WriteString("end")
	must(err)
	must(log.Close())
	must(os.Truncate("/folder/file", 10))
	when := time.Unix(1234567890, 123456789)
	must(os.Chtimes("/folder/file", when, when))
	info, err := os.Stat("/folder/file")
	must(err)
	if info.Size() != 10 || !info.ModTime().Equal(when) {
		fail("%d bytes, of %v", info.Size(), info.ModTime())
	}
	must(os.Remove("/folder/file"))
}

func links() {
	must(os.Mkdir("/folder/dir", 0o700))
	must(os.WriteFile("/folder/dir/file", []byte("linked"), 0o600))
	must(os.Symlink("dir/file", "/folder/symbolic"))
	must(os.Link("/folder/dir/file", "/folder/hard"))
	for _, name := range []string{"/folder/symbolic", "/folder/hard"} {
		text, err := os.ReadFile(name)
		must(err)
		equal(name, string(text), "linked")
	}
	target, err := os.Readlink("/folder/symbolic")
	must(err)
	equal("target", target, "dir/file")
	info, err := os.Lstat("/folder/symbolic")
	must(err)
	equal("type", info.Mode().Type(), fs.ModeSymlink)
	a, err := os.Stat("/folder/hard")
	must(err)
	b, err := os.Stat("/folder/symbolic")
	must(err)
	equal("same file", os.SameFile(a, b), true)
	must(os.RemoveAll("/folder/dir"))
	if _, err := os.Stat("/folder/symbolic"); !errors.Is(err, fs.ErrNotExist) {
		fail("a link to nothing: %v", err)
	}
	must(os.Remove("/folder/symbolic"))
	must(os.Remove("/folder/hard"))
}

func equal[T comparable](what string, got, want T) {
	if got != want {
		fail("%s: %v, want %v", what, got, want)
	}
}

func must(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func fail(format string, args ...any) {
	panic(fmt.Sprintf(format, args...))
}
