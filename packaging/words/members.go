package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plasm/lib/job"
)

// limits are the members of a node document within its limits, by their own names.
func limits() []job.MemberWord { return of("limits.") }

// outer are the members of a node document that are in nothing else.
func outer() []job.MemberWord { return of("") }

// of returns the rows of a node document whose names begin so, without that, and have no full
// stop then.
func of(prefix string) []job.MemberWord {
	var rows []job.MemberWord
	for _, m := range job.NodeMembers() {
		name, found := strings.CutPrefix(m.Name, prefix)
		if found && !strings.Contains(name, ".") {
			m.Name = name
			rows = append(rows, m)
		}
	}
	return rows
}

// scope is the range of an integer.
func scope(m *job.MemberWord) string {
	high := strconv.FormatInt(m.High, 10)
	if m.High == job.MaxSafeInt {
		high = "2^53−1"
	}
	return fmt.Sprintf("%d to %s", m.Low, high)
}

// described is a sentence about a member, for schemas and PHP.
func described(m *job.MemberWord) string {
	if m.Boolean {
		return sentence(m.Meaning)
	}
	text := strings.ReplaceAll(ranged(m), "`", "") + "."
	if m.Without != "" {
		text += " Absent: " + m.Without + "."
	}
	return text
}

// ranged is range and meaning of a member.
func ranged(m *job.MemberWord) string {
	switch {
	case m.Boolean:
		return m.Meaning
	case strings.HasPrefix(m.Meaning, ";"):
		return scope(m) + m.Meaning
	}
	return scope(m) + " " + m.Meaning
}

// manifestRow is the line of a member in the table of the manifest.
func manifestRow(m *job.MemberWord) string {
	kind, absent := "integer", strconv.FormatInt(m.Absent, 10)
	switch {
	case m.Boolean:
		kind, absent = "boolean", code(strconv.FormatBool(m.Absent == 1))
	case m.Without != "":
		absent = "absent: " + m.Without
	}
	return "| " + strings.Join([]string{code(m.Name), kind, ranged(m), absent}, " | ") + " |"
}

func nodeRow(m *job.MemberWord) string {
	return "| " + code(m.Name) + " | integer | " + ranged(m) + " |"
}

func limitRow(m *job.MemberWord) string {
	return "| " + code(m.Name) + " | " + scope(m) + " | " + m.Meaning + " |"
}

// lines writes rows into the table below a heading: each in the place of the one of its
// member, or behind the one before it.
func lines(text, heading string, rows []job.MemberWord, row func(*job.MemberWord) string) (string, error) {
	before, rest, found := strings.Cut(text, "\n"+heading+"\n")
	if !found {
		return "", fmt.Errorf("there is no %s", heading)
	}
	section := strings.Split(rest, "\n")
	end := slices.IndexFunc(section, func(line string) bool { return strings.HasPrefix(line, "#") })
	last := -1
	for i := range rows {
		begin := "| " + code(rows[i].Name) + " |"
		at := slices.IndexFunc(section, func(line string) bool { return strings.HasPrefix(line, begin) })
		switch {
		case at >= 0 && (end < 0 || at < end):
			section[at] = row(&rows[i])
			last = at
		case last < 0:
			return "", fmt.Errorf("%s has no %s", heading, begin)
		default:
			last++
			section = slices.Insert(section, last, row(&rows[i]))
			end++
		}
	}
	return before + "\n" + heading + "\n" + strings.Join(section, "\n"), nil
}
