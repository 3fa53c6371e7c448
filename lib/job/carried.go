package job

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Job and result documents carry folders in two more members, which may be absent:
//
//	"trees": {DIGEST: BASE64…}   documents of trees, at most MaxDirs of MaxTree bytes each
//	"blobs": {DIGEST: BASE64…}   contents of their files, at most MaxDirs × MaxEntries
//
// The bytes have the digest that names them. Which trees and contents there must be, and
// that a tree is one, is for the reader to check.

// Carrier takes what a document carries of folders, piece by piece as it comes.
type Carrier interface {
	// Tree takes the document of a tree, whose digest was checked.
	Tree(d Digest, document []byte) error
	// Blob returns what the content with a digest is written to. Close is called when all of
	// it was written and has that digest; without Close it is to be forgotten.
	Blob(d Digest) (io.WriteCloser, error)
}

// carried adds the members that carry folders to those of a document. to may be nil: then
// they are checked and not kept.
func (d *documentReader) carried(members map[string]func() error, to Carrier) map[string]func() error {
	members["trees"] = func() error {
		return d.byDigest("trees", MaxDirs, func(digest Digest) (io.WriteCloser, error) {
			return &treeWriter{digest: digest, to: to}, nil
		})
	}
	members["blobs"] = func() error {
		return d.byDigest("blobs", MaxDirs*MaxEntries, func(digest Digest) (io.WriteCloser, error) {
			if to == nil {
				return nothing{}, nil
			}
			return to.Blob(digest)
		})
	}
	return members
}

// byDigest reads an object of at most limit members, whose values are base64 of bytes that
// have the digest which is their name. open returns what they are written to.
func (d *documentReader) byDigest(name string, limit int, open func(Digest) (io.WriteCloser, error)) error {
	c, err := d.s.next("a value")
	if err != nil {
		return err
	}
	path := d.what + "." + name
	if c != '{' {
		v, err := d.s.value()
		if err == nil {
			err = &FieldError{Path: path, Problem: "must be an object, not " + describe(v)}
		}
		return err
	}
	n := 0
	_, err = d.s.object(func(key string) (Value, error) {
		n++
		if n > limit {
			return nil, &FieldError{Path: path, Problem: fmt.Sprintf("more than the %d members allowed", limit)}
		}
		digest, at := Digest(key), member(path, key)
		if !digest.Valid() {
			return nil, &FieldError{Path: at, Problem: fmt.Sprintf(notDigest, Quote(key))}
		}
		w, err := open(digest)
		if err != nil {
			return nil, err
		}
		sum := sha256.New()
		if err := d.base64At(at, name, io.MultiWriter(sum, w)); err != nil {
			return nil, err
		}
		if is := DigestOf(sum.Sum(nil)); is != digest {
			return nil, &FieldError{Path: at, Problem: fmt.Sprintf("is %s", is)}
		}
		return nil, w.Close()
	})
	return err
}

// treeWriter keeps the document of a tree until it is whole.
type treeWriter struct {
	digest   Digest
	to       Carrier
	document []byte
}

func (t *treeWriter) Write(p []byte) (int, error) {
	if len(t.document)+len(p) > MaxTree {
		return 0, &FieldError{Path: "trees", Problem: fmt.Sprintf("a tree of more than the %d bytes allowed", MaxTree)}
	}
	t.document = append(t.document, p...)
	return len(p), nil
}

func (t *treeWriter) Close() error {
	if t.to == nil {
		return nil
	}
	return t.to.Tree(t.digest, t.document)
}

// nothing keeps nothing.
type nothing struct{}

func (nothing) Write(p []byte) (int, error) { return len(p), nil }
func (nothing) Close() error                { return nil }

// Carried are folders that a document is to carry. The nil one has none.
type Carried struct {
	Trees map[Digest][]byte // documents
	Blobs map[Digest]Content
}

// Content is the content of a file.
type Content struct {
	Size int64
	Open func() (io.Reader, error) // from its beginning
}

// Len returns how many bytes c takes in a document.
func (c *Carried) Len() int64 {
	if c == nil {
		return 0
	}
	n := int64(len(`,"trees":{},"blobs":{}`))
	member := func(size int64) { n += int64(len(`,"":""`)+len(EmptyDigest)) + (size+2)/3*4 }
	for _, t := range c.Trees {
		member(int64(len(t)))
	}
	for _, b := range c.Blobs {
		member(b.Size)
	}
	return n
}

// carried writes the members that carry folders.
func (d *documentWriter) carried(c *Carried) {
	if c == nil {
		return
	}
	d.text(`,"trees":{`)
	comma := ""
	for _, digest := range slices.Sorted(maps.Keys(c.Trees)) {
		d.text(comma + `"` + string(digest) + `":"` + base64.StdEncoding.EncodeToString(c.Trees[digest]) + `"`)
		comma = ","
	}
	d.text(`},"blobs":{`)
	comma = ""
	for _, digest := range slices.Sorted(maps.Keys(c.Blobs)) {
		d.text(comma + `"` + string(digest) + `":"`)
		d.content(c.Blobs[digest])
		d.text(`"`)
		comma = ","
	}
	d.text("}")
}

// content writes the content of a file as base64.
func (d *documentWriter) content(c Content) {
	if d.err != nil || c.Size == 0 {
		return
	}
	r, err := c.Open()
	if err == nil {
		err = copyBase64(d, r, "blobs")
	}
	d.err = err
}
