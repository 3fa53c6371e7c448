package main

import (
	"fmt"
	"strings"
)

// edition says of which build a page is.
type edition struct {
	version, date string
	section       int
}

// also is where a page leads to.
const also = `.SH SEE ALSO
.BR plasm-run (1),
.BR plasm-submit (1),
.BR plasm-discover (1),
.BR plasm-verify (1),
.BR plasmd (8)
.PP
The documentation is in
.IR /usr/share/doc/plasm .
`

// manual writes a page in the man macros (groff_man(7)).
func manual(main *help, subs []*help, of edition) string {
	var out strings.Builder
	manualName := "User Commands"
	if of.section == 8 {
		manualName = "System Administration"
	}
	fmt.Fprintf(&out, ".TH %s %d %s %s %q\n", strings.ToUpper(main.name), of.section, of.date, roffWord("plasm "+of.version), manualName)
	// No hyphens that were not there, and no ragged words: flags are long.
	out.WriteString(".nh\n.ad l\n")
	fmt.Fprintf(&out, ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n", roff(main.name), roff(main.summary()))
	synopsis(&out, main)
	out.WriteString(".SH DESCRIPTION\n")
	body(&out, main, ".SH")
	for _, sub := range subs {
		fmt.Fprintf(&out, ".SH %s\n", roffWord(strings.ToUpper(sub.name)))
		synopsis(&out, sub)
		body(&out, sub, ".SS")
	}
	out.WriteString(also)
	return out.String()
}

func synopsis(out *strings.Builder, h *help) {
	for i, line := range h.synopsis {
		if i > 0 {
			out.WriteString(".br\n")
		}
		name, rest, _ := strings.Cut(line, " ")
		fmt.Fprintf(out, "\\fB%s\\fR %s\n", roff(name), roff(rest))
	}
}

// body writes what stands below the synopsis, with headings of one level.
func body(out *strings.Builder, h *help, heading string) {
	for _, b := range h.blocks {
		switch {
		case b.heading != "":
			title := b.heading
			if heading == ".SH" {
				title = strings.ToUpper(title)
			}
			fmt.Fprintf(out, "%s %s\n", heading, roffWord(title))
		case b.text != "":
			fmt.Fprintf(out, ".PP\n%s\n", roff(b.text))
		case b.lines != nil:
			fmt.Fprintf(out, ".PP\n.nf\n.RS\n%s\n.RE\n.fi\n", roff(strings.Join(b.lines, "\n")))
		}
		for _, i := range b.items {
			name, value, _ := strings.Cut(i.term, " ")
			if strings.HasSuffix(name, ",") { // a short flag, and the long one
				var long string
				long, value, _ = strings.Cut(value, " ")
				name += " " + long
			}
			term := `\fB` + roff(name) + `\fR`
			if value != "" {
				term += ` \fI` + roff(value) + `\fR`
			}
			fmt.Fprintf(out, ".TP\n%s\n%s\n", term, roff(i.text))
		}
	}
}

// roff writes text so that it comes out as it is.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `…`, `...`, `'`, `\(aq`, `^`, `\(ha`, `~`, `\(ti`, "`", `\(ga`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// roffWord writes text as one argument of a macro.
func roffWord(text string) string { return `"` + strings.ReplaceAll(roff(text), `"`, `\(dq`) + `"` }
