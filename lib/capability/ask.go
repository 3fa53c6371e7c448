package capability

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multistream"

	"plasm/lib/job"
	"plasm/lib/network"
)

// Ask asks one peer what it can do, over whatever connection can be had, a
// relayed one included. It takes at most that time and 64 KiB. The node that is
// returned says that it is the peer that was asked, has RTTUS set, and the
// address under which it answered among its Addrs. An error is one line that is
// safe to print.
func Ask(ctx context.Context, h *network.Host, info peer.AddrInfo, within time.Duration) (*job.Node, error) {
	return ask(ctx, h, info, within, func() time.Duration { return 0 })
}

// ask is Ask for a caller who may wait longer: when the time is up, more says for how
// long, and is asked again then.
func ask(
	ctx context.Context, h *network.Host, info peer.AddrInfo, within time.Duration, more func() time.Duration,
) (*job.Node, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	after(ctx, within, more, func() { cancel(&silentError{within}) })
	ctx = p2p.WithAllowLimitedConn(ctx, "node document")
	if len(info.Addrs) > maxDialAddrs {
		info.Addrs = info.Addrs[:maxDialAddrs]
	}
	if err := h.Connect(ctx, info); err != nil {
		return nil, unreached(ctx, h, info, err)
	}
	stream, err := h.NewStream(ctx, info.ID, Protocol)
	if err != nil {
		return nil, askError(ctx, "can't be asked", err)
	}
	node, err := askOn(ctx, stream, info.ID)
	if err != nil {
		_ = stream.Reset()
		return nil, err
	}
	tidyAddrs(node, stream.Conn(), info.ID)
	return node, nil
}

// silentError is why a context ends whose peer took too long.
type silentError struct{ within time.Duration }

func (e *silentError) Error() string { return fmt.Sprintf("no answer within %v", e.within) }

// after calls f when within is over, and all that more adds to it each time that it is;
// but not once ctx has ended.
func after(ctx context.Context, within time.Duration, more func() time.Duration, f func()) {
	var timer *time.Timer
	timer = time.AfterFunc(time.Hour, func() {
		if ctx.Err() != nil {
			return
		}
		if longer := more(); longer > 0 {
			timer.Reset(longer)
			return
		}
		f()
	})
	timer.Reset(within) // only now, as the function needs the timer
	context.AfterFunc(ctx, func() { timer.Stop() })
}

// askOn asks on an open stream.
func askOn(ctx context.Context, stream p2p.Stream, id peer.ID) (*job.Node, error) {
	stop := context.AfterFunc(ctx, func() { _ = stream.Reset() })
	defer stop()
	began := time.Now()
	// Closing sends what opening has left in a buffer, too. A peer that has
	// answered and gone already makes it fail, so what is read counts.
	_ = stream.CloseWrite()
	r := &firstByte{r: stream}
	node, err := readNode(r, id)
	if ctx.Err() != nil {
		return nil, askError(ctx, "", ctx.Err())
	}
	if err != nil {
		return nil, err
	}
	_ = stream.Close() // both sides are through
	node.RTTUS = min(max(r.at.Sub(began).Microseconds(), 1), job.MaxRTT)
	return node, nil
}

// firstByte notes when the first byte came.
type firstByte struct {
	r  io.Reader
	at time.Time
}

func (f *firstByte) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if n > 0 && f.at.IsZero() {
		f.at = time.Now()
	}
	return n, err
}

// readNode reads the document of the peer with that ID, and never more than one
// byte beyond what a document may have.
func readNode(r io.Reader, id peer.ID) (*job.Node, error) {
	data, err := io.ReadAll(io.LimitReader(r, job.MaxNode+1))
	switch {
	case len(data) > job.MaxNode:
		return nil, fmt.Errorf("answered with more than %d bytes", job.MaxNode)
	case err != nil:
		return nil, fmt.Errorf("broke off its answer: %s", cause(err))
	case len(data) == 0:
		return nil, errors.New("answered with nothing")
	}
	node, err := job.DecodeRemoteNode(data)
	if err != nil {
		return nil, fmt.Errorf("answered nonsense: %w", err)
	}
	if node.PeerID != id.String() {
		return nil, fmt.Errorf("says that it is %s", node.PeerID)
	}
	return node, nil
}

// tidyAddrs leaves out of a node's addresses what nobody could dial, and puts
// the one that has just worked first, when we dialled it: a node behind a NAT
// may not know it.
func tidyAddrs(node *job.Node, c p2p.Conn, id peer.ID) {
	node.Addrs = slices.DeleteFunc(node.Addrs, func(a string) bool {
		_, err := ma.NewMultiaddr(a)
		return err != nil
	})
	if c.Stat().Direction != p2p.DirOutbound || c.RemoteMultiaddr() == nil {
		return
	}
	known := node.Addrs
	addr := wholeAddr(id, withoutPeer(c.RemoteMultiaddr(), id))
	node.Addrs = append([]string{addr}, slices.DeleteFunc(slices.Clone(known),
		func(a string) bool { return a == addr })...)
	if node.Validate() != nil { // no room
		node.Addrs = known
	}
}

// withoutPeer removes /p2p/ID from the end, where some addresses have it.
func withoutPeer(a ma.Multiaddr, id peer.ID) ma.Multiaddr {
	if rest, last := peer.SplitAddr(a); last == id && rest != nil {
		return rest
	}
	return a
}

// askError makes the error of one question: what happened, and the cause in a
// form that is safe to print.
func askError(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		if silent, ok := errors.AsType[*silentError](context.Cause(ctx)); ok {
			return silent
		}
		return errEnded
	}
	if errors.As(err, new(multistream.ErrNotSupported[protocol.ID])) {
		return fmt.Errorf("does not speak %s", Protocol)
	}
	return fmt.Errorf("%s: %s", what, cause(err))
}

// unreached is the error of a peer that can't be connected to.
func unreached(ctx context.Context, h *network.Host, info peer.AddrInfo, err error) error {
	if ctx.Err() != nil {
		err = askError(ctx, "", err)
		if ports := network.Ports(info.Addrs); ports != "" && err != errEnded { //nolint:errorlint // exactly that one
			return fmt.Errorf("%w from %s: a firewall may drop what comes there", err, ports)
		}
		return err
	}
	problem, hint := h.Explain(info, err)
	if hint != "" {
		problem += "; " + hint
	}
	return fmt.Errorf("can't be reached: %s", problem)
}

// errEnded is why a question has no answer when the search ended first.
var errEnded = errors.New("no answer before the search ended")

// cause returns the innermost reason of an error, on one line and cut: libp2p's
// errors have a line for each address, and may quote what a peer sent.
func cause(err error) string {
	if dial, ok := errors.AsType[*swarm.DialError](err); ok && len(dial.DialErrors) > 0 {
		err = dial.DialErrors[0].Cause
	} else if ok && dial.Cause != nil {
		err = dial.Cause
	}
	quoted := job.Quote(strings.TrimSpace(err.Error()))
	return quoted[1 : len(quoted)-1]
}
