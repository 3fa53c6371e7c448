// Command thumbnails reads the PNG pictures in the folder /in and below, and writes
// smaller ones of the same names to the folder /out, none wider or higher than its
// argument says: 128 pixels when there is none. Other files are passed over.
//
// It is ordinary Go and knows nothing of plasm:
//
//	GOOS=wasip1 GOARCH=wasm go build -o thumbnails.wasm ./examples/thumbnails
package main

import (
	"fmt"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

func main() {
	os.Exit(run(os.Args[1:], "/in", "/out", os.Stdout, os.Stderr))
}

// run is the command; it returns its exit status.
func run(args []string, in, out string, stdout, stderr io.Writer) int {
	size := 128
	if len(args) > 0 {
		var err error
		if size, err = strconv.Atoi(args[0]); err != nil || size < 1 || size > 1<<14 {
			_, _ = fmt.Fprintf(stderr, "thumbnails: %q is not a number of pixels, 1 to %d\n", args[0], 1<<14)
			return 2
		}
	}
	err := filepath.WalkDir(in, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || filepath.Ext(path) != ".png" {
			return err
		}
		name, err := filepath.Rel(in, path)
		if err != nil {
			return err
		}
		line, err := shrink(path, filepath.Join(out, name), size)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		_, err = fmt.Fprintf(stdout, "%s %s\n", name, line)
		return err
	})
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "thumbnails: %v\n", err)
		return 1
	}
	return 0
}

// shrink makes the picture to of the picture from, and says what it did.
func shrink(from, to string, size int) (string, error) {
	file, err := os.Open(from)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	picture, err := png.Decode(file)
	if err != nil {
		return "", err
	}
	small := scale(picture, size)
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return "", err
	}
	made, err := os.Create(to)
	if err != nil {
		return "", err
	}
	err = png.Encode(made, small)
	if closed := made.Close(); err == nil {
		err = closed
	}
	was, is := picture.Bounds(), small.Bounds()
	return fmt.Sprintf("%dx%d -> %dx%d", was.Dx(), was.Dy(), is.Dx(), is.Dy()), err
}
