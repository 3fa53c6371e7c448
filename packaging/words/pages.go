package main

import (
	"strconv"
	"strings"

	"plasm/lib/job"
)

// inline is a list of words within a text.
func inline(words []string) string {
	marked := make([]string, len(words))
	for i, w := range words {
		marked[i] = code(w)
	}
	return "\n" + wrapped(marked, "", " · ", " ·") + "\n\n"
}

func code(text string) string { return "`" + text + "`" }

// table is a table of a page, with a line for each row.
func table[T any](titles []string, rows []T, cells func(T) []string) string {
	var out strings.Builder
	line := func(cells []string) { out.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(titles)
	out.WriteString(strings.Repeat("|---", len(titles)) + "|\n")
	for _, row := range rows {
		line(cells(row))
	}
	return "\n" + out.String() + "\n"
}

func statusTable() string {
	return table([]string{"status", "meaning", "exit code"}, job.StatusWords(), func(w job.StatusWord) []string {
		return []string{code(w.Name), w.Meaning + w.More, exit(w.Exit, w.Exits)}
	})
}

func codeTable() string {
	return table([]string{"code", "what went wrong", "exit code"}, job.CodeWords(), func(w job.CodeWord) []string {
		return []string{code(w.Name), w.Meaning + w.More, exit(w.Exit, w.Exits)}
	})
}

// exit is the cell with an exit code; words are what it says where it depends.
func exit(number int, words string) string {
	if words != "" {
		return words
	}
	return strconv.Itoa(number)
}

func rejectTable() string {
	titles := []string{"code", "why the node does not take the job", "then"}
	return table(titles, job.RejectWords(),
		func(w job.RejectWord) []string { return []string{code(w.Name), w.Meaning, string(w.Then)} })
}

func guardTable() string {
	titles := []string{"guard", "what was tried before it was named"}
	return table(titles, job.GuardWords(), func(w job.Word) []string { return []string{code(w.Name), w.Meaning} })
}

func eventTable() string {
	titles := []string{"event", "of", "attributes beside `peer`, `requester` and `job`"}
	return table(titles, job.EventWords(),
		func(w job.EventWord) []string { return []string{code(w.Name), w.Meaning, w.Attrs} })
}
