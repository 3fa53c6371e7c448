package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"plasm/lib/cli"
	"plasm/lib/job"
)

// printer prints nodes as they come.
type printer struct {
	in    *cli.Invocation
	table bool
	count io.Writer // a terminal that shows how many were found, or nil
	found int
	err   error // why stdout takes no more
}

func (o *options) newPrinter(in *cli.Invocation) *printer {
	p := &printer{in: in, table: o.table}
	if o.table && cli.IsTerminal(in.Stderr) {
		p.count = in.Stderr
	}
	p.tell()
	return p
}

// print prints one node: a line of JSON, or of the table.
func (p *printer) print(n *job.Node) error {
	line := n.Encode()
	if p.table {
		line = []byte(row(n))
		if p.found == 0 {
			line = append([]byte(header()+"\n"), line...)
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

// columns are the format of a line of the table. A line is printed as its node
// is found, so the widths are not those of the longest.
const columns = "%-52s  %-13s  %5s  %9s  %7s  %-18s  %8s  %s"

func header() string {
	return fmt.Sprintf(columns, "PEER ID", "SYSTEM", "CORES", "MEMORY", "SLOTS", "ENGINES", "RTT", "ADDRESS")
}

// row is a node in the table. All that a stranger wrote in it is printable: the
// decoder of node documents sees to that.
func row(n *job.Node) string {
	engines := make([]string, 0, len(n.Engines))
	for _, e := range n.Engines {
		engines = append(engines, e.Name)
	}
	addr := ""
	if len(n.Addrs) > 0 {
		addr = n.Addrs[0]
	}
	return strings.TrimRight(fmt.Sprintf(columns,
		n.PeerID, n.OS+"/"+n.Arch, fmt.Sprint(n.CPUCores), fmt.Sprintf("%d MB", n.Limits.MemoryMB),
		fmt.Sprintf("%d/%d", n.Slots.Free, n.Slots.Total), strings.Join(engines, ","), rtt(n.RTTUS), addr), " ")
}

func rtt(us int64) string {
	return (time.Duration(us) * time.Microsecond).Round(10 * time.Microsecond).String()
}
