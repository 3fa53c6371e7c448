// Command csvstat reads a table as CSV, its first line naming the columns, and
// prints what each column holds: how many values, how many are missing, the
// smallest, the largest, and for numbers their mean and standard deviation.
//
// It keeps a few numbers a column and never the table, so a table may be larger
// than memory. It is ordinary Go and knows nothing of plasm:
//
//	GOOS=wasip1 GOARCH=wasm go build -o csvstat.wasm ./examples/csvstat
package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

func main() {
	os.Exit(run(os.Stdin, os.Stdout, os.Stderr))
}

// run is the command; it returns its exit status.
func run(stdin io.Reader, stdout, stderr io.Writer) int {
	columns, err := summarize(stdin)
	if err == nil {
		err = write(stdout, columns)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "csvstat: %v\n", err)
		return 1
	}
	return 0
}

// summarize reads a table to its end.
func summarize(table io.Reader) ([]*column, error) {
	reader := csv.NewReader(table)
	reader.ReuseRecord = true
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("no header: the input is empty")
	}
	if err != nil {
		return nil, err
	}
	columns := make([]*column, len(header))
	for i, name := range header {
		columns[i] = newColumn(name)
	}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return columns, nil
		}
		if err != nil {
			return nil, err
		}
		for i, value := range record {
			columns[i].add(value)
		}
	}
}

// write writes one line a column.
func write(w io.Writer, columns []*column) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "column\tkind\tvalues\tmissing\tmin\tmax\tmean\tdeviation")
	for _, c := range columns {
		fmt.Fprintln(table, c)
	}
	return table.Flush()
}
