package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"plasm/lib/cli"
	"plasm/lib/control"
)

// newStatus is plasmd status.
func newStatus(in *cli.Invocation) *command {
	flags := cli.NewFlags(statusDoc(), in.Getenv)
	var asJSON, watch bool
	flags.Switch(&asJSON, cli.Flag{
		Name: "json", Category: does,
		Usage: "write it as a document, with --watch as one a line",
	})
	flags.Switch(&watch, cli.Flag{
		Name: "watch", Category: does,
		Usage: "show it again every two seconds, until the node has ended",
	})
	where := addPlace(flags, in)
	return &command{flags, func(ctx context.Context, in *cli.Invocation) error {
		if err := noArgument(flags); err != nil {
			return err
		}
		running, err := where.running(ctx)
		if id, addrs, ok := where.public(); err != nil && ok && !asJSON {
			return writePublic(in, where.shut, id, addrs)
		}
		if err != nil {
			return err
		}
		now := running.Status
		return show(in, watch, asJSON, func(ctx context.Context, out *bytes.Buffer) error {
			if now == nil {
				if now, err = running.Client.Status(ctx); err != nil {
					return err
				}
			}
			status := now
			now = nil // which is asked for the next time
			if asJSON {
				return cli.WriteJSON(out, status)
			}
			return writeStatus(out, status)
		})
	}}
}

// writePublic says what everybody may know of a node that this user may not ask, and
// on stderr who may know more.
func writePublic(in *cli.Invocation, dir, id string, addrs []string) error {
	var out bytes.Buffer
	t, line, lines := page(&out)
	line("peer ID", "%s", id)
	lines("addresses", addrs)
	line("runtime folder", "%s", dir)
	if err := t.Flush(); err != nil {
		return err
	}
	if err := in.Print(out.Bytes()); err != nil {
		return err
	}
	say(in, "how it is it says to root, and to its user and the group that its socket belongs to: sudo plasmd status")
	return nil
}

// page returns how the lines of a status are written: one, and some with one name.
func page(out *bytes.Buffer) (t *tabwriter.Writer, line func(what, format string, args ...any), lines func(what string,
	all []string),
) {
	t = tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	line = func(what, format string, args ...any) {
		fmt.Fprintf(t, "%s\t%s\n", what, cli.OneLine(fmt.Sprintf(format, args...)))
	}
	lines = func(what string, all []string) {
		for _, one := range all {
			line(what, "%s", one)
			what = ""
		}
	}
	return t, line, lines
}

// writeStatus says in words how a node is.
func writeStatus(out *bytes.Buffer, s *control.Status) error {
	t, line, lines := page(out)
	n, net := &s.Node, &s.Network
	line("peer ID", "%s", n.PeerID)
	line("state", "%s, process %d, since %s", s.State, s.PID, s.StartedAt)
	if s.State == control.StateDraining {
		line("waits for", "%s", s.Waits())
	}
	line("version", "%s, %s/%s", n.Version, n.OS, n.Arch)
	lines("addresses", n.Addrs)
	line("gives", "%d cores, %d MB, %d of %d slots free", n.CPUCores, n.MemoryMB, n.Slots.Free, n.Slots.Total)
	line("jobs", "%d running, %d about to start, %d waiting; they hold %d MB", s.Load.Running, s.Load.Reserved,
		s.Load.Waiting, s.Load.MemoryMB)
	line("keeps", "%s", storageWords(&s.Storage))
	engines := make([]string, 0, len(n.Engines))
	for _, e := range n.Engines {
		engines = append(engines, e.Name+" "+e.Version)
	}
	line("engines", "%s", strings.Join(engines, ", "))
	line("guards", "%s", strings.Join(n.Guards, ", "))
	line("network", "%s", networkWords(net))
	line("announced", "%s", announcedWords(net))
	lines("contacts", contactWords(s.Contacts))
	lines("may submit", allowWords(&s.Allow))
	line("data folder", "%s", s.DataDir)
	line("runtime folder", "%s", s.RuntimeDir)
	line("worker", "%s", s.Worker)
	return t.Flush()
}

func networkWords(net *control.Network) string {
	words := fmt.Sprintf("%d peers, %d in the routing table; reachability %s", net.Peers, net.DHTPeers,
		net.Reachability)
	if net.Private {
		words = "private; " + words
	}
	if len(net.Relays) > 0 {
		words += "; reached over " + strings.Join(net.Relays, ", ")
	}
	if net.RelayService {
		words += "; a relay for others"
	}
	return words
}

func announcedWords(net *control.Network) string {
	switch {
	case net.Pending > 0:
		return fmt.Sprintf("%d of %d keys wait for a peer", net.Pending, len(net.Keys))
	case net.AnnouncedAt == "":
		return "not yet"
	}
	return fmt.Sprintf("%d keys, at %s", len(net.Keys), net.AnnouncedAt)
}

func contactWords(contacts []control.Contact) []string {
	words := make([]string, 0, len(contacts))
	for _, c := range contacts {
		one := fmt.Sprintf("%s (%s) %s", c.PeerID, c.Source, c.State)
		if c.Error != "" {
			one += ": " + c.Error
		}
		words = append(words, one)
	}
	return words
}

// allowWords says who may submit, and what says so besides the allow file.
func allowWords(a *control.Allow) []string {
	who := fmt.Sprintf("%d listed", a.Peers)
	switch {
	case a.Any:
		who = "everybody, " + who
	case a.Peers == 0:
		who = "nobody"
	}
	words := append(make([]string, 0, 1+len(a.Given)), who+"; "+a.File)
	for _, given := range a.Given {
		words = append(words, given+" by "+a.GivenBy)
	}
	return words
}

// storageWords says what is kept, and how much room there is.
func storageWords(s *control.Storage) string {
	const mb = 1 << 20
	words := fmt.Sprintf("%d of %d MB of modules and folders, %d of %d MB of results", s.Content/mb, s.MostContent/mb,
		s.Jobs/mb, s.MostJobs/mb)
	if s.Free >= 0 {
		words += fmt.Sprintf("; the disk has %d MB left", s.Free/mb)
	}
	return words
}
