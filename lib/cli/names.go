package cli

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// TrustVariable names the trust file that counts where no flag says whom to trust.
const TrustVariable = "PLASM_TRUST"

// TrustAny is the word that a trust file's name may be: everybody.
const TrustAny = "any"

// DefaultTrust returns the user's own trust file, $XDG_CONFIG_HOME/plasm/trust, or ""
// where there is no home.
func DefaultTrust(getenv func(string) string) string {
	base := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(base) {
		home := getenv("HOME")
		if !filepath.IsAbs(home) {
			return ""
		}
		base = filepath.Join(home, ".config")
	}
	return filepath.Join(base, "plasm", "trust")
}

// OwnTrust returns the trust file that counts where no flag says whom to trust, which is also
// where names of peers are looked up: PLASM_TRUST where that names a file, else
// DefaultTrust. It is "" where there is none.
func OwnTrust(getenv func(string) string) string {
	if file := getenv(TrustVariable); file != "" && file != TrustAny && file != "-" {
		return file
	}
	return DefaultTrust(getenv)
}

// maxList is the longest list of peers that is read, in bytes.
const maxList = 1 << 20

// ReadTrust reads a trust file, or one from stdin for "-". An error is a *job.Error; it wraps
// fs.ErrNotExist where there
// is no such file.
func ReadTrust(file string, stdin io.Reader) (*identity.List, error) {
	data, err := ReadFile(file, stdin, maxList)
	if err != nil {
		return nil, err
	}
	return identity.ParseList(identity.TrustFile, data, file)
}

// Names is what peers are called, by the user's own trust file and by those that Add
// adds. The zero value knows nobody.
type Names struct {
	peers  []identity.Peer
	file   string // the user's own
	broken error  // why that could not be read
}

// OwnNames returns the names in the user's own trust file. That one is not there, or
// cannot be read, matters only where a name is looked up.
func OwnNames(getenv func(string) string) *Names {
	n := &Names{file: OwnTrust(getenv)}
	if n.file == "" {
		return n
	}
	listed, err := ReadTrust(n.file, nil)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		n.broken = err
	default:
		n.Add(listed)
	}
	return n
}

// Add adds the names of a list.
func (n *Names) Add(l *identity.List) {
	for _, p := range l.Peers {
		known := func(o identity.Peer) bool {
			return o.ID == p.ID && o.Name == p.Name &&
				slices.Equal(o.Addrs, p.Addrs)
		}
		if (p.Name != "" || len(p.Addrs) > 0) && !slices.ContainsFunc(n.peers, known) {
			n.peers = append(n.peers, p)
		}
	}
}

// Find returns the peer with that name; nil where the text can't be a name. A name that
// nobody has, and one that two files give to two peers, is an error.
func (n *Names) Find(name string) (*identity.Peer, error) {
	if !identity.IsName(name) {
		return nil, nil
	}
	var found *identity.Peer
	for _, p := range n.peers {
		switch {
		case p.Name != name:
		case found == nil:
			found = &p
		case found.ID != p.ID:
			return nil, &job.Error{
				Code: job.CodeUsage, Message: name + " is the name of two peers, in two files",
				Hint: "name it by its peer ID, or give it another name in one of them",
			}
		default:
			merged := *found
			merged.Addrs = slices.Concat(found.Addrs, p.Addrs)
			found = &merged
		}
	}
	if found != nil {
		return found, nil
	}
	e := &job.Error{
		Code: job.CodeUsage, Message: fmt.Sprintf("no peer has the name %s", name), Err: n.broken,
		Hint: "plasm-submit --trust-add PEERID=" + name + " gives one that name",
	}
	if broken := n.broken; broken != nil {
		e.Message += ", and the file of names can't be read: " + AsError(broken).Message
	}
	return nil, e
}

// Signer returns the key that a text names: a name, a peer ID, or a PEM file of a public
// key, which readFile reads. A name counts for more than a file that is called the same:
// whoever puts a file where a command is called must not decide whom it trusts.
func (n *Names) Signer(text string, readFile func(string) ([]byte, error)) (ed25519.PublicKey, error) {
	p, unknown := n.Find(text)
	switch {
	case p != nil:
		return p.Key, nil
	case n.names(text):
		return nil, unknown
	}
	key, err := identity.ParseSigner(text, readFile)
	switch {
	case err != nil && errors.Is(err, fs.ErrNotExist) && unknown != nil && n.broken != nil:
		return nil, unknown
	case err != nil:
		return nil, err
	}
	return key, nil
}

// names reports whether a peer has that name.
func (n *Names) names(name string) bool {
	return name != "" && slices.ContainsFunc(n.peers, func(p identity.Peer) bool { return p.Name == name })
}

// Addrs returns the addresses that the lists give for a peer.
func (n *Names) Addrs(id string) []string {
	var addrs []string
	for _, p := range n.peers {
		if p.ID == id {
			addrs = append(addrs, p.Addrs...)
		}
	}
	return addrs
}

// Shown returns what a peer is called in words for people: NAME and the end of its ID,
// or the whole ID where it has no name.
func (n *Names) Shown(id string) string {
	if name := n.Name(id); name != "" {
		return name + " (" + PeerEnd(id) + ")"
	}
	return id
}

// Short is Shown where there is little room: NAME, or the end of the ID.
func (n *Names) Short(id string) string {
	if name := n.Name(id); name != "" {
		return name
	}
	return PeerEnd(id)
}

// Name returns the name of a peer, or "".
func (n *Names) Name(id string) string {
	if n == nil {
		return ""
	}
	for _, p := range n.peers {
		if p.ID == id && p.Name != "" {
			return p.Name
		}
	}
	return ""
}

// PeerEnd is the end of a peer ID, which tells it from others; its beginning does not.
func PeerEnd(id string) string {
	const n = 8
	return "…" + id[max(len(id)-n, 0):]
}
