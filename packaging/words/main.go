// Command words writes what is not Go of the tables of lib/job: the enumerations of the
// schemas, those of the PHP SDK, and tables of the docs. There is no second list of
// these words.
//
//	words [ROOT]
//
// ROOT is the folder of the repository, the current one when it is not given. In PHP and
// in pages, what is written stands between two lines; the first names it.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

func run(args []string, stderr io.Writer) int {
	root := "."
	if len(args) > 0 {
		root = args[0]
	}
	for _, name := range files() {
		if err := rewrite(filepath.Join(root, filepath.FromSlash(name)), name); err != nil {
			_, _ = fmt.Fprintln(stderr, "words:", err)
			return 1
		}
	}
	return 0
}

// rewrite makes a file anew, where that changes it.
func rewrite(path, name string) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	after, err := made(name, string(before))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if after == string(before) {
		return nil
	}
	return os.WriteFile(path, []byte(after), 0o600)
}
