package submit

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/security/insecure"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/network"
)

// plaintext makes what passes over a link readable: between a node that knows
// nothing else, and a requester that can do that, too.
func plaintext() libp2p.Option { return libp2p.Security(insecure.ID, insecure.NewWithIdentity) }

func alsoPlaintext(id peer.ID, key crypto.PrivKey) sec.SecureTransport {
	return insecure.NewWithIdentity(insecure.ID, id, key)
}

// secrets are the forms in which something of a job might be on the wire.
func secrets(cfg *Config, j *Job, stdin string) map[string][]byte {
	m := j.Manifest
	encoded := m.Encode()
	all := map[string][]byte{
		"the job's id": []byte(m.ID), "the manifest": encoded, "the module": j.Module, "the input": []byte(stdin),
		"an argument": []byte(m.Args[0]), "a variable": []byte(m.Env["NAME"]),
		"the requester":            []byte(cfg.Key.PeerID()),
		"the name of the protocol": []byte(wire.Protocol), "part of the module": j.Module[20:40],
		"part of the manifest in base64": []byte(base64.StdEncoding.EncodeToString(encoded)[40:80]),
		"the requester's key":            cfg.Key.Public(),
	}
	for name, digest := range map[string]job.Digest{
		"module": m.ModuleHash, "input": m.StdinHash,
		"manifest": job.Sum(encoded),
	} {
		raw, err := hex.DecodeString(digest.Hex())
		if err != nil {
			panic(err)
		}
		all["the digest of the "+name] = []byte(digest.Hex())
		all["the digest of the "+name+" in bytes"] = raw
		all["the digest of the "+name+" in base64"] = []byte(base64.RawStdEncoding.EncodeToString(raw))
	}
	return all
}

// TestNothingForStrangers watches the wire to two nodes, of which one is trusted:
// of the job, nothing goes to the other, whoever proposes it and however badly
// the trusted one does.
func TestNothingForStrangers(t *testing.T) {
	t.Parallel()
	const stdin = "an input that nobody else knows"
	for name, does := range map[string]func(*session){
		"the trusted node works": honest,
		"it refuses":             func(s *session) { s.reject(job.RejectMemory, 0) },
		"it lies": func(s *session) {
			if s.accept() {
				s.run()
				s.output()
				s.resultBy(identity.Generate(), s.statement())
			}
		},
		"it goes": func(s *session) { s.conn.Reset() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			friend, stranger := node(t, does, plaintext()), node(t, honest, plaintext())
			toFriend, toStranger := linkTo(t, friend), linkTo(t, stranger)
			cfg := config(t, friend)
			at := func(p *proxy, n *fakeNode) peer.AddrInfo {
				return peer.AddrInfo{ID: n.host.ID(), Addrs: []ma.Multiaddr{p.addr()}}
			}
			// The stranger is even the first contact, and so one to talk to.
			cfg.Host = startHost(t, network.Config{
				Security:  alsoPlaintext,
				Bootstrap: []peer.AddrInfo{at(toStranger, stranger)},
			})
			j := newJob(stdin)
			j.Manifest.Args, j.Manifest.Env = []string{"an argument of this job"},
				map[string]string{"NAME": "a value of this job"}
			cfg.Retries = 1
			eventually(t, "the first contact", func() bool {
				c := cfg.Host.Contacts()
				return len(c) == 1 && c[0].State == network.ContactConnected
			})
			result, err := Run(deadline(t, patience), cfg, j, these(
				Candidate{Info: at(toStranger, stranger), Node: stranger.document(9)},
				Candidate{Info: at(toFriend, friend), Node: friend.document(1)},
				Candidate{Info: at(toStranger, stranger)},
			))
			if err == nil {
				result.Close()
			} else if !strings.Contains(string(job.EncodeError(asJobError(err))),
				"echo "+stranger.key.PeerID()+" >> trust") {
				t.Errorf("the stranger is not named with the line that admits it: %+v", nodesOf(err))
			}
			if heard := toStranger.sent(); len(heard) < 100 || stranger.offered() > 0 {
				t.Errorf("the stranger heard %d bytes and %d offers", len(heard), stranger.offered())
			}
			for what, secret := range secrets(&cfg, j, stdin) {
				if bytes.Contains(toStranger.sent(), secret) {
					t.Errorf("the stranger has heard %s", what)
				}
			}
			seesAll(t, toFriend, cfg, j)
		})
	}
}

// seesAll shows that the wire can be watched: what goes to a trusted node is seen.
func seesAll(t *testing.T, p *proxy, cfg Config, j *Job) {
	t.Helper()
	for _, secret := range []string{
		string(wire.Protocol), cfg.Key.PeerID(), base64.StdEncoding.EncodeToString(j.Manifest.Encode()),
	} {
		if !bytes.Contains(p.sent(), []byte(secret)) {
			t.Errorf("not seen on the way to the trusted node: %.60q", secret)
		}
	}
}

// Nobody is trusted by being proposed, and none of those who aren't gets a stream.
func TestNobodyTrusted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		a, b := node(t, honest), node(t, honest)
		e := refused(t, config(t), newJob(""), these(a.candidate(1), b.candidate(1)))
		if e.Code != job.CodeNoNode || a.offered()+b.offered() > 0 || len(e.Nodes) != 2 {
			t.Errorf("%s: %v %+v", e.Code, e, e.Nodes)
		}
		for _, n := range e.Nodes {
			if n.Rejection.Code != job.RejectNotAllowed ||
				!strings.Contains(n.Rejection.Message, "echo "+n.PeerID+" >> trust") {
				t.Errorf("%+v", n)
			}
		}
		if want := "to trust the first of them: echo " + a.key.PeerID() + " >> trust"; e.Hint != want {
			t.Errorf("hint %q, want %q", e.Hint, want)
		}
	})
}
