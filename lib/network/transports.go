package network

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math"
	"math/big"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/pnet"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/quic-go/quic-go"
)

// transports are connections to peers, by TCP and QUIC, in the name of one key.
type transports struct {
	*swarm.Swarm

	upgrader transport.Upgrader
	sockets  *quicreuse.ConnManager     // QUIC's; nil in a private network
	twins    chan transport.CapableConn // dialled beside the swarm, for a TCP listener to accept
}

// newTransports makes them for a key. Of cfg only what says how to talk is taken.
func newTransports(cfg *Config, key crypto.PrivKey, peers peerStore, bus event.Bus, resources *fair,
	options ...swarm.Option,
) (*transports, error) {
	id, err := peer.IDFromPrivateKey(key)
	if err == nil {
		err = errors.Join(peers.AddPrivKey(id, key), peers.AddPubKey(id, key.GetPublic()))
	}
	if err != nil {
		return nil, err
	}
	options = append([]swarm.Option{
		swarm.WithResourceManager(resources),
		// The detectors of networks without UDP or IPv6 want a hundred dials
		// before they let an AutoNAT server dial back by it.
		swarm.WithUDPBlackHoleSuccessCounter(nil), swarm.WithIPv6BlackHoleSuccessCounter(nil),
	}, options...)
	s, err := swarm.NewSwarm(id, peers, bus, options...)
	if err != nil {
		return nil, err
	}
	w := &transports{Swarm: s, twins: make(chan transport.CapableConn)}
	if err := errors.Join(w.addTCP(cfg, key, resources), w.addQUIC(cfg, key, resources)); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// close ends what the swarm's own Close leaves, too.
func (w *transports) close() error {
	err := w.Close()
	if w.sockets != nil {
		err = errors.Join(err, w.sockets.Close())
	}
	return err
}

// addTCP adds TCP with Noise and TLS.
func (w *transports) addTCP(cfg *Config, key crypto.PrivKey, resources *fair) error {
	muxers := []upgrader.StreamMuxer{{ID: yamux.ID, Muxer: muxer{yamux.DefaultTransport, resources}}}
	// Noise first: unlike TLS it has no certificate that a wrong clock makes invalid.
	first, err := noise.New(noise.ID, key, muxers)
	if err != nil {
		return err
	}
	second := later{libp2ptls.ID, sync.OnceValues(func() (sec.SecureTransport, error) {
		return libp2ptls.New(libp2ptls.ID, key, muxers)
	})}
	security := []sec.SecureTransport{first, second}
	if cfg.Security != nil {
		security = append(security, cfg.Security(w.LocalPeer(), key))
	}
	w.upgrader, err = upgrader.New(security, muxers, pnet.PSK(slices.Clone(cfg.NetworkKey)), resources, nil)
	if err != nil {
		return err
	}
	t, err := tcp.NewTCPTransport(w.upgrader, resources, nil)
	if err != nil {
		return err
	}
	return w.AddTransport(&tcpWire{t, w.twins})
}

// later makes a way to secure connections when it is needed first. Peers of ours take
// Noise, and a certificate for TLS takes a key and a signature.
type later struct {
	id   protocol.ID
	make func() (sec.SecureTransport, error)
}

// ID returns the name of the protocol.
func (l later) ID() protocol.ID { return l.id }

// SecureInbound secures a connection that p made, or anybody.
func (l later) SecureInbound(ctx context.Context, insecure net.Conn, p peer.ID) (sec.SecureConn, error) {
	t, err := l.make()
	if err != nil {
		return nil, err
	}
	return t.SecureInbound(ctx, insecure, p)
}

// SecureOutbound secures a connection to p.
func (l later) SecureOutbound(ctx context.Context, insecure net.Conn, p peer.ID) (sec.SecureConn, error) {
	t, err := l.make()
	if err != nil {
		return nil, err
	}
	return t.SecureOutbound(ctx, insecure, p)
}

// addQUIC adds QUIC, which knows no private networks.
func (w *transports) addQUIC(cfg *Config, key crypto.PrivKey, resources *fair) error {
	if cfg.NetworkKey != nil {
		return nil
	}
	sockets, err := newSockets(cfg, key, resources)
	if err != nil {
		return err
	}
	w.sockets = sockets
	certificate, err := timeless()
	if err != nil {
		return err
	}
	t, err := libp2pquic.NewTransport(
		key, sockets, nil, nil, resources, libp2pquic.WithTLSIdentityOption(libp2ptls.WithCertTemplate(certificate)),
	)
	if err != nil {
		return err
	}
	return w.AddTransport(t)
}

// newSockets makes what QUIC sends and receives with. A stranger's packets are
// held against the limits of connections before a handshake begins.
func newSockets(cfg *Config, key crypto.PrivKey, resources *fair) (*quicreuse.ConnManager, error) {
	raw, err := key.Raw()
	if err != nil {
		return nil, err
	}
	reset, err := hkdf.Key(sha256.New, raw, nil, "libp2p quic stateless reset key", len(quic.StatelessResetKey{}))
	if err != nil {
		return nil, err
	}
	token, err := hkdf.Key(sha256.New, raw, nil, "libp2p quic token generator key", len(quic.TokenGeneratorKey{}))
	if err != nil {
		return nil, err
	}
	options := []quicreuse.Option{
		quicreuse.ConnContext(func(ctx context.Context, client *quic.ClientInfo) (context.Context, error) {
			addr, err := quicreuse.ToQuicMultiaddr(client.RemoteAddr, quic.Version1)
			if err != nil {
				addr = nil // the resource manager decides all the same
			}
			scope, err := resources.OpenConnection(network.DirInbound, false, addr)
			if err != nil {
				return ctx, err
			}
			ctx = network.WithConnManagementScope(ctx, scope)
			context.AfterFunc(ctx, scope.Done)
			return ctx, nil
		}),
		quicreuse.VerifySourceAddress(func(addr net.Addr) bool { return resources.VerifySourceAddress(addr) }),
	}
	if cfg.Metrics != nil {
		options = append(options, quicreuse.EnableMetrics(cfg.Metrics))
	}
	options = append(options, cfg.Simulated...)
	sockets, err := quicreuse.NewConnManager(quic.StatelessResetKey(reset), quic.TokenGeneratorKey(token), options...)
	if err != nil || !resources.narrow {
		return sockets, err
	}
	if err := narrow(sockets); err != nil {
		return nil, errors.Join(err, sockets.Close())
	}
	return sockets, nil
}

// timeless is the template of a certificate that holds at any time. What it
// proves, the peer's key, has no time; libp2p's own holds from an hour before it
// is made, and so keeps peers apart whose clocks differ by more.
func timeless() (*x509.Certificate, error) {
	number, err := rand.Int(rand.Reader, big.NewInt(math.MaxInt64))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: number,
		Subject:      pkix.Name{SerialNumber: number.String()}, // the issuer's too, which must not be empty
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // no end: RFC 5280, section 4.1.2.5
	}, nil
}
