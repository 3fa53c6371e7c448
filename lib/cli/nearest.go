package cli

import "strings"

// DidYouMean returns the hint «did you mean …?» with the word of some that is most like one that is none of them,
// or "" where none is like it. urfave/cli suggests one however unlike it is.
func DidYouMean(word string, words []string) string {
	bare := strings.TrimLeft(word, "-")
	nearest, least := "", max(1, len(bare)/3)+1 // one slip in three letters, and at least one
	for _, candidate := range words {
		known := strings.TrimLeft(candidate, "-")
		if slips := distance(bare, known); slips < least && slips < len(known) {
			nearest, least = candidate, slips
		}
	}
	if nearest == "" {
		return ""
	}
	return "did you mean " + nearest + "?"
}

// distance counts the letters that are left out, put in, replaced, or swapped with the next, between two words: the
// optimal string alignment distance.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
