package identity

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"plasm/lib/job"
)

// maxTrust is the most that a list of peers may hold, in bytes: some 20,000 peers.
const maxTrust = 1 << 20

// ListKind says what a list of peers is for, and with that what its lines may say.
type ListKind string

// The kinds of lists. In a trust file a name may be followed by addresses.
const (
	TrustFile ListKind = "trust file"
	AllowFile ListKind = "allow file"
)

// anyone is the word that stands for every peer.
const anyone = "any"

// List is what a list of peers says: a trust file or an allow file.
type List struct {
	Peers []Peer // in the file's order, none twice
	Any   bool   // whether the word "any" is there: everybody
}

// Peer is what a list says of a peer.
type Peer struct {
	ID    string // never empty
	Key   ed25519.PublicKey
	Name  string   // "" for none
	Addrs []string // multiaddresses; those that end in /p2p/ID end in this ID
}

// ParseList reads a list of peers: a line is a peer ID, which a name and, in a trust
// file, addresses may follow, or the word "any". No name stands for two peers, and no
// peer has two. Blank lines count for nothing, nor does what follows a "#" that begins a
// line or stands after white space. name is the file's, for messages. Errors are of
// job.CodeUsage and say name:line.
func ParseList(kind ListKind, data []byte, name string) (*List, error) {
	if len(data) > maxTrust {
		return nil, kind.wrong(name, "is too large for a list of peers: more than %d bytes", maxTrust)
	}
	if !utf8.Valid(data) {
		return nil, kind.wrong(name, "is not a text file")
	}
	l := &List{}
	at := map[string]int{}    // the place in Peers, by peer ID
	of := map[string]string{} // the peer ID, by name
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, maxTrust+1)
	for n := 1; lines.Scan(); n++ {
		words, _ := splitLine(lines.Text())
		if len(words) == 0 {
			continue
		}
		if len(words) == 1 && words[0] == anyone {
			l.Any = true
			continue
		}
		p, err := kind.parsePeer(words)
		if err == nil {
			err = l.add(p, at, of)
		}
		if err != nil {
			return nil, kind.wrong(fmt.Sprintf("%s:%d", name, n), "%v", err)
		}
	}
	return l, nil
}

// add adds what a line says of a peer.
func (l *List) add(p *Peer, at map[string]int, of map[string]string) error {
	if other, there := of[p.Name]; there && p.Name != "" && other != p.ID {
		return fmt.Errorf("another peer has the name %s already", p.Name)
	}
	i, there := at[p.ID]
	if !there {
		i = len(l.Peers)
		at[p.ID] = i
		l.Peers = append(l.Peers, Peer{ID: p.ID, Key: p.Key})
	}
	known := &l.Peers[i]
	if p.Name != "" {
		if known.Name != "" && known.Name != p.Name {
			return fmt.Errorf("this peer has the name %s already", known.Name)
		}
		known.Name = p.Name
		of[p.Name] = p.ID
	}
	for _, addr := range p.Addrs {
		if !slices.Contains(known.Addrs, addr) {
			known.Addrs = append(known.Addrs, addr)
		}
	}
	return nil
}

// parsePeer reads the words of a line that names a peer.
func (k ListKind) parsePeer(words []string) (*Peer, error) {
	key, err := ParsePeerID(words[0])
	if err != nil {
		return nil, err
	}
	p := &Peer{ID: words[0], Key: key}
	if len(words) == 1 {
		return p, nil
	}
	p.Name = words[1]
	if err := CheckName(p.Name); err != nil {
		return nil, err
	}
	p.Addrs = words[2:]
	if k != TrustFile && len(p.Addrs) > 0 {
		return nil, fmt.Errorf("%s is more than a peer ID and a name", job.Quote(p.Addrs[0]))
	}
	for _, addr := range p.Addrs {
		if err := checkAddr(addr, p.ID); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// maxName is how many characters a name has at most.
const maxName = 64

// IsName reports whether CheckName takes a text.
func IsName(text string) bool { return CheckName(text) == nil }

// CheckName refuses what is no name for a peer: [a-z0-9][a-z0-9._/-]{0,63}, and not
// "any". No peer ID is one, as each has capital letters.
func CheckName(name string) error {
	const first, other = "abcdefghijklmnopqrstuvwxyz0123456789", "._/-"
	switch {
	case name == anyone:
		return errors.New("any is the word for everybody, and no name")
	case name == "" || len(name) > maxName || !strings.Contains(first, name[:1]) ||
		strings.Trim(name, first+other) != "":
		return fmt.Errorf("%s is no name: up to %d of a-z, 0-9, and after the first . _ / -", job.Quote(name), maxName)
	}
	return nil
}

// checkAddr refuses what is no address of the peer with that ID. An address may leave
// the ID out. Whether each of its parts is one is for the network to say.
func checkAddr(addr, id string) error {
	if !strings.HasPrefix(addr, "/") {
		return fmt.Errorf("%s is not an address: it begins with /", job.Quote(addr))
	}
	rest, last := path.Split(addr)
	if strings.HasSuffix(rest, "/p2p/") && last != id {
		return fmt.Errorf("%s is the address of another peer", job.Quote(addr))
	}
	return nil
}

// splitLine returns the words of a line of a list, and its comment.
func splitLine(line string) (words []string, comment string) {
	for i, r := range line {
		if r == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			line, comment = line[:i], line[i:]
			break
		}
	}
	return strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' }),
		strings.TrimRight(comment, "\r")
}

func (k ListKind) wrong(where, format string, args ...any) error {
	hint := "a line of an allow file is a peer ID (12D3KooW…), which a name may follow"
	if k == TrustFile {
		hint = "a line of a trust file is a peer ID (12D3KooW…), which a name and then addresses may follow"
	}
	return &job.Error{Code: job.CodeUsage, Message: where + ": " + fmt.Sprintf(format, args...), Hint: hint}
}

// ParseSigner returns the key that arg names: a peer ID, or else a PEM file of a
// public key, which readFile reads.
func ParseSigner(arg string, readFile func(string) ([]byte, error)) (ed25519.PublicKey, error) {
	key, notID := ParsePeerID(arg)
	if notID == nil {
		return key, nil
	}
	data, err := readFile(arg)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENAMETOOLONG) {
		return nil, &job.Error{
			Code:    job.CodeUsage,
			Message: "neither a peer ID nor a file: " + job.Quote(arg),
			Fact:    job.FactNoPeerID,
			Err:     err,
		}
	}
	if err != nil {
		return nil, &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("%s: %v", arg, cause(err)), Err: err}
	}
	key, err = ParsePublicPEM(data)
	if err != nil {
		return nil, &job.Error{Code: job.CodeBadKey, Message: fmt.Sprintf("key file %v: %s", err, arg), Err: err}
	}
	return key, nil
}

// ReadFile reads a small file, such as a trust file or a public key; one of more
// than a megabyte is an error.
func ReadFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readSmall(f)
}

// ReadRegular is ReadFile for a place at which another user may have put something:
// what is no regular file is an error, and keeps nobody waiting.
func ReadRegular(file string) ([]byte, error) {
	f, _, err := openRegular(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return readSmall(f)
}

// readSmall reads a file that may not be larger than a list of peers.
func readSmall(f *os.File) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(f, maxTrust+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxTrust {
		return nil, fmt.Errorf("larger than %d bytes", maxTrust)
	}
	return data, nil
}
