package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/capability"
	"plasm/lib/cli"
	"plasm/lib/exchange/submit"
	"plasm/lib/job"
	"plasm/lib/network"
)

// namedTime is how long a node that the user named has to say what it is.
const namedTime = 10 * time.Second

// finder proposes candidates for a job.
type finder struct {
	o     *options
	in    *cli.Invocation
	host  *network.Host
	peers []peer.AddrInfo // --peer
	need  capability.Need
}

// source returns where candidates come from: the nodes that the flags name, and
// where they name none, the network.
func (f *finder) source() submit.Source {
	if len(f.peers) == 0 && f.o.peersFile == "" {
		return f.discover
	}
	return func(ctx context.Context, found func(submit.Candidate)) error {
		var all sync.WaitGroup
		defer all.Wait()
		for _, p := range f.peers {
			all.Go(func() { found(f.named(ctx, p)) })
		}
		if f.o.peersFile == "" {
			return nil
		}
		return f.listed(ctx, found)
	}
}

// named is a node of --peer. It is asked what it is where that decides something:
// for flags of which the job's manifest says nothing, and among several.
func (f *finder) named(ctx context.Context, p peer.AddrInfo) submit.Candidate {
	must := f.o.minMemory > 0 || len(f.o.guards) > 0
	if !must && len(f.peers) == 1 {
		return submit.Candidate{Info: p}
	}
	reaching, cancel := context.WithTimeout(ctx, namedTime)
	err := f.host.Reach(reaching, p)
	cancel()
	if err != nil && must {
		return submit.Candidate{Info: p, Out: f.unreachable(p, err)}
	}
	var node *job.Node
	if err == nil {
		node, err = capability.Ask(ctx, f.host, p, namedTime)
	}
	if err != nil && must {
		return submit.Candidate{Info: p, Out: &job.Rejection{Code: job.RejectUnreachable, Message: err.Error()}}
	}
	return submit.Candidate{Info: p, Node: node}
}

// unreachable says why there is no connection to a peer.
func (f *finder) unreachable(p peer.AddrInfo, err error) *job.Rejection {
	problem, hint := f.host.Explain(p, err)
	if errors.Is(err, network.ErrNoAddress) {
		problem = network.ErrNoAddress.Error()
	}
	if hint != "" {
		problem += "; " + hint
	}
	return &job.Rejection{Code: job.RejectUnreachable, Message: "can't be reached: " + problem}
}

// listed proposes the nodes of --peers, as their lines come. Reading may block for
// as long as whoever writes them likes; the command does not wait for it.
func (f *finder) listed(ctx context.Context, found func(submit.Candidate)) error {
	lines := make(chan submit.Candidate)
	done := make(chan error, 1)
	go func() { done <- f.readPeers(ctx, lines) }()
	for {
		select {
		case c := <-lines:
			found(c)
		case err := <-done:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// readPeers reads the lines of --peers.
func (f *finder) readPeers(ctx context.Context, lines chan<- submit.Candidate) error {
	r, err := f.openPeers()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it was only read
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, job.MaxNode+2)
	for n := 1; scan.Scan(); n++ {
		if len(scan.Bytes()) == 0 {
			continue
		}
		node, err := job.DecodeNode(scan.Bytes())
		if err != nil {
			return f.badLine(n, err)
		}
		info, err := infoOf(node)
		if err != nil {
			return f.badLine(n, err)
		}
		select {
		case lines <- submit.Candidate{Info: info, Node: node}:
		case <-ctx.Done():
			return nil
		}
	}
	if err := scan.Err(); errors.Is(err, bufio.ErrTooLong) {
		return &job.Error{
			Code:    job.CodeBadManifest,
			Message: fmt.Sprintf("--peers: a line of more than %d bytes is no node", job.MaxNode),
		}
	} else if err != nil {
		return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("--peers: %v", err), Err: err}
	}
	return nil
}

// openPeers opens the file of --peers, or standard input.
func (f *finder) openPeers() (io.ReadCloser, error) {
	file := f.o.peersFile
	if file == "-" {
		return io.NopCloser(f.in.Stdin), nil
	}
	r, err := os.Open(file)
	if err == nil {
		return r, nil
	}
	code := job.CodeIO
	if errors.Is(err, fs.ErrNotExist) {
		code = job.CodeNotFound
	}
	return nil, &job.Error{Code: code, Message: fmt.Sprintf("--peers: %v", err), Err: err}
}

func (f *finder) badLine(n int, err error) error {
	return &job.Error{
		Code: job.CodeBadManifest, Message: fmt.Sprintf("--peers: line %d: %v", n, err),
		Hint: "plasm-discover writes such lines, one node each", Err: err,
	}
}

// infoOf is where a node says that it is.
func infoOf(n *job.Node) (peer.AddrInfo, error) {
	if len(n.Addrs) == 0 {
		id, err := peer.Decode(n.PeerID)
		return peer.AddrInfo{ID: id}, err
	}
	infos, err := network.ParseAddrs(n.Addrs)
	if err != nil {
		return peer.AddrInfo{}, err
	}
	return infos[0], nil
}

// discover looks for nodes that fit the job.
func (f *finder) discover(ctx context.Context, found func(submit.Candidate)) error {
	var bad error
	report := capability.Find(ctx, f.host, capability.Search{Need: f.need, MDNS: f.o.where.MDNS()}, func(n job.Node) {
		info, err := infoOf(&n)
		if err != nil {
			bad = err
			return
		}
		found(submit.Candidate{Info: info, Node: &n})
	})
	for _, l := range report.LeftOut {
		f.leftOut(l, found)
	}
	if report.Found > 0 || ctx.Err() != nil {
		return bad
	}
	for _, line := range report.Summary() { // each candidate is told of with its reason, as for every failure
		_, _ = io.WriteString(f.o.progress, name+": "+line+"\n")
	}
	return noNode(&report)
}

// leftOut proposes a node that is not to be had, for the list of what was tried.
func (f *finder) leftOut(l capability.LeftOut, found func(submit.Candidate)) {
	id, err := peer.Decode(l.PeerID)
	if err != nil {
		return
	}
	why := job.Rejection{Code: job.RejectUnreachable}
	if len(l.Why) > 0 {
		why = l.Why[0]
	} else {
		why.Message = l.Err.Error()
	}
	found(submit.Candidate{Info: peer.AddrInfo{ID: id}, Node: l.Node, Out: &why})
}

// noNode is the error for a search that found nothing that fits.
func noNode(r *capability.Report) error {
	e := &job.Error{Code: job.CodeNoNode, Message: "no node was found that fits"}
	switch {
	case r.Candidates > 0:
		e.Hint = "ask for less, or name a node with --peer"
	case len(r.Contacts) == 0:
		e.Hint = "name a node with --peer ADDR or --bootstrap ADDR, or start one with plasmd serve"
	case r.Peers == 0:
		e.Hint = "none of the addresses above led to a node: name another with --peer ADDR or --bootstrap ADDR"
	}
	return e
}
