package main

import (
	"fmt"
	"slices"
	"strings"

	"plasm/lib/job"
)

// kind is what a flag's value can be completed to.
type kind struct {
	files, folders bool
	words          []string
}

// kind looks at the name that the help has for the value.
func (f flag) kind() kind {
	switch {
	case f.value == "LEVEL":
		return kind{words: []string{"debug", "info", "warn", "error"}}
	case f.value == "FORMAT":
		return kind{words: []string{"text", "json"}}
	case f.long == "print":
		return kind{words: []string{"stdout", "stderr", "statement"}}
	case f.long == "reachability":
		return kind{words: []string{"auto", "public", "private"}}
	case f.value == "LIST":
		return kind{words: append([]string{"none"}, job.Guards()...)}
	case f.value == "DIR", strings.HasPrefix(f.value, "HOST"):
		return kind{folders: true}
	case strings.Contains(f.value, "FILE"), f.value == "PATH":
		return kind{files: true}
	}
	return kind{}
}

// words returns the flag as it is typed.
func (f flag) words() []string {
	words := []string{"--" + f.long}
	if f.optional {
		words[0] += "=" + f.value
	}
	if f.short != "" {
		words = append(words, "-"+f.short)
	}
	return words
}

// identifier is a command's name as a shell function may have it.
func identifier(name string) string { return strings.NewReplacer("-", "_", " ", "_").Replace(name) }

// bash writes a completion for bash.
func bash(main *help, subs []*help) string {
	var out strings.Builder
	fmt.Fprintf(&out, "# bash completion for %s, made from its --help\n\n_%s() {\n", main.name, identifier(main.name))
	out.WriteString("\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n\tCOMPREPLY=()\n")
	if len(subs) > 0 {
		fmt.Fprintf(&out, "\tif [ \"$COMP_CWORD\" -eq 1 ] && [[ $cur != -* ]]; then\n\t\tmapfile -t COMPREPLY < <(compgen -W %s -- \"$cur\")\n\t\treturn\n\tfi\n",
			quote(strings.Join(main.subcommands(), " ")))
		out.WriteString("\tcase ${COMP_WORDS[1]} in\n")
		for _, sub := range subs {
			_, word, _ := strings.Cut(sub.name, " ")
			fmt.Fprintf(&out, "\t%s)\n%s\t\treturn\n\t\t;;\n", word, bashFlags(sub, "\t\t"))
		}
		out.WriteString("\tesac\n")
	}
	out.WriteString(bashFlags(main, "\t"))
	fmt.Fprintf(&out, "}\n\ncomplete -o default -F _%s %s\n", identifier(main.name), main.name)
	return out.String()
}

// bashFlags completes a flag's value, or a flag.
func bashFlags(h *help, indent string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%scase $prev in\n", indent)
	var words []string
	for _, f := range h.flags() {
		words = append(words, f.words()...)
		if f.value == "" || f.optional {
			continue
		}
		how := "return"
		switch k := f.kind(); {
		case k.words != nil:
			how = fmt.Sprintf("mapfile -t COMPREPLY < <(compgen -W %s -- \"$cur\"); return", quote(strings.Join(k.words, " ")))
		case k.folders:
			how = `mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return`
		}
		fmt.Fprintf(&out, "%s--%s) %s ;;\n", indent, f.long, how)
	}
	fmt.Fprintf(&out, "%sesac\n%sif [[ $cur == -* ]]; then\n%s\tmapfile -t COMPREPLY < <(compgen -W %s -- \"$cur\")\n%sfi\n",
		indent, indent, indent, quote(strings.Join(words, " ")), indent)
	return out.String()
}

// zsh writes a completion for zsh.
func zsh(main *help, subs []*help) string {
	var out strings.Builder
	fmt.Fprintf(&out, "#compdef %s\n# made from its --help\n\n", main.name)
	if len(subs) > 0 {
		fmt.Fprintf(&out, "if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n\tcompadd -- %s\n\treturn\nfi\ncase $words[2] in\n", strings.Join(main.subcommands(), " "))
		for _, sub := range subs {
			_, word, _ := strings.Cut(sub.name, " ")
			fmt.Fprintf(&out, "%s)\n\t(( CURRENT-- ))\n\tshift words\n\t%s\n\treturn\n\t;;\n", word, zshFlags(sub))
		}
		out.WriteString("esac\n")
	}
	fmt.Fprintf(&out, "%s\n", zshFlags(main))
	return out.String()
}

func zshFlags(h *help) string {
	specs := []string{"_arguments -S"}
	for _, f := range h.flags() {
		text := strings.NewReplacer("[", "(", "]", ")", ":", " -", `\`, "").Replace(short(f.text))
		value := ""
		switch k := f.kind(); {
		case f.value == "":
		case k.words != nil:
			value = fmt.Sprintf(":%s:(%s)", strings.ToLower(f.value), strings.Join(k.words, " "))
		case k.folders:
			value = ":folder:_files -/"
		case k.files:
			value = ":file:_files"
		case f.optional:
			value = fmt.Sprintf(":value:(%s)", f.value)
		default:
			value = ": :"
		}
		name := "--" + f.long
		if f.optional {
			name += "=-"
		}
		specs = append(specs, quote("*"+name+"["+text+"]"+value))
		if f.short != "" {
			specs = append(specs, quote("*-"+f.short+"["+text+"]"+value))
		}
	}
	return strings.Join(append(specs, "'*:file:_files'"), " \\\n\t")
}

// fish writes a completion for fish.
func fish(main *help, subs []*help) string {
	var out strings.Builder
	fmt.Fprintf(&out, "# made from the --help of %s\n", main.name)
	if len(subs) > 0 {
		names := strings.Join(main.subcommands(), " ")
		fmt.Fprintf(&out, "complete -c %s -f -n %s -a %s\n", main.name, quote("not __fish_seen_subcommand_from "+names), quote(names))
	}
	out.WriteString(fishFlags(main, main.name, ""))
	for _, sub := range subs {
		_, word, _ := strings.Cut(sub.name, " ")
		out.WriteString(fishFlags(sub, main.name, "__fish_seen_subcommand_from "+word))
	}
	return out.String()
}

func fishFlags(h *help, command, condition string) string {
	var out strings.Builder
	for _, f := range h.flags() {
		line := []string{"complete", "-c", command, "-l", f.long}
		if condition != "" {
			line = slices.Insert(line, 3, "-n", quote(condition))
		}
		if f.short != "" {
			line = append(line, "-s", f.short)
		}
		switch k := f.kind(); {
		case f.value == "":
		case f.optional:
			line = append(line, "-a", f.value)
		case k.words != nil:
			line = append(line, "-x", "-a", quote(strings.Join(k.words, " ")))
		case k.folders:
			line = append(line, "-x", "-a", quote("(__fish_complete_directories)"))
		case k.files:
			line = append(line, "-r", "-F")
		default:
			line = append(line, "-x")
		}
		fmt.Fprintln(&out, strings.Join(append(line, "-d", quote(short(f.text))), " "))
	}
	return out.String()
}

// short is what a flag means, without what is in parentheses and what comes behind
// a semicolon.
func short(text string) string {
	text, _, _ = strings.Cut(text, "; ")
	text, _, _ = strings.Cut(text, " (")
	return text
}

// quote is a word as all three shells take it: fish alone has escapes between
// single quotes, and none of our texts a backslash.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "’") + "'" }
