package network

import (
	"context"
	"crypto/rand"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/job"
)

// somebody is a peer ID that nobody listens under.
func somebody(t *testing.T) peer.ID {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// told splits a *job.Error, which must be one line.
func told(t *testing.T, err error) (code job.Code, message, hint string) {
	t.Helper()
	e, ok := err.(*job.Error) //nolint:errorlint // exactly this type is promised
	if !ok {
		t.Fatalf("%T %v is not a *job.Error", err, err)
	}
	if strings.ContainsAny(e.Message+e.Hint, "\n\r\x1b") {
		t.Errorf("not one line: %q, %q", e.Message, e.Hint)
	}
	return e.Code, e.Message, e.Hint
}

// tcpAddr is the multiaddress of host:port.
func tcpAddr(hostPort string) string {
	host, port, _ := strings.Cut(hostPort, ":")
	return "/ip4/" + host + "/tcp/" + port
}

func TestFailedContacts(t *testing.T) {
	t.Parallel()
	node := start(t, Config{Server: true})
	var tcp, quic ma.Multiaddr
	for _, addr := range node.LocalAddrs() {
		if isQUIC(addr) {
			quic = addr
		} else {
			tcp = addr
		}
	}
	nobody := somebody(t)
	hole, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closedPort := tcpAddr(hole.Addr().String())
	if err := hole.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ addr, message, hint string }{
		"wrong peer ID over TCP": {
			tcp.String(), "bootstrap peer is another one: the node there is " + node.ID().String() + ": " +
				tcp.String() + "/p2p/" + nobody.String(),
			"if it is the one you mean, write /p2p/" + node.ID().String() + " instead",
		},
		"wrong peer ID over QUIC": {
			quic.String(), "bootstrap peer is another one: the node there is " + node.ID().String() + ": " +
				quic.String() + "/p2p/" + nobody.String(),
			"if it is the one you mean, write /p2p/" + node.ID().String() + " instead",
		},
		"nobody listens": {
			closedPort, "bootstrap peer did not answer: connection refused: " + closedPort + "/p2p/" + nobody.String(),
			"is the node running, and is this its port?",
		},
		"name": {
			"/dns4/nobody.invalid/tcp/7527",
			"bootstrap peer did not answer: name not found: /dns4/nobody.invalid/tcp/7527/p2p/" + nobody.String(),
			"check the spelling, and that this machine can look names up",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			info, err := ParseAddrs([]string{c.addr + "/p2p/" + nobody.String()})
			if err != nil {
				t.Fatal(err)
			}
			h := start(t, Config{Bootstrap: info})
			contact := settled(t, h)
			if contact.State != ContactFailed {
				t.Fatalf("%+v", contact)
			}
			if _, message, hint := told(t, contact.Err); message != c.message || hint != c.hint {
				t.Errorf("got  %s\n     %s\nwant %s\n     %s", message, hint, c.message, c.hint)
			}
		})
	}
}

// A contact that does not answer at first is dialled again.
func TestContactComesLater(t *testing.T) {
	t.Parallel()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := key.Raw()
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	hole, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := tcpAddr(hole.Addr().String())
	if err := hole.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := ParseAddrs([]string{addr + "/p2p/" + id.String()})
	if err != nil {
		t.Fatal(err)
	}
	early := start(t, Config{Bootstrap: info})
	if c := settled(t, early); c.State != ContactFailed {
		t.Fatalf("%+v", c)
	}
	start(t, Config{Key: raw, Server: true, Listen: []string{addr}})
	wait(t, "the table", early.Ready())
	if c := settled(t, early); c.State != ContactConnected || c.Err != nil {
		t.Errorf("%+v", c)
	}
}

func TestPeersAreRemembered(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "peers")
	node := start(t, Config{Server: true})
	first, err := Start(t.Context(), Config{Listen: loopback(), Bootstrap: at(node), PeersFile: file})
	if err != nil {
		t.Fatal(err)
	}
	wait(t, "the table", first.Ready())
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := start(t, Config{PeersFile: file})
	wait(t, "the table of one that was told nothing", second.Ready())
	if c := settled(t, second); c.Source != SourceRemembered || c.Info.ID != node.ID() {
		t.Errorf("%+v", c)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// Whoever finds nobody this time forgets nobody.
	third, err := Start(context.Background(), Config{Listen: loopback(), PeersFile: file})
	if err != nil {
		t.Fatal(err)
	}
	if err := third.Close(); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(file); err != nil || len(again) == 0 ||
		!strings.Contains(string(text), string(again[:20])) {
		t.Errorf("%v, was\n%sis\n%s", err, text, again)
	}
}

func TestParsePeers(t *testing.T) {
	t.Parallel()
	a, b := somebody(t).String(), somebody(t).String()
	text := strings.Join([]string{
		"/ip4/192.0.2.1/tcp/7527/p2p/" + a, "nonsense", "", "/unix/tmp/p2p/" + a,
		"/ip4/192.0.2.1/udp/7527/quic-v1/p2p/" + a, "/ip6/::1/tcp/1/p2p/" + b, "/ip4/192.0.2.1/tcp/7527/p2p/" + a,
	}, "\r\n")
	infos := parsePeers([]byte(text))
	if len(infos) != 2 || len(infos[0].Addrs) != 2 || len(infos[1].Addrs) != 1 {
		t.Fatalf("%v", infos)
	}
	if again := parsePeers(formatPeers(infos)); len(again) != 2 || again[0].String() != infos[0].String() {
		t.Errorf("%v\nbecame %v", infos, again)
	}
	many := ""
	for range 3 * maxRemembered {
		many += "/ip4/192.0.2.1/tcp/7527/p2p/" + somebody(t).String() + "\n"
	}
	if n := len(parsePeers([]byte(many))); n != maxRemembered {
		t.Errorf("%d peers remembered, want %d", n, maxRemembered)
	}
}
