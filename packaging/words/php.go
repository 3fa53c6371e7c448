package main

import (
	"regexp"
	"strings"

	"plasm/lib/job"
)

// cases are the cases of a PHP enum, each with what it means.
func cases[T any](table []T, of func(T) job.Word) string {
	var out strings.Builder
	for _, row := range table {
		w := of(row)
		out.WriteString("    /** " + sentence(w.Meaning) + " */\n    case " + studly(w.Name) + " = '" + w.Name + "';\n")
	}
	return out.String()
}

// list is a constant with a list of words; doc says what they are.
func list(name, doc string, words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "'" + w + "'"
	}
	return "    /** " + doc + " */\n    public const " + name + " = [\n" + wrapped(quoted, "        ", ", ", ",") + ",\n    ];\n"
}

// sentence is a meaning as a comment has it.
func sentence(meaning string) string {
	return strings.ReplaceAll(strings.ToUpper(meaning[:1])+meaning[1:], "`", "") + "."
}

var part = regexp.MustCompile(`(?:^|_)([a-z])`)

// studly is a word as PHP names a case.
func studly(name string) string {
	return part.ReplaceAllStringFunc(name, func(s string) string { return strings.ToUpper(strings.TrimPrefix(s, "_")) })
}
