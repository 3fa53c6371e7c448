package main

import (
	"fmt"
	"slices"
	"strings"

	"plasm/lib/cli"
)

// The completions are not urfave/cli's: these start the command at every key, complete
// no values, offer files everywhere, and take a word that may be the guest's for theirs.

// trusted prints the nodes of the user's trust file, and their names, a line each.
const trusted = `awk '{ sub(/#.*/, "") } $1 != "" && $1 != "any" { print $1; if ($2 != "") print $2 }' ` +
	`"${PLASM_TRUST:-${XDG_CONFIG_HOME:-$HOME/.config}/plasm/trust}" 2>/dev/null`

// identifier is a command's name as a shell function may have it.
func identifier(name string) string { return strings.NewReplacer("-", "_", " ", "_").Replace(name) }

// quote is a text as one word of bash and zsh.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// fishQuote is a text as one word of fish.
func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}

// names are a flag's as they are typed.
func names(flag *cli.Flag) []string {
	if flag.Short == "" {
		return []string{"--" + flag.Name}
	}
	return []string{"--" + flag.Name, "-" + flag.Short}
}

// valued are the flags whose value is the next word.
func valued(d *cli.Declaration) []string {
	var all []string
	for _, flag := range d.Flags {
		if flag.Kind != cli.Switch {
			all = append(all, names(flag)...)
		}
	}
	return all
}

// bash writes a completion for bash.
func bash(d *cli.Declaration) string {
	function := "_" + identifier(d.Name)
	var out strings.Builder
	fmt.Fprintf(&out, `# bash completion for %[1]s, made from what it declares

%[2]s_words() { # WORD...: the value is one of these
	mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur")
}

%[2]s_list() { # WORD...: several of these, with commas between
	local head=
	[[ $cur == *,* ]] && head=${cur%%,*},
	mapfile -t COMPREPLY < <(compgen -P "$head" -W "$*" -- "${cur##*,}")
}

%[2]s_files() { # ENDING...: a file with one of these, or a folder on the way to it
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <({
		compgen -d -- "$cur"
		for ending; do compgen -f -X "!*$ending" -- "$cur"; done
	} | sort -u)
}

%[2]s_folders() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -d -- "$cur")
}

%[2]s_nodes() { # in the trust file
	mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W "$(%[3]s)" -- "$cur")
}

%[2]s() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} glued= operands=0 i
	COMPREPLY=()
	# An equals sign is a word of its own.
	if [[ $cur == = ]]; then
		cur= glued=1
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD-2]} glued=1
	fi
`, d.Name, function, trusted)
	if len(d.Subcommands) > 0 {
		words := make([]string, 0, len(d.Subcommands))
		for i := range d.Subcommands {
			words = append(words, word(&d.Subcommands[i]))
		}
		fmt.Fprintf(&out,
			"\tif ((COMP_CWORD == 1)) && [[ $cur != -* ]]; then\n\t\t%s_words %s\n\t\treturn\n\tfi\n\tcase "+
				"${COMP_WORDS[1]} in\n",
			function, strings.Join(words, " "))
		for i := range d.Subcommands {
			sub := &d.Subcommands[i]
			fmt.Fprintf(&out, "\t%s)\n%s\t\treturn\n\t\t;;\n", word(sub), bashFlags(sub, function, 2))
		}
		out.WriteString("\tesac\n")
	}
	out.WriteString(bashFlags(d, function, 1))
	fmt.Fprintf(&out, "}\n\ncomplete -F %s %s\n", function, d.Name)
	return out.String()
}

// bashFlags completes a flag's value, a flag, or an operand.
func bashFlags(d *cli.Declaration, function string, from int) string {
	indent := strings.Repeat("\t", from)
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, indent+format+"\n", args...) }
	line("for ((i = %d; i < COMP_CWORD; i++)); do", from)
	line("\tcase ${COMP_WORDS[i]} in")
	line("\t%s)", strings.Join(valued(d), " | "))
	line("\t\t[[ ${COMP_WORDS[i+1]} != = ]] || ((i++))")
	line("\t\t((i++))")
	line("\t\t;;")
	line("\t=) ((i++)) ;;")
	line("\t-?*) ;;")
	line("\t*) ((operands++)) ;;")
	line("\tesac")
	line("done")
	if !d.Mixed { // what follows is the guest's
		line("if ((operands > 0)); then")
		line("\t%s_files ''", function)
		line("\treturn")
		line("fi")
	}
	line("case $prev in")
	var words []string
	for _, flag := range d.Flags {
		for _, name := range names(flag) {
			if flag.Kind == cli.Switch && flag.Default == "true" {
				name += "=false"
			}
			words = append(words, name)
		}
		pattern := strings.Join(names(flag), " | ")
		if flag.Kind == cli.Switch {
			line("%s) [[ -z $glued ]] || { %s_words true false; return; } ;;", pattern, function)
			continue
		}
		line("%s) %sreturn ;;", pattern, bashValue(&flag.Complete, function))
	}
	line("esac")
	line("if [[ $cur == -* ]]; then")
	line("\t%s_words %s", function, strings.Join(words, " "))
	line("\treturn")
	line("fi")
	if how := bashValue(&d.Operands, function); how != "" {
		line("%s", strings.TrimSuffix(how, "; "))
	}
	return out.String()
}

