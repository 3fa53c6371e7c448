// Command files does one thing to a file, for the tests of --dir. It is built for
// WASI.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := do(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func do(what string, args []string) error {
	switch what {
	case "read":
		data, err := os.ReadFile(args[0])
		fmt.Print(string(data))
		return err
	case "write":
		return os.WriteFile(args[0], []byte(args[1]+"\n"), 0o666)
	case "list":
		entries, err := os.ReadDir(args[0])
		for _, e := range entries {
			fmt.Println(e.Name())
		}
		return err
	case "remove":
		return os.Remove(args[0])
	case "mkdir":
		return os.Mkdir(args[0], 0o777)
	case "rename":
		return os.Rename(args[0], args[1])
	case "symlink":
		return os.Symlink(args[0], args[1])
	}
	return fmt.Errorf("what is %s?", what)
}
