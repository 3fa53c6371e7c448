package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plasm/lib/job"
)

// width is how long a line may be.
const width = 120

// span returns where in a JSON document the value at a path begins and ends. An element
// of an array is named by its number.
func span(text string, path []string) (begin, end int, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	for _, step := range path {
		if err := enter(d, step); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", strings.Join(path, "/"), err)
		}
	}
	var value json.RawMessage
	if err := d.Decode(&value); err != nil {
		return 0, 0, err
	}
	end = int(d.InputOffset())
	return end - len(value), end, nil
}

// enter goes to the value of one member, or to one element, of the value that comes next.
func enter(d *json.Decoder, step string) error {
	open, err := d.Token()
	if err != nil {
		return err
	}
	for i := 0; d.More(); i++ {
		name := strconv.Itoa(i)
		if open == json.Delim('{') {
			token, err := d.Token()
			if err != nil {
				return err
			}
			name = fmt.Sprint(token)
		}
		if name == step {
			return nil
		}
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return err
		}
	}
	return fmt.Errorf("there is no %s", step)
}

// array is an array of words, on one line where that is short enough. before is what
// stands before it.
func array(before string, words []string) string {
	line := before[strings.LastIndex(before, "\n")+1:]
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	if one := "[" + strings.Join(quoted, ", ") + "]"; len(line)+len(one) < width {
		return one
	}
	indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
	return "[\n" + wrapped(quoted, indent+"  ", ", ", ",") + "\n" + indent + "]"
}

// wrapped sets items on lines that begin with indent. separator stands between two of
// them on a line, tail at the end of each line but the last.
func wrapped(items []string, indent, separator, tail string) string {
	var out strings.Builder
	line := indent
	for i, item := range items {
		if line != indent && len(line)+len(separator)+len(item)+len(tail) > width {
			out.WriteString(line + tail + "\n")
			line = indent
		}
		if line != indent {
			line += separator
		}
		line += item
		if i == len(items)-1 {
			out.WriteString(line)
		}
	}
	return out.String()
}

// property is the schema of a member.
func property(m *job.MemberWord, indent string, required bool) string {
	lines := []string{`"description": ` + strconv.Quote(described(m))}
	number := func(name string, n int64) { lines = append(lines, fmt.Sprintf("%q: %d", name, n)) }
	example, absent := strconv.FormatInt(m.Example, 10), strconv.FormatInt(m.Absent, 10)
	if m.Boolean {
		lines = append(lines, `"type": "boolean"`)
		example, absent = strconv.FormatBool(m.Example == 1), strconv.FormatBool(m.Absent == 1)
	} else {
		lines = append(lines, `"type": "integer"`)
		number("minimum", m.Low)
		number("maximum", m.High)
	}
	if !required && (m.Boolean || m.Absent >= m.Low) {
		lines = append(lines, `"default": `+absent)
	}
	lines = append(lines, `"examples": [`+example+"]")
	return "{\n" + indent + "  " + strings.Join(lines, ",\n"+indent+"  ") + "\n" + indent + "}"
}

// properties writes the members of rows into the object of properties at a path; one that
// is new comes behind the one before it.
func properties(text string, path []string, rows []job.MemberWord, required bool) (string, error) {
	last := 0
	for i := range rows {
		m := &rows[i]
		indent := strings.Repeat("  ", len(path)+1)
		at := append(slices.Clone(path), m.Name)
		begin, end, err := span(text, at)
		switch {
		case err == nil:
			text = text[:begin] + property(m, indent, required) + text[end:]
			last = begin + len(property(m, indent, required))
		case last == 0:
			return "", err
		default:
			added := ",\n" + indent + strconv.Quote(m.Name) + ": " + property(m, indent, required)
			text = text[:last] + added + text[last:]
			last += len(added)
		}
	}
	return text, nil
}