// bashValue completes a value, and is empty where there is nothing to offer.
func bashValue(c *cli.Completion, function string) string {
	var all []string
	switch {
	case c.List:
		return fmt.Sprintf("%s_list %s; ", function, strings.Join(c.Words, " "))
	case len(c.Words) > 0:
		return fmt.Sprintf("%s_words %s; ", function, strings.Join(c.Words, " "))
	case c.Folders:
		return function + "_folders; "
	case len(c.Files) > 0:
		for _, ending := range c.Files {
			all = append(all, quote(ending))
		}
		how := fmt.Sprintf("%s_files %s; ", function, strings.Join(all, " "))
		if c.Peers {
			how += function + "_nodes; "
		}
		return how
	case c.Peers:
		return function + "_nodes; "
	}
	return ""
}

// zsh writes a completion for zsh.
func zsh(d *cli.Declaration) string {
	function := "_" + identifier(d.Name)
	var out strings.Builder
	fmt.Fprintf(&out, "#compdef %s\n# made from what it declares\n\n", d.Name)
	fmt.Fprintf(&out, "%s_nodes() { # in the trust file\n\tlocal -a nodes=(${(f)\"$(%s)\"})\n\tcompadd -a nodes\n}\n\n",
		function, trusted)
	if len(d.Subcommands) > 0 {
		out.WriteString("if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n\tlocal -a subcommands=(\n")
		for i := range d.Subcommands {
			sub := &d.Subcommands[i]
			fmt.Fprintf(&out, "\t\t%s\n", quote(word(sub)+":"+sub.Summary))
		}
		out.WriteString("\t)\n\t_describe subcommand subcommands\n\treturn\nfi\ncase $words[2] in\n")
		for i := range d.Subcommands {
			sub := &d.Subcommands[i]
			fmt.Fprintf(&out, "%s)\n\t(( CURRENT-- ))\n\tshift words\n\t%s\n\treturn\n\t;;\n", word(sub),
				zshFlags(sub, function))
		}
		out.WriteString("esac\n")
	}
	fmt.Fprintf(&out, "%s\n", zshFlags(d, function))
	return out.String()
}

func zshFlags(d *cli.Declaration, function string) string {
	specs := []string{"_arguments -S"}
	if !d.Mixed {
		specs[0] += " -A '-*'"
	}
	for _, flag := range d.Flags {
		text := strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "`", "").Replace(flag.Usage)
		for _, name := range names(flag) {
			value := ""
			switch {
			case flag.Kind != cli.Switch:
				value = zshValue(&flag.Complete, flag.Value, function)
			case flag.Default == "true" && strings.HasPrefix(name, "--"):
				name, value = name+"=-", ":value:(false true)"
			}
			specs = append(specs, quote("*"+name+"["+text+"]"+value))
		}
	}
	switch operand := zshValue(&d.Operands, "operand", function); {
	case len(d.Operands.Files) == 0:
	case d.Mixed:
		specs = append(specs, quote("*"+operand))
	default:
		specs = append(specs, quote("1"+operand), "'*::argument:_files'")
	}
	return strings.Join(specs, " \\\n\t")
}

