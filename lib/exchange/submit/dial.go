package submit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/multiformats/go-multistream"
	"github.com/quic-go/quic-go"

	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/network"
)

const (
	directWait   = 6 * time.Second         // for a direct connection, where there is one over a relay
	lateAfterAll = 1200 * time.Millisecond // the least for making a lost connection
)

// link is a stream to a node.
type link struct {
	stream p2p.Stream
	near   string // the peer ID at this end of the connection
	budget int64  // bytes of jobs that fit through in one direction
}

// dial opens a stream to the candidate. An error is for people, on one line.
func (a *attempt) dial(ctx context.Context) (*link, error) {
	within := a.cfg.Dial
	if !a.lostAt.IsZero() {
		within = min(within, max(a.cfg.Reattach-time.Since(a.lostAt), lateAfterAll))
	}
	return a.dialWithin(ctx, within)
}

func (a *attempt) dialWithin(ctx context.Context, within time.Duration) (*link, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, within, errUnreached)
	defer cancel()
	h := a.cfg.Host
	if err := h.Reach(ctx, a.c.Info); err != nil {
		return nil, a.unreached(ctx, err)
	}
	stream, err := a.openStream(ctx)
	if err != nil {
		return nil, noJobs(ctx, err)
	}
	return &link{
		stream: stream, near: stream.Conn().LocalPeer().String(),
		budget: wire.RelayBudget(network.RelayLimit(stream.Conn())),
	}, nil
}

// openStream opens a stream over a direct connection, or after a while over a
// relay's.
func (a *attempt) openStream(ctx context.Context) (p2p.Stream, error) {
	h, id := a.cfg.Host, a.c.Info.ID
	if h.Network().Connectedness(id) == p2p.Limited {
		direct, cancel := context.WithTimeout(ctx, directWait)
		stream, err := h.NewStream(direct, id, wire.Protocol)
		cancel()
		if err == nil || ctx.Err() != nil {
			return stream, err
		}
		a.cfg.Tell(a.c.id, "can be reached over a relay only")
		return h.NewStream(p2p.WithAllowLimitedConn(ctx, "job"), id, wire.Protocol)
	}
	return h.Speak(ctx, id, wire.Protocol)
}

// cancelBeside cancels the job on a stream of its own. It does what can be done.
func (a *attempt) cancelBeside() {
	ctx, cancel := context.WithTimeout(context.Background(), a.cfg.CancelWait)
	defer cancel()
	l, err := a.dialWithin(ctx, a.cfg.CancelWait)
	if err != nil {
		return // the node is not to be had; the job runs to its end
	}
	conn := wire.NewConn(l.stream, wire.Requester, a.cfg.Wire)
	if conn.Send(a.offer(l, 0, 0, 0)) == nil {
		_ = conn.Send(wire.Cancel{})
	}
	conn.Close()
}

var (
	errUnreached  = errors.New("no answer in time")
	errTurnedAway = errors.New("it takes no connection now")
)

// unreached is the error of a node that there is no connection to, with what to do
// about it: a *failure where there is no use in trying again.
func (a *attempt) unreached(ctx context.Context, err error) error {
	info := a.c.Info
	if len(info.Addrs) == 0 {
		info = a.cfg.Host.Peerstore().PeerInfo(info.ID)
	}
	switch {
	case errors.Is(err, network.ErrNoAddress):
		return &job.Error{
			Code: job.CodeNoNode, Message: network.ErrNoAddress.Error(), Err: err,
			Hint: "is the node running, and connected to others? Name it with its address, or one of the others " +
				"with --bootstrap",
		}
	case ctx.Err() == nil:
		e := dialError(ctx, "can't be reached", err)
		if errors.As(e, new(*failure)) || errors.Is(e, errTurnedAway) {
			return e
		}
	case errors.Is(context.Cause(ctx), errUnreached):
		err = context.DeadlineExceeded
	default:
		return context.Cause(ctx)
	}
	problem, hint := a.cfg.Host.Explain(info, err)
	return &job.Error{Code: job.CodeNoNode, Message: "can't be reached: " + problem, Hint: hint, Err: err}
}

// noJobs is the error of a node that is reached and takes no jobs.
func noJobs(ctx context.Context, err error) error { return dialError(ctx, "takes no jobs", err) }

// speaksNot reports whether a node has said that it doesn't know the protocol, or has
// taken the offer behind the question for another one.
func speaksNot(err error) bool {
	reset, ok := errors.AsType[*p2p.StreamError](err)
	return ok && reset.Remote && reset.ErrorCode == p2p.StreamProtocolNegotiationFailed ||
		errors.As(err, new(multistream.ErrNotSupported[protocol.ID]))
}

// dialError makes the error of a node that isn't reached, one line that is safe to
// print: a *failure where there is no use in trying again.
func dialError(ctx context.Context, what string, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case speaksNot(err):
		return fmt.Errorf("does not speak %s", wire.Protocol)
	}
	err = cause(err)
	if id := stranger(err); id != "" {
		f := failed(tryOther, job.CodeNoNode, "is not at its address any more: the node there is %s", id)
		f.leave, f.reached, f.rejection.Code = true, false, job.RejectUnreachable
		f.hint = "if it is the one you mean, name it in place of the other"
		return f
	}
	if turnedAway(err) {
		return fmt.Errorf("%s: %w: %s", what, errTurnedAway, oneLine(err))
	}
	return fmt.Errorf("%s: %s", what, oneLine(err))
}

// turnedAway reports whether somebody is there who takes no connection now: a node
// bounds how fast one address opens them, and many commands behind one router
// are one address.
func turnedAway(err error) bool {
	if refusal, ok := errors.AsType[*quic.TransportError](err); ok {
		return refusal.Remote && refusal.ErrorCode == quic.ConnectionRefused
	}
	// A listener that nobody holds says ECONNREFUSED. Which of these it is depends on
	// whether this side had written, or was about to.
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF)
}

// cause returns the one of the reasons that says most: that somebody else is
// there, before anything else.
func cause(err error) error {
	dial, ok := errors.AsType[*swarm.DialError](err)
	if !ok || len(dial.DialErrors) == 0 {
		return err
	}
	for _, e := range dial.DialErrors {
		if stranger(e.Cause) != "" {
			return e.Cause
		}
	}
	return dial.DialErrors[0].Cause
}

// stranger returns the peer ID of who answered in another's place, or "". TCP and
// QUIC have the same words for it, and no type in common.
func stranger(err error) string {
	_, id, _ := strings.Cut(err.Error(), "remote key matches ")
	id, _, _ = strings.Cut(id, " ")
	if _, err := identity.ParsePeerID(id); err != nil {
		return ""
	}
	return id
}

// oneLine makes an error's text safe to print: libp2p's may quote what a stranger
// sent, and have several lines.
func oneLine(err error) string {
	quoted := job.Quote(strings.TrimSpace(err.Error()))
	return quoted[1 : len(quoted)-1]
}
