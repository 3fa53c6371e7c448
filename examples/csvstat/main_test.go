package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

const titles = "column kind values missing min max mean deviation"

func TestRun(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, table string
		want        []string // lines, their cells separated by one space
	}{
		{"header only", "a,b\n", []string{titles, "a - 0 0 - - - -", "b - 0 0 - - - -"}},
		{"numbers", "n\n1\n2.5\n-4\n", []string{titles, "n number 3 0 -4 2.5 -0.166667 3.40343"}},
		{"one number", "n\n7\n", []string{titles, "n number 1 0 7 7 7 -"}},
		{"numbers compare as numbers", "n\n9\n10\n", []string{titles, "n number 2 0 9 10 9.5 0.707107"}},
		{"text compares by bytes", "n\n9\nten\n10\n", []string{titles, "n text 3 0 10 ten - -"}},
		{"infinity is no number", "n\n1\nInf\n", []string{titles, "n text 2 0 1 Inf - -"}},
		{"nor is what overflows", "n\n1\n1e999\n", []string{titles, "n text 2 0 1 1e999 - -"}},
		{"missing", "a,b\n1,\n ,x\n3,\n", []string{titles, "a number 2 1 1 3 2 1.41421", "b text 1 2 x x - -"}},
		{"large and close", "n\n1e9\n1000000001\n1000000002\n", []string{titles, "n number 3 0 1e+09 1e+09 1e+09 1"}},
		{"quoted", "a\n\"x,\"\"y\"\"\"\n", []string{titles, "a text 1 0 x,\"y\" x,\"y\" - -"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if status := run(strings.NewReader(test.table), &stdout, &stderr); status != 0 || stderr.Len() > 0 {
				t.Errorf("status %d, stderr %q", status, &stderr)
			}
			var got []string
			for line := range strings.Lines(stdout.String()) {
				got = append(got, strings.Join(strings.Fields(line), " "))
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":              "csvstat: no header: the input is empty\n",
		"\"a":           "csvstat: parse error on line 1, column 3: extraneous or missing \" in quoted-field\n",
		"a,b\n1,2\n3\n": "csvstat: record on line 3: wrong number of fields\n",
	}
	for table, want := range tests {
		var stdout, stderr bytes.Buffer
		status := run(strings.NewReader(table), &stdout, &stderr)
		if status != 1 || stdout.Len() > 0 || stderr.String() != want {
			t.Errorf("%q: status %d, stdout %q, stderr %q, want %q", table, status, &stdout, &stderr, want)
		}
	}
}

func TestRunTellsBrokenStreams(t *testing.T) {
	t.Parallel()
	broken := errors.New("the cable is out")
	var stderr bytes.Buffer
	if status := run(iotest.ErrReader(broken), &bytes.Buffer{}, &stderr); status != 1 ||
		stderr.String() != "csvstat: the cable is out\n" {
		t.Errorf("input: status %d, stderr %q", status, &stderr)
	}
	stderr.Reset()
	if status := run(strings.NewReader("a\n"), brokenWriter{broken}, &stderr); status != 1 ||
		stderr.String() != "csvstat: the cable is out\n" {
		t.Errorf("output: status %d, stderr %q", status, &stderr)
	}
}

// brokenWriter takes nothing.
type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }
