package main

import (
	"fmt"
	"slices"
	"strings"

	"plasm/lib/cli"
)

// edition says of which build a page is.
type edition struct {
	version, date string
}

// head begins a page.
func (of edition) head(name string, section int, summary string) string {
	manual := map[int]string{1: "User Commands", 5: "File Formats", 8: "System Administration"}[section]
	// No hyphens that were not there, and no ragged words: flags are long.
	return fmt.Sprintf(".TH %s %d %s %s %q\n.nh\n.ad l\n.SH NAME\n%s \\- %s\n",
		roffWord(strings.ToUpper(name)), section, of.date, roffWord("plasm "+of.version), manual, roff(name),
		roff(summary))
}

// manual writes the page of a command, in the man macros (groff_man(7)). It is not what
// urfave/cli writes: that sorts flags by the alphabet, knows neither exit codes nor
// files, and calls every value "".
func manual(d *cli.Declaration, of edition) string {
	var out strings.Builder
	out.WriteString(of.head(page(d), d.Section, d.Summary))
	out.WriteString(".SH SYNOPSIS\n")
	for i, way := range d.Synopsis {
		if i > 0 {
			out.WriteString(".br\n")
		}
		fmt.Fprintf(&out, "\\fB%s\\fR %s\n", roff(d.Name), roff(way))
	}
	out.WriteString(".SH DESCRIPTION\n" + paragraphs(d.About))
	if len(d.Commands) > 0 {
		out.WriteString(".SH SUBCOMMANDS\nEach has a page of its own.\n" + terms(d.Commands))
	}
	out.WriteString(".SH OPTIONS\n")
	for _, c := range categories(d) {
		fmt.Fprintf(&out, ".SS %s\n", roffWord(c.name))
		for _, flag := range c.flags {
			term := `\fB` + roff(flag.Typed()) + `\fR`
			if flag.Value != "" {
				term += ` \fI` + roff(flag.Value) + `\fR`
			}
			fmt.Fprintf(&out, ".TP\n%s\n%s\n", term, roff(sentence(whole(flag))))
		}
		if c.note != "" {
			out.WriteString(paragraphs([]string{c.note}))
		}
	}
	out.WriteString(".SH EXIT STATUS\n" + terms(d.Exit) + paragraphs(d.Closing))
	if environment := environment(d); len(environment) > 0 {
		out.WriteString(".SH ENVIRONMENT\nA flag wins over its variable, and an empty variable counts as unset.\n" +
			terms(environment))
	}
	if len(d.Files) > 0 {
		out.WriteString(".SH FILES\n" + terms(d.Files))
	}
	fmt.Fprintf(&out, ".SH EXAMPLES\n.nf\n.RS\n%s\n.RE\n.fi\n", roff(strings.Join(d.Examples, "\n")))
	return out.String() + seeAlso(d.See)
}

// environment lists the variables of a command, each with its flag.
func environment(d *cli.Declaration) []cli.Term {
	all := slices.Clone(d.Environment)
	for _, flag := range d.Flags {
		for _, variable := range flag.GetEnvVars() {
			all = append(all, cli.Term{Name: variable, Text: "stands in for --" + flag.Name})
		}
	}
	slices.SortFunc(all, func(a, b cli.Term) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// configuration writes the page of the configuration file of plasmd serve.
func configuration(serve *cli.Declaration, of edition) string {
	var out strings.Builder
	out.WriteString(of.head("plasmd.toml", 5, "the configuration file of a node"))
	out.WriteString(".SH SYNOPSIS\n.I /etc/plasmd/plasmd.toml\n.br\n\\fBplasmd serve \\-\\-config\\fR " +
		"\\fIFILE\\fR\n.SH DESCRIPTION\n" + paragraphs([]string{
		"A file in TOML whose members are the flags of plasmd serve, without the dashes before them. A number is an " +
			"integer, an amount an integer or a string such as \"64M\", a switch " +
			"true or false, a flag that may be repeated a list of strings, and all else a string, durations too. A " +
			"flag on the command line wins over its variable, that over the file, and that over the default. A list " +
			"is taken from one place.",
		"A member that is no flag, or has a value of another kind, is an error: the node does not start. plasmd " +
			"serve --print-config prints what is set as such a file, and the rest as comments; plasmd check says " +
			"whether a node would start with one.",
	}) + ".SH MEMBERS\n")
	for _, c := range categories(serve) {
		var members []cli.Term
		for _, flag := range c.flags {
			if flag.Implied != "" {
				members = append(members, cli.Term{Name: flag.Name, Text: sentence(kindOf(flag) + ": " + whole(flag))})
			}
		}
		if len(members) > 0 {
			fmt.Fprintf(&out, ".SS %s\n%s", roffWord(c.name), terms(members))
		}
	}
	out.WriteString(".SH EXAMPLES\n.nf\n.RS\nslots = 4\nmemory = 4096\nmax\\-timeout = \"1h\"\nmdns = false\n" +
		"bootstrap = [\"/dns4/node.example/tcp/7527/p2p/12D3KooW...\"]\n.RE\n.fi\n")
	return out.String() + seeAlso([]string{"plasmd(8)", "plasmd-serve(8)", "plasmd-doctor(8)"})
}

// kindOf says how the value of a flag is written in the configuration file.
func kindOf(flag *cli.Flag) string {
	switch flag.Kind {
	case cli.Switch:
		if flag.Default == "true" {
			return "true or false (default true); false means"
		}
		return "true or false"
	case cli.Number:
		return "a whole number"
	case cli.Amount:
		return "a whole number, or a string with a unit"
	case cli.List:
		return "a list of strings"
	case cli.Text:
	}
	return "a string"
}

func paragraphs(texts []string) string {
	var out strings.Builder
	for _, text := range texts {
		fmt.Fprintf(&out, ".PP\n%s\n", roff(text))
	}
	return out.String()
}

func terms(all []cli.Term) string {
	var out strings.Builder
	for _, term := range all {
		fmt.Fprintf(&out, ".TP\n\\fB%s\\fR\n%s\n", roff(term.Name), roff(term.Text))
	}
	return out.String()
}

// seeAlso ends a page.
func seeAlso(others []string) string {
	var out strings.Builder
	out.WriteString(".SH SEE ALSO\n")
	for i, other := range others {
		name, section, _ := strings.Cut(strings.TrimSuffix(other, ")"), "(")
		comma := ","
		if i == len(others)-1 {
			comma = ""
		}
		fmt.Fprintf(&out, ".BR %s (%s)%s\n", roff(name), section, comma)
	}
	return out.String() + ".PP\nThe documentation is in\n.IR /usr/share/doc/plasm .\n"
}

// sentence ends a text with a full stop.
func sentence(text string) string {
	if strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// roff writes text so that it comes out as it is. The marks of code that a text may have
// are for Markdown.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `…`, `...`, `−`, `\-`, `'`, `\(aq`, `^`, `\(ha`, `~`, `\(ti`, "`",
		"").Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// roffWord writes text as one argument of a macro.
func roffWord(text string) string { return `"` + strings.ReplaceAll(roff(text), `"`, `\(dq`) + `"` }
