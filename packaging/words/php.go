package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

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
	return "    /** " + doc + " */\n    public const " + name + " = [\n" + wrapped(quoted, "        ", ", ", ",") +
		",\n    ];\n"
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

// camel is a member as PHP names a property, behind a prefix.
func camel(name, prefix string) string {
	s := studly(name)
	if prefix == "" {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return prefix + s
}

// parameters are the properties of a class with members, as parameters of its constructor.
// With a prefix before their names they have no defaults.
func parameters(rows []job.MemberWord, prefix string) string {
	var out strings.Builder
	for i := range rows {
		m := &rows[i]
		kind, absent := "int", literal(m)
		switch {
		case m.Boolean:
			kind = "bool"
		case m.Without != "":
			kind, absent = "?int", "null"
		}
		if prefix != "" {
			absent = ""
		} else {
			absent = " = " + absent
		}
		out.WriteString(comment(described(m), "        ") + "        public readonly " + kind + " $" +
			camel(m.Name, prefix) + absent + ",\n")
	}
	return out.String()
}

// literal is the value of a member that is absent.
func literal(m *job.MemberWord) string {
	if m.Boolean {
		return strconv.FormatBool(m.Absent == 1)
	}
	return strconv.FormatInt(m.Absent, 10)
}

// comment is a documentation comment, on as many lines as it takes.
func comment(text, indent string) string {
	if one := indent + "/** " + text + " */\n"; utf8.RuneCountInString(one) <= width {
		return one
	}
	return indent + "/**\n" + wrapped(strings.Fields(text), indent+" * ", " ", "") + "\n" + indent + " */\n"
}

// reading is what takes members out of the fields of a document, which the variable from holds.
func reading(from string, rows []job.MemberWord, prefix string, required bool) string {
	var out strings.Builder
	for i := range rows {
		m := &rows[i]
		call, args, absent := "optInt", fmt.Sprintf(", %d, %s", m.Low, most(m, required)), " ?? "+literal(m)
		switch {
		case m.Boolean:
			call, args = "optBool", ""
		case required:
			call, absent = "int", ""
		case m.Without != "":
			absent = ""
		}
		fmt.Fprintf(&out, "            %s: $%s->%s('%s'%s)%s,\n", camel(m.Name, prefix), from, call, m.Name, args,
			absent)
	}
	return out.String()
}

// most is the upper end of a member's range.
func most(m *job.MemberWord, plain bool) string {
	switch {
	case m.High == job.MaxSafeInt:
		return "$max"
	case plain:
		return strconv.FormatInt(m.High, 10)
	}
	return "self::MAX_" + strings.ToUpper(m.Name)
}

// constants are the upper ends of ranges.
func constants(rows []job.MemberWord) string {
	var out strings.Builder
	for i := range rows {
		if m := &rows[i]; !m.Boolean && m.High != job.MaxSafeInt {
			fmt.Fprintf(&out, "    public const MAX_%s = %d;\n", strings.ToUpper(m.Name), m.High)
		}
	}
	return out.String()
}

// written are the elements of an array with members, as a document has them.
func written(rows []job.MemberWord) string {
	var out strings.Builder
	for i := range rows {
		out.WriteString("            '" + rows[i].Name + "' => $this->" + camel(rows[i].Name, "") + ",\n")
	}
	return out.String()
}

// properNames are the elements of an array with members and their properties.
func properNames(rows []job.MemberWord) string {
	var out strings.Builder
	for i := range rows {
		out.WriteString("            '" + rows[i].Name + "' => '" + camel(rows[i].Name, "") + "',\n")
	}
	return out.String()
}
