package wazero

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"reflect"

	wz "github.com/tetratelabs/wazero"
)

// code is where wazero gets or puts the machine code of the one module that a worker
// compiles or loads: bytes that are there, or a place for them. wazero itself only
// offers a folder, in which it makes files of names that it chooses.
type code struct {
	from io.Reader // nil to compile
	to   io.Writer // nil to load

	taken  bool  // what from holds was asked for
	failed error // of to, or of wazero's not taking what from holds
}

var errNotTaken = errors.New("it is of another wazero, or of another processor")

// Get is called for the module before it is compiled.
func (c *code) Get([32]byte) (io.ReadCloser, bool, error) {
	if c.from == nil {
		return nil, false, nil
	}
	c.taken = true
	return io.NopCloser(whole{bufio.NewReaderSize(c.from, 64<<10)}), true, nil // wazero reads eight bytes a function
}

// whole fills what it reads into: wazero takes fewer bytes than it has asked for as the
// end, and a buffer has fewer where it is used up.
type whole struct{ from *bufio.Reader }

func (w whole) Read(p []byte) (int, error) {
	n, err := io.ReadFull(w.from, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // the next read has the end
	}
	return n, err
}

// Add is called with the code of a module that was compiled. To load nothing is
// compiled: it would be the skeleton, which traps.
func (c *code) Add(_ [32]byte, content io.Reader) error {
	if c.to == nil {
		c.failed = errNotTaken
		return c.failed
	}
	_, c.failed = io.Copy(c.to, content)
	return c.failed
}

// Delete is called when wazero does not take what Get returned.
func (c *code) Delete([32]byte) error {
	c.failed = errNotTaken
	return c.failed
}

// cache returns the compilation cache that wazero is to use. The field that it sets
// has no exported way in. What could differ in another wazero is looked at first, and a
// test runs this with the one that is linked.
func (c *code) cache() (wz.CompilationCache, error) {
	cache := wz.NewCompilationCache()
	const name = "fileCache"
	v := reflect.ValueOf(cache)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("wazero %s: its cache is a %T", version, cache)
	}
	field := v.Elem().FieldByName(name)
	if !field.IsValid() || field.Kind() != reflect.Interface || !reflect.TypeOf(c).Implements(field.Type()) {
		return nil, fmt.Errorf("wazero %s: its cache has no %s that takes this", version, name)
	}
	reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem().Set(reflect.ValueOf(c))
	return cache, nil
}
