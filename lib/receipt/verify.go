package receipt

import (
	"crypto/ed25519"
	"errors"
	"slices"
	"strconv"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// Verified is a statement whose signature was checked: the word of a node that
// the caller trusts. Whether it is about the caller's job is for Check to say.
type Verified struct {
	*Statement
	Payload []byte // the statement as it was signed, to the byte
}

// Verify checks an envelope up to WrongSigner. An error is a *RefusalError. Only
// trusted says whose word counts; keys in or around the envelope never do. When
// several signatures verify, node.peer_id must be one of their keys.
func Verify(data []byte, trusted []ed25519.PublicKey) (*Verified, error) {
	e, err := open(data)
	if err != nil {
		return nil, err
	}
	signers := e.signers(trusted)
	if len(signers) == 0 {
		return nil, refuse(Untrusted, "no signature verifies under a trusted key (%s, %s)",
			count(len(e.signatures), "signature"), count(len(trusted), "key"))
	}
	s, err := e.statement()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(signers, s.Node.PeerID) {
		return nil, refuse(WrongSigner, "node.peer_id is %s, signed by %s", s.Node.PeerID, signers[0])
	}
	return &Verified{Statement: s, Payload: e.payload}, nil
}

// Claims returns what an envelope says, whoever signed it: nothing to rely on,
// and never a reason to trust. An error is a *RefusalError.
func Claims(data []byte) (*Statement, error) {
	e, err := open(data)
	if err != nil {
		return nil, err
	}
	return e.statement()
}

// signers returns the peer IDs of the trusted keys under which a signature verifies.
func (e *envelope) signers(trusted []ed25519.PublicKey) []string {
	message := encoding(PayloadType, e.payload)
	var ids []string
	for _, key := range trusted {
		if slices.ContainsFunc(e.signatures, func(sig []byte) bool { return verifies(key, message, sig) }) {
			ids = append(ids, identity.PeerIDOf(key))
		}
	}
	return ids
}

// statement reads the payload.
func (e *envelope) statement() (*Statement, error) {
	s, err := Decode(e.payload)
	if syntax, ok := errors.AsType[*job.SyntaxError](err); ok {
		return nil, &RefusalError{Reason: BadJSON, Of: Payload, Detail: syntax.Error()}
	}
	if err != nil {
		return nil, refuse(BadStatement, "%v", err)
	}
	return s, nil
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}
