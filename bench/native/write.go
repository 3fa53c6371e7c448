package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
)

// The marks in a page between which the tables stand.
const (
	mark    = "<!-- what follows is written by make bench-native -->\n"
	markEnd = "<!-- and ends here: bench-native -->\n"
)

// text is for people at a terminal.
func (r *results) text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(w, "kernel\tnative s")
	for _, c := range columns {
		_, _ = fmt.Fprintf(w, "\t%s", c.key)
	}
	for _, k := range r.Kernels {
		_, _ = fmt.Fprintf(w, "\n%s\t%.2f", k.Name, k.Seconds)
		for _, c := range columns {
			_, _ = fmt.Fprintf(w, "\t%v", k.Ratios[c.key])
		}
	}
	_, _ = fmt.Fprint(w, "\ngeometric mean\t")
	for _, c := range columns {
		_, _ = fmt.Fprintf(w, "\t%v", r.Means[c.key])
	}
	_, _ = fmt.Fprintln(w)
	_ = w.Flush() // a strings.Builder takes everything
	for _, g := range r.Goals {
		_, _ = fmt.Fprintf(&b, "%-6s  %.3f, at most %.2f: %s\n", verdict(g), g.Measured, g.AtMost, g.Says)
	}
	return b.String()
}

func verdict(g goal) string {
	if g.met() {
		return "met"
	}
	return "MISSED"
}

// String shows the median, and the quartiles behind it.
func (s spread) String() string { return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Low, s.High) }

// tables is what stands in the page, in Markdown.
func (r *results) tables() string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b,
		"Measured on %s, in %d rounds, on %s. %s, `%s`;\nguests also `%s`,\nbut for `-msimd128` where they are "+
			"scalar. wasmtime %s, wazero %s.\n\n",
		r.Measured, r.Rounds, r.Processor, r.Compiler, r.Flags, strings.ReplaceAll(r.Guests, "; ", "` and `"),
		r.Engines["wasmtime"], r.Engines["wazero"])
	_, _ = b.WriteString("| goal | at most | measured |\n|---|---|---|\n")
	for _, g := range r.Goals {
		measured := fmt.Sprintf("%.3f", g.Measured)
		if !g.met() {
			measured = "**" + measured + ": missed**"
		}
		_, _ = fmt.Fprintf(&b, "| %s | %.2f | %s |\n", g.Says, g.AtMost, measured)
	}
	_, _ = b.WriteString("\n| kernel |")
	for _, c := range shown() {
		_, _ = fmt.Fprintf(&b, " %s |", c.title)
	}
	_, _ = b.WriteString("\n|---|" + strings.Repeat("---|", len(shown())))
	row := func(name string, of func(key string) string) {
		_, _ = fmt.Fprintf(&b, "\n| %s |", name)
		for _, c := range shown() {
			_, _ = fmt.Fprintf(&b, " %s |", of(c.key))
		}
	}
	for _, k := range r.Kernels {
		row("`"+k.Name+"`", func(key string) string { return k.Ratios[key].String() })
	}
	row("geometric mean", func(key string) string { return r.Means[key].String() })
	row("worst", func(key string) string { return fmt.Sprintf("%.2f", r.Worst[key].Ratio) })
	plain, own := r.Means["wasmtime-simd-plain"], r.Means["native-own"]
	_, _ = fmt.Fprintf(&b,
		"\n\nWithout `wasm-opt`, guests with SIMD take wasmtime %v on the average, and at worst %.2f (`%s`). Native "+
			"code made\nwith `-march=native`, for this processor and no older one, takes %v of the time of the "+
			"native code above.\n",
		plain, r.Worst["wasmtime-simd-plain"].Ratio, r.Worst["wasmtime-simd-plain"].Kernel, own)
	return b.String()
}

// shown are the columns that the page has room for.
func shown() []column {
	var list []column
	for _, c := range columns {
		if c.title != "" {
			list = append(list, c)
		}
	}
	return list
}

// write writes the files that were asked for.
func (r *results) write(o options) error {
	var errs []error
	if o.json != "" {
		errs = append(errs, writeFile(o.json, r.json()))
	}
	if o.svg != "" {
		errs = append(errs, writeFile(o.svg, r.plot()))
	}
	if o.page != "" {
		page, err := os.ReadFile(o.page)
		if err == nil {
			var text string
			if text, err = r.into(string(page)); err == nil {
				err = writeFile(o.page, text)
			}
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func writeFile(name, text string) error {
	return os.WriteFile(name, []byte(text), 0o644) //nolint:gosec // pages are for everybody
}

func (r *results) json() string {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		panic(err) // every ratio is a number: no run took no time
	}
	return string(text) + "\n"
}

// into returns the page with the tables between its marks.
func (r *results) into(page string) (string, error) {
	before, rest, begins := strings.Cut(page, mark)
	_, after, ends := strings.Cut(rest, markEnd)
	if !begins || !ends {
		return "", fmt.Errorf("the page has not the marks %q and %q", strings.TrimSpace(mark),
			strings.TrimSpace(markEnd))
	}
	return before + mark + "\n" + r.tables() + "\n" + markEnd + after, nil
}
