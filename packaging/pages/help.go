package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// help is what a command prints for --help.
type help struct {
	name     string // of the command, or of command and subcommand
	synopsis []string
	blocks   []block
}

// block is a piece of a help: a heading, a paragraph, what a list explains, or
// lines to be shown as they are.
type block struct {
	heading string
	text    string
	items   []item
	lines   []string
}

// item is a flag, or a word, and what it means.
type item struct {
	term, text string
}

// flag is an item that is a flag.
type flag struct {
	short, long, value string // without dashes; short and value may be ""
	text               string
	optional           bool // the value may be left out
}

var (
	// A flag, with the name of its value if it takes one, or a subcommand.
	itemLine = regexp.MustCompile(`^  ((?:-\w, )?--[a-z-]+(?:=\S+| [A-Z]\S*)?|[a-z]+ )(?: +(\S.*))?$`)
	// A flag that has its value behind an equals sign is a boolean.
	flagTerm = regexp.MustCompile(`^(?:-(\w), )?--([a-z-]+)(?:=(\S+)| (\S+))?$`)
)

// parse reads a help. What it does not understand is an error: a page with less
// than the help would be worse than none.
func parse(text string) (*help, error) {
	usage, body, found := strings.Cut(text, "\n\n")
	if !found || !strings.HasPrefix(usage, "Usage: ") {
		return nil, errors.New("it does not begin with Usage: and an empty line")
	}
	h := &help{}
	for line := range strings.SplitSeq(usage, "\n") {
		h.synopsis = append(h.synopsis, strings.TrimSpace(strings.TrimPrefix(line, "Usage: ")))
	}
	for paragraph := range strings.SplitSeq(strings.Trim(body, "\n"), "\n\n") {
		if err := h.add(strings.Split(paragraph, "\n")); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// add takes what stands between two empty lines.
func (h *help) add(lines []string) error {
	if strings.HasSuffix(lines[0], ":") && !strings.HasPrefix(lines[0], " ") {
		title := strings.TrimSuffix(lines[0], ":")
		h.blocks = append(h.blocks, block{heading: title})
		lines = lines[1:]
		if title == "Examples" {
			for i, line := range lines {
				lines[i] = strings.TrimPrefix(line, "  ")
			}
			h.blocks = append(h.blocks, block{lines: lines})
			return nil
		}
	}
	for len(lines) > 0 {
		n, err := h.next(lines)
		if err != nil {
			return err
		}
		lines = lines[n:]
	}
	return nil
}

// next takes a list, or a paragraph, and says how many lines that were.
func (h *help) next(lines []string) (int, error) {
	var items []item
	n := 0
	for n < len(lines) {
		if m := itemLine.FindStringSubmatch(lines[n]); len(m) == 3 {
			items = append(items, item{strings.TrimSpace(m[1]), m[2]})
		} else if len(items) > 0 && strings.HasPrefix(lines[n], "      ") {
			last := &items[len(items)-1]
			last.text = strings.TrimSpace(last.text + " " + strings.TrimSpace(lines[n]))
		} else {
			break
		}
		n++
	}
	if n > 0 {
		h.blocks = append(h.blocks, block{items: items})
		return n, nil
	}
	if strings.HasPrefix(strings.TrimSpace(lines[0]), "-") {
		return 0, fmt.Errorf("neither a flag nor a paragraph: %q", lines[0])
	}
	var words []string
	for n < len(lines) && (n == 0 || itemLine.FindStringSubmatch(lines[n]) == nil) {
		words = append(words, strings.TrimSpace(lines[n]))
		n++
	}
	h.blocks = append(h.blocks, block{text: strings.Join(words, " ")})
	return n, nil
}

// subcommands returns the words that the synopsis has behind the command's name.
func (h *help) subcommands() []string {
	var subs []string
	for _, line := range h.synopsis {
		if words := strings.Fields(line); len(words) > 1 && regexp.MustCompile(`^[a-z]+$`).MatchString(words[1]) {
			subs = append(subs, words[1])
		}
	}
	return slices.Compact(subs)
}

// flags returns the flags, in the order of the help.
func (h *help) flags() []flag {
	var all []flag
	for _, b := range h.blocks {
		for _, i := range b.items {
			m := flagTerm.FindStringSubmatch(i.term)
			if m == nil {
				continue
			}
			f := flag{short: m[1], long: m[2], value: m[4], text: i.text}
			if m[3] != "" {
				f.value, f.optional = m[3], true
			}
			all = append(all, f)
		}
	}
	return all
}

// summary is the first sentence, as a list of pages has it.
func (h *help) summary() string {
	for _, b := range h.blocks {
		if b.text != "" {
			first, _, _ := strings.Cut(b.text, ". ")
			first = strings.TrimSuffix(first, ".")
			return strings.ToLower(first[:1]) + first[1:]
		}
	}
	return ""
}
