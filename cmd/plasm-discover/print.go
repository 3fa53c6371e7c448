package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"plasm/lib/cli"
	"plasm/lib/job"
)

// printer prints nodes as they come.
type printer struct {
	in    *cli.Invocation
	names *cli.Names
	table bool
	wide  bool
	count io.Writer // a terminal that shows how many were found, or nil
	found int
	err   error // why stdout takes no more
}

// newPrinter returns what prints in the form that the flags ask for, which is by default a
// table on a terminal and else a line of JSON for each node.
func (o *options) newPrinter(in *cli.Invocation) *printer {
	p := &printer{in: in, table: o.table || o.wide || !o.json && cli.IsTerminal(in.Stdout), wide: o.wide}
	if p.table {
		p.names = cli.OwnNames(in.Getenv)
	}
	if p.table && cli.IsTerminal(in.Stderr) {
		p.count = in.Stderr
	}
	p.tell()
	return p
}

// print prints one node: a line of JSON, or of the table.
func (p *printer) print(n *job.Node) error {
	line := n.Encode()
	if p.table {
		line = []byte(p.row(n))
		if p.found == 0 {
			line = append([]byte(p.header()+"\n"), line...)
		}
	}
	p.found++
	p.end()
	if err := p.in.Print(append(line, '\n')); err != nil {
		p.err = err
		return err
	}
	p.tell()
	return nil
}

// tell writes the live count: a line of a terminal, which goes away before
// anything else is written.
func (p *printer) tell() {
	if p.count != nil {
		_, _ = fmt.Fprintf(p.count, "searching… %d found", p.found)
	}
}

// end takes the live count away.
func (p *printer) end() {
	if p.count != nil {
		_, _ = io.WriteString(p.count, "\r\x1b[K")
	}
}

// The formats of a line of the table, which is printed as its node is found, so the widths
// are not those of the longest. The narrow one ends in as much of an address as there is
// room for.
const (
	narrow    = "%-14s  %-12s  %5s  %8s  %5s  %6s  "
	lineWidth = 80
	nameWidth = 14
	wide      = "%-52s  %-14s  %-12s  %5s  %8s  %5s  %6s  %-15s  %s"
)

func (p *printer) header() string {
	if p.wide {
		return fmt.Sprintf(wide, "PEER ID", "NAME", "SYSTEM", "CORES", "MEMORY", "SLOTS", "RTT", "ENGINES", "ADDRESS")
	}
	return fmt.Sprintf(narrow, "PEER", "SYSTEM", "CORES", "MEMORY", "SLOTS", "RTT") + "ADDRESS"
}

// row is a node in the table. All that a stranger wrote in it is printable: the
// decoder of node documents sees to that.
func (p *printer) row(n *job.Node) string {
	system, cores, slots := n.OS+"/"+n.Arch, fmt.Sprint(n.CPUCores), fmt.Sprintf("%d/%d", n.Slots.Free, n.Slots.Total)
	memory, took := job.Roughly(n.Limits.MemoryMB<<20), rtt(n.RTTUS)
	addr := ""
	if len(n.Addrs) > 0 {
		addr = n.Addrs[0]
	}
	if !p.wide {
		line := fmt.Sprintf(narrow, cut(p.names.Short(n.PeerID), nameWidth), system, cores, memory, slots, took)
		addr = strings.TrimSuffix(addr, "/p2p/"+n.PeerID)
		return strings.TrimRight(line+cut(addr, lineWidth-utf8.RuneCountInString(line)), " ")
	}
	engines := make([]string, 0, len(n.Engines))
	for _, e := range n.Engines {
		engines = append(engines, e.Name)
	}
	line := fmt.Sprintf(wide, n.PeerID, p.names.Name(n.PeerID), system, cores, memory, slots, took,
		strings.Join(engines, ","), addr)
	return strings.TrimRight(line, " ")
}

// cut cuts a text to so many columns.
func cut(text string, columns int) string {
	runes := []rune(text)
	if len(runes) <= columns {
		return text
	}
	return string(runes[:max(columns-1, 0)]) + "…"
}

func rtt(us int64) string {
	d := time.Duration(us) * time.Microsecond
	switch {
	case d >= 10*time.Millisecond:
		d = d.Round(time.Millisecond)
	case d >= time.Millisecond:
		d = d.Round(100 * time.Microsecond)
	default:
		d = d.Round(10 * time.Microsecond)
	}
	return d.String()
}
