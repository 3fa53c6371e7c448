package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// draw writes a picture whose left half is white and whose right half is black.
func draw(t *testing.T, path string, width, height int) {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width / 2 {
			picture.SetGray(x, y, color.Gray{Y: 255})
		}
	}
	var data bytes.Buffer
	if err := png.Encode(&data, picture); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestThumbnails(t *testing.T) {
	t.Parallel()
	in, out := t.TempDir(), t.TempDir()
	draw(t, filepath.Join(in, "sub", "wide.png"), 301, 10)
	draw(t, filepath.Join(in, "high.png"), 2, 200)
	draw(t, filepath.Join(in, "small.png"), 20, 20)
	if err := os.WriteFile(filepath.Join(in, "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := run([]string{"20"}, in, out, &stdout, &stderr); code != 0 || stderr.Len() > 0 {
		t.Fatalf("exit %d, stderr %q", code, &stderr)
	}
	want := "high.png 2x200 -> 1x20\nsmall.png 20x20 -> 20x20\nsub/wide.png 301x10 -> 20x1\n"
	if stdout.String() != want {
		t.Errorf("stdout is %q, want %q", &stdout, want)
	}
	file, err := os.Open(filepath.Join(out, "sub", "wide.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	picture, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	left, _, _, _ := picture.At(0, 0).RGBA()
	right, _, _, _ := picture.At(19, 0).RGBA()
	if left != 0xffff || right != 0 {
		t.Errorf("the halves are %#x and %#x", left, right)
	}
}

func TestThumbnailsErrors(t *testing.T) {
	t.Parallel()
	in := t.TempDir()
	if err := os.WriteFile(filepath.Join(in, "a.png"), []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		in   string
		code int
		want string
	}{
		{nil, in, 1, "thumbnails: a.png: png: invalid format: not a PNG file\n"},
		{[]string{"0"}, in, 2, "thumbnails: \"0\" is not a number of pixels, 1 to 16384\n"},
		{[]string{"x"}, in, 2, "thumbnails: \"x\" is not a number of pixels, 1 to 16384\n"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(c.args, c.in, t.TempDir(), &stdout, &stderr); code != c.code || stderr.String() != c.want {
			t.Errorf("%q: exit %d, stderr %q", c.args, code, &stderr)
		}
	}
}
