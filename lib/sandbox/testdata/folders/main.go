//go:build wasip1

// Command folders is a guest that works in its folders as its first argument says.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := work(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func work(what string) error {
	switch what {
	case "copy": // all of /in to /out
		return os.CopyFS("/out", os.DirFS("/in"))
	case "list":
		return filepath.Walk("/", func(path string, info os.FileInfo, err error) error {
			if err == nil {
				fmt.Println(path, info.IsDir(), info.ModTime().UTC())
			}
			return err
		})
	case "fill": // until there is no more room
		for i := range 1000 {
			if err := os.WriteFile(fmt.Sprintf("/out/%03d", i), make([]byte, 64<<10), 0o600); err != nil {
				fmt.Println(err)
				return nil
			}
		}
	case "trap":
		if err := os.WriteFile("/out/before", []byte("before"), 0o600); err != nil {
			return err
		}
		var none *int
		*none = 1
	case "change": // what /out began as
		if err := os.Rename("/out/a", "/out/b"); err != nil {
			return err
		}
		return os.WriteFile("/out/sub/c", []byte("changed"), 0o600)
	case "escape":
		for _, path := range []string{"/etc/passwd", "/out/../etc/passwd", "/proc/self/mem"} {
			if _, err := os.ReadFile(path); err == nil {
				return fmt.Errorf("%s can be read", path)
			}
		}
	}
	return nil
}