// zshValue is what _arguments takes for a value.
func zshValue(c *cli.Completion, name, function string) string {
	name = strings.NewReplacer(":", `\:`, "[", "", "]", "").Replace(strings.ToLower(name))
	switch {
	case c.List:
		return fmt.Sprintf(":%s:_values -s , %s %s", name, name, strings.Join(c.Words, " "))
	case len(c.Words) > 0:
		return fmt.Sprintf(":%s:(%s)", name, strings.Join(c.Words, " "))
	case c.Folders:
		return fmt.Sprintf(":%s:_files -/", name)
	case len(c.Files) == 0 && c.Peers:
		return fmt.Sprintf(":%s:%s_nodes", name, function)
	case len(c.Files) == 0:
		return fmt.Sprintf(":%s: ", name)
	case slices.Contains(c.Files, ""):
		return fmt.Sprintf(":%s:_files", name)
	case c.Peers:
		return fmt.Sprintf(`:%s:_alternative "nodes:node:%s_nodes" "files:file:_files -g \"*(%s)\""`, name, function,
			strings.Join(c.Files, "|"))
	}
	return fmt.Sprintf(`:%s:_files -g "*(%s)"`, name, strings.Join(c.Files, "|"))
}

// fish writes a completion for fish.
func fish(d *cli.Declaration) string {
	function := "__" + identifier(d.Name)
	var out strings.Builder
	fmt.Fprintf(&out, "# fish completion for %s, made from what it declares\n", d.Name)
	fmt.Fprintf(&out, `
function %[1]s_nodes --description 'The nodes in the trust file'
    sh -c %[2]s
end

function %[1]s_operand --description 'Is there an operand before the cursor?'
    set -l value no
    for token in (commandline -opc)[2..-1]
        if test $value = yes
            set value no
            continue
        end
        switch $token
            case %[3]s
                set value yes
            case '-?*'
            case '*'
                return 0
        end
    end
    return 1
end

complete -c %[4]s -f
`, function, fishQuote(trusted), strings.Join(valued(d), " "), d.Name)
	if len(d.Subcommands) == 0 {
		condition := ""
		if !d.Mixed {
			condition = "not " + function + "_operand"
			fmt.Fprintf(&out, "complete -c %s -n %s_operand -F\n", d.Name, function)
		}
		if len(d.Operands.Files) > 0 {
			fmt.Fprintf(&out, "complete -c %s -n %s -k -xa %s\n", d.Name, fishQuote("not "+function+"_operand"),
				fishQuote(fishValue(&d.Operands, function)))
		}
		out.WriteString(fishFlags(d, d.Name, condition, function))
		return out.String()
	}
	var words []string
	for i := range d.Subcommands {
		words = append(words, word(&d.Subcommands[i]))
	}
	none := "not __fish_seen_subcommand_from " + strings.Join(words, " ")
	for i := range d.Subcommands {
		sub := &d.Subcommands[i]
		fmt.Fprintf(&out, "complete -c %s -n %s -a %s -d %s\n", d.Name, fishQuote(none), word(sub),
			fishQuote(sub.Summary))
	}
	out.WriteString(fishFlags(d, d.Name, none, function))
	for i := range d.Subcommands {
		sub := &d.Subcommands[i]
		out.WriteString(fishFlags(sub, d.Name, "__fish_seen_subcommand_from "+word(sub), function))
	}
	return out.String()
}

func fishFlags(d *cli.Declaration, command, condition, function string) string {
	var out strings.Builder
	for _, flag := range d.Flags {
		line := []string{"complete", "-c", command}
		if condition != "" {
			line = append(line, "-n", fishQuote(condition))
		}
		line = append(line, "-l", flag.Name)
		if flag.Short != "" {
			line = append(line, "-s", flag.Short)
		}
		switch value := fishValue(&flag.Complete, function); {
		case flag.Kind == cli.Switch && flag.Default == "true":
			line = append(line, "-a", "false")
		case flag.Kind == cli.Switch:
		case slices.Contains(flag.Complete.Files, ""):
			line = append(line, "-r", "-F")
		case value != "":
			line = append(line, "-x", "-k", "-a", fishQuote(value))
		default:
			line = append(line, "-x")
		}
		fmt.Fprintln(&out, strings.Join(append(line, "-d", fishQuote(strings.ReplaceAll(flag.Usage, "`", ""))), " "))
	}
	return out.String()
}

// fishValue is what fish takes for the words of a value, "" where it is to offer none.
func fishValue(c *cli.Completion, function string) string {
	var all []string
	switch {
	case c.List:
		return fmt.Sprintf(`(__fish_complete_list , 'printf "%%s\n" %s')`, strings.Join(c.Words, " "))
	case len(c.Words) > 0:
		return strings.Join(c.Words, " ")
	case c.Folders:
		return "(__fish_complete_directories)"
	}
	if c.Peers {
		all = append(all, "("+function+"_nodes)")
	}
	for _, ending := range c.Files {
		all = append(all, strings.TrimSpace("(__fish_complete_suffix "+ending+")"))
	}
	return strings.Join(all, " ")
}
