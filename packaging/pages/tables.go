package main

import (
	"fmt"
	"regexp"
	"strings"

	"plasm/lib/cli"
)

// tableMark begins a table: the command, and the category where a page has one table
// for each. The table ends at endMark.
var tableMark = regexp.MustCompile(`(?m)^<!-- flags of ([a-z -]+?)(?:: (.+))?, written by make docs -->$`)

const endMark = "<!-- end of flags -->"

// tables returns a page with the tables between its marks made anew.
func tables(page string, all []*cli.Declaration) (string, error) {
	var out strings.Builder
	for {
		at := tableMark.FindStringSubmatchIndex(page)
		if at == nil {
			break
		}
		mark := tableMark.FindStringSubmatch(page)
		_, rest, found := strings.Cut(page[at[1]:], "\n"+endMark)
		if !found {
			return "", fmt.Errorf("no %s behind %s", endMark, mark[0])
		}
		made, err := table(all, mark[1], mark[2])
		if err != nil {
			return "", err
		}
		out.WriteString(page[:at[1]] + "\n\n" + made + "\n" + endMark)
		page = rest
	}
	if out.Len() == 0 {
		return "", fmt.Errorf("no mark such as: <!-- flags of plasm-run, written by make docs -->")
	}
	return out.String() + page, nil
}

// table is the table of a command, or of one category of its flags.
func table(all []*cli.Declaration, name, category string) (string, error) {
	for _, d := range all {
		if d.Name != name {
			continue
		}
		var rows []*cli.Flag
		for _, flag := range d.Flags {
			if category == "" || flag.Category == category {
				rows = append(rows, flag)
			}
		}
		if len(rows) == 0 {
			return "", fmt.Errorf("%s has no flags under %q", name, category)
		}
		return markdown(rows), nil
	}
	return "", fmt.Errorf("there is no command %q", name)
}

// markdown is a table of flags: without columns that would be empty.
func markdown(flags []*cli.Flag) string {
	titles := []string{"flag", "what it says", "variable", "default"}
	used := []bool{true, true, false, false}
	rows := make([][]string, 0, len(flags))
	for _, flag := range flags {
		row := cells(flag)
		for i, cell := range row {
			used[i] = used[i] || cell != ""
		}
		rows = append(rows, row)
	}
	var out strings.Builder
	for _, row := range append([][]string{titles, {"---", "---", "---", "---"}}, rows...) {
		for i, cell := range row {
			if used[i] {
				out.WriteString("| " + cell + " ")
			}
		}
		out.WriteString("|\n")
	}
	return out.String()
}

// cells are those of a flag's row.
func cells(flag *cli.Flag) []string {
	term := flag.Typed()
	if flag.Value != "" {
		term += " " + flag.Value
	}
	text := flag.Usage
	if flag.Kind == cli.List {
		text += "; may be repeated"
	}
	if flag.More != "" {
		text += ". " + strings.TrimSuffix(flag.More, ".")
	}
	variables := make([]string, 0, len(flag.Variables))
	for _, variable := range flag.Variables {
		variables = append(variables, "`"+variable+"`")
	}
	return []string{
		"`" + strings.ReplaceAll(escaped(term), ", ", "`, `") + "`", code(escaped(text)), strings.Join(variables, ", "),
		escaped(flag.Default),
	}
}

// escaped is a text as the cell of a table has it.
func escaped(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// flagWord is a flag, or a file of the user's, within a text.
var flagWord = regexp.MustCompile("(^|[ (])(--[a-z][a-z-]*)|`[^`]*`")

// code marks the flags in a text as code, but for those that are.
func code(text string) string { return flagWord.ReplaceAllStringFunc(text, marked) }

func marked(match string) string {
	if strings.HasPrefix(match, "`") {
		return match
	}
	before, flag, _ := strings.Cut(match, "--")
	return before + "`--" + flag + "`"
}
