// Command pages writes the manual pages and the shell completions of the commands, and
// the tables of their flags in docs/commands.md, from what the commands declare: there
// is no second list of their flags.
//
//	pages BIN OUT VERSION DATE
//	pages BIN PAGE
//
// BIN is the folder with the commands. OUT gets manual pages and completions at their
// places below /usr/share; VERSION and DATE (2006-01-02) go into the footers of the
// manual pages. PAGE is the page with the tables, which are written between its marks.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"plasm/lib/cli"
)

// commands are those that have pages.
var commands = []string{"plasm-run", "plasm-submit", "plasm-discover", "plasm-verify", "plasmd"}

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

func run(args []string, stderr io.Writer) int {
	var err error
	switch len(args) {
	case 2:
		err = writeTables(context.Background(), args[0], args[1])
	case 4:
		of := edition{version: args[2], date: args[3]} //nolint:gosec // there are four
		err = write(context.Background(), args[0], args[1], of)
	default:
		_, _ = fmt.Fprintln(stderr, "pages: wrong use: pages BIN OUT VERSION DATE, or pages BIN PAGE")
		return 2
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "pages:", err)
		return 1
	}
	return 0
}

// write makes all manual pages and completions.
func write(ctx context.Context, bin, out string, of edition) error {
	for _, name := range commands {
		d, err := ask(ctx, bin, name)
		if err != nil {
			return err
		}
		files := map[string]string{
			"bash-completion/completions/" + name:              bash(d),
			"zsh/vendor-completions/_" + name:                  zsh(d),
			"fish/vendor_completions.d/" + name + ".fish":      fish(d),
			fmt.Sprintf("man/man%d/%s.%[1]d", d.Section, name): manual(d, of),
		}
		for i := range d.Subcommands {
			sub := &d.Subcommands[i]
			files[fmt.Sprintf("man/man%d/%s.%[1]d", sub.Section, page(sub))] = manual(sub, of)
			if sub.Name == "plasmd serve" {
				files["man/man5/plasmd.toml.5"] = configuration(sub, of)
			}
		}
		for name, text := range files {
			path := filepath.Join(out, filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750),
				os.WriteFile(path, []byte(text), 0o600)); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeTables makes the tables of all commands anew.
func writeTables(ctx context.Context, bin, path string) error {
	var all []*cli.Declaration
	for _, name := range commands {
		d, err := ask(ctx, bin, name)
		if err != nil {
			return err
		}
		all = append(all, d)
		for i := range d.Subcommands {
			all = append(all, &d.Subcommands[i])
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	made, err := tables(string(text), all)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(made), 0o600)
}
