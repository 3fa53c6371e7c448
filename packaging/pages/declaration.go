package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"plasm/lib/cli"
)

// ask has a command declare itself: its flags and subcommands, and what is said of them.
func ask(ctx context.Context, bin, name string) (*cli.Declaration, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, name), "--declarations") //nolint:gosec // a command of ours, in the folder that the caller names
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s --declarations: %w: %s", name, err, bytes.TrimSpace(problem.Bytes()))
	}
	var d cli.Declaration
	if err := json.Unmarshal(out.Bytes(), &d); err != nil {
		return nil, fmt.Errorf("%s --declarations: %w", name, err)
	}
	return &d, nil
}

// word is a subcommand's name without that of its command.
func word(d *cli.Declaration) string {
	_, word, _ := strings.Cut(d.Name, " ")
	return word
}

// page is the name of a command's page: of a subcommand with a hyphen.
func page(d *cli.Declaration) string { return strings.ReplaceAll(d.Name, " ", "-") }

// category is a heading with its flags and its note.
type category struct {
	name, note string
	flags      []*cli.Flag
}

// categories returns the flags by heading, in their order.
func categories(d *cli.Declaration) []category {
	var all []category
	for _, flag := range d.Flags {
		if len(all) == 0 || all[len(all)-1].name != flag.Category {
			all = append(all, category{name: flag.Category, note: d.Notes[flag.Category]})
		}
		last := &all[len(all)-1]
		last.flags = append(last.flags, flag)
	}
	return all
}

// whole is all that is said of a flag.
func whole(flag *cli.Flag) string {
	text := flag.Effect()
	if flag.More != "" {
		text += ". " + flag.More
	}
	return text
}
