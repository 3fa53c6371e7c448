// Command pages writes the manual pages and the shell completions of the commands,
// from what they print for --help: there is no second list of their flags.
//
//	pages BIN OUT VERSION DATE
//
// BIN is the folder with the commands, OUT gets the files at their places below
// /usr/share, VERSION and DATE (2006-01-02) go into the footers of the pages.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// commands are those that have pages, and the section of the manual that each is
// in.
var commands = []struct {
	name    string
	section int
}{
	{"plasm-run", 1},
	{"plasm-submit", 1},
	{"plasm-discover", 1},
	{"plasm-verify", 1},
	{"plasmd", 8},
}

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

func run(args []string, stderr io.Writer) int {
	if len(args) != 4 {
		_, _ = fmt.Fprintln(stderr, "pages: wrong use: pages BIN OUT VERSION DATE")
		return 2
	}
	if err := write(context.Background(), args[0], args[1], edition{version: args[2], date: args[3]}); err != nil {
		_, _ = fmt.Fprintln(stderr, "pages:", err)
		return 1
	}
	return 0
}

// write makes all files.
func write(ctx context.Context, bin, out string, of edition) error {
	for _, c := range commands {
		main, err := ask(ctx, bin, c.name)
		if err != nil {
			return err
		}
		var subs []*help
		for _, sub := range main.subcommands() {
			h, err := ask(ctx, bin, c.name, sub)
			if err != nil {
				return err
			}
			subs = append(subs, h)
		}
		of.section = c.section
		files := map[string]string{
			fmt.Sprintf("man/man%d/%s.%d", c.section, c.name, c.section): manual(main, subs, of),
			"bash-completion/completions/" + c.name:                      bash(main, subs),
			"zsh/vendor-completions/_" + c.name:                          zsh(main, subs),
			"fish/vendor_completions.d/" + c.name + ".fish":              fish(main, subs),
		}
		for name, text := range files {
			path := filepath.Join(out, filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(text), 0o600)); err != nil {
				return err
			}
		}
	}
	return nil
}

// ask has a command explain itself.
func ask(ctx context.Context, bin string, words ...string) (*help, error) {
	//nolint:gosec // commands of ours, in the folder that the caller names
	cmd := exec.CommandContext(ctx, filepath.Join(bin, words[0]), append(words[1:], "--help")...)
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s --help: %w: %s", strings.Join(words, " "), err, bytes.TrimSpace(problem.Bytes()))
	}
	h, err := parse(out.String())
	if err != nil {
		return nil, fmt.Errorf("%s --help: %w", strings.Join(words, " "), err)
	}
	h.name = strings.Join(words, " ")
	return h, nil
}
