package wire

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// StdinUnknown is Offer.StdinBytes for an input that ends when it ends.
const StdinUnknown = -1

// Offer is what a requester asks, and what it has of the job already.
type Offer struct {
	Requester string // peer ID of the key that asks
	Manifest  []byte // the manifest document, 1 to job.MaxManifest bytes
	Signature []byte // 64 bytes, as the package comment says

	Attach bool // only to a job that the node knows; nothing of it can be sent, and so no size is told
	Detach bool // the requester means to leave and to attach later, with nothing of the job at hand

	ModuleBytes int64 // 1 to job.MaxSafeInt; 0 with Attach
	// 0 to job.MaxSafeInt, of the whole input; StdinUnknown when the manifest has no stdin_hash,
	// and with Attach
	StdinBytes  int64
	StdoutFrom  int64 // 0 to job.MaxSafeInt: how many bytes of the output the requester has; see Accept.Attached
	StderrFrom  int64
	FoldersFrom int64 // likewise, of the folders

	Trees []TreeSize // of the manifest's Trees, in their order; none with Attach
}

// TreeSize is how much there is of a tree that a job's folders begin as.
type TreeSize struct {
	DocumentBytes int64 `json:"document_bytes"` // 1 to job.MaxTree
	Entries       int64 `json:"entries"`        // 1 to job.MaxEntries
	// 0 to Entries: the contents of its files, each once, without the empty one
	Blobs int64 `json:"blobs"`
	Bytes int64 `json:"bytes"` // 0 to job.MaxSafeInt: of these
}

// total returns the sum of sizes; Bytes is at most job.MaxSafeInt.
func total(sizes []TreeSize) TreeSize {
	var t TreeSize
	for _, s := range sizes {
		t.DocumentBytes += s.DocumentBytes
		t.Entries += s.Entries
		t.Blobs += s.Blobs
		t.Bytes = min(t.Bytes+s.Bytes, job.MaxSafeInt)
	}
	return t
}

// Folders returns how much there is of all trees of the job together; Bytes is at most
// job.MaxSafeInt.
func (o *Offer) Folders() TreeSize { return total(o.Trees) }

// offerDocument is an offer as it is written.
type offerDocument struct {
	Requester   string `json:"requester"`
	Manifest    []byte `json:"manifest"` // encoding/json writes the base64 of documents
	Signature   []byte `json:"signature"`
	Attach      bool   `json:"attach,omitempty"`
	Detach      bool   `json:"detach,omitempty"`
	ModuleBytes int64  `json:"module_bytes,omitempty"`
	StdinBytes  *int64 `json:"stdin_bytes,omitempty"`
	StdoutFrom  int64  `json:"stdout_from,omitempty"`
	StderrFrom  int64  `json:"stderr_from,omitempty"`
	FoldersFrom int64  `json:"folders_from,omitempty"`

	Trees []TreeSize `json:"trees,omitempty"`
}

func (o *Offer) document() *offerDocument {
	d := &offerDocument{
		Requester: o.Requester, Manifest: o.Manifest, Signature: o.Signature,
		Attach: o.Attach, Detach: o.Detach, ModuleBytes: o.ModuleBytes, StdoutFrom: o.StdoutFrom,
		StderrFrom:  o.StderrFrom,
		FoldersFrom: o.FoldersFrom, Trees: o.Trees,
	}
	if o.StdinBytes != StdinUnknown {
		d.StdinBytes = &o.StdinBytes
	}
	return d
}

func offerFrom(f *job.Fields) *Offer {
	o := &Offer{
		Requester:   f.PeerID("requester"),
		Manifest:    binaryFrom(f, "manifest", 1, job.MaxManifest),
		Signature:   binaryFrom(f, "signature", ed25519.SignatureSize, ed25519.SignatureSize),
		Attach:      f.BoolOr("attach", false),
		Detach:      f.BoolOr("detach", false),
		StdinBytes:  StdinUnknown,
		StdoutFrom:  f.IntOr("stdout_from", 0, 0, job.MaxSafeInt),
		StderrFrom:  f.IntOr("stderr_from", 0, 0, job.MaxSafeInt),
		FoldersFrom: f.IntOr("folders_from", 0, 0, job.MaxSafeInt),
	}
	if o.Attach { // sizes are unknown members then
		return o
	}
	o.ModuleBytes = f.Int("module_bytes", 1, job.MaxSafeInt)
	o.StdinBytes = f.IntOr("stdin_bytes", StdinUnknown, 0, job.MaxSafeInt)
	for _, t := range f.OptObjects("trees") {
		s := TreeSize{
			DocumentBytes: t.Int("document_bytes", 1, job.MaxTree), Entries: t.Int("entries", 1, job.MaxEntries),
			Blobs: t.Int("blobs", 0, job.MaxEntries), Bytes: t.Int("bytes", 0, job.MaxSafeInt),
		}
		if s.Blobs > s.Entries {
			t.Fail("blobs", "%d of %d entries", s.Blobs, s.Entries)
		}
		o.Trees = append(o.Trees, s)
	}
	if len(o.Trees) > job.MaxDirs {
		f.Fail("trees", "%d, more than the %d allowed", len(o.Trees), job.MaxDirs)
	}
	return o
}

// binaryFrom returns a member that is low to high bytes in base64.
func binaryFrom(f *job.Fields, name string, low, high int) []byte {
	s := f.Str(name)
	b, err := base64.StdEncoding.DecodeString(s)
	switch {
	case f.Err() != nil:
		return nil
	case err != nil || base64.StdEncoding.EncodeToString(b) != s: // line breaks, stray bits
		f.Fail(name, "not base64: the standard alphabet, padded, without line breaks and stray bits")
	case len(b) < low || len(b) > high:
		f.Fail(name, "%d bytes, not %d to %d", len(b), low, high)
	}
	return b
}

// Sign makes key's owner the requester of the offer, for the connection to the
// node of the first peer ID at whose near end stands the second.
func (o *Offer) Sign(key *identity.Key, node, transport string) {
	o.Requester = key.PeerID()
	o.Signature = key.Sign(o.signed(node, transport))
}

// Verify checks that the requester signed the offer for that node and that
// connection: transport is the peer ID at its far end. It is the first thing to
// ask of an offer that came. An error is a *BreachError with RuleSignature.
//
// The signature needs none of the strictness of a receipt's, beyond what
// crypto/ed25519 has: it is not kept, nothing is told apart by it, and a key
// that signs everything is a requester whom everybody may be.
func (o *Offer) Verify(node, transport string) error {
	key, err := identity.ParsePeerID(o.Requester)
	if err != nil {
		return breach(RuleSignature, "the requester %v", err)
	}
	if !ed25519.Verify(key, o.signed(node, transport), o.Signature) {
		return breach(RuleSignature, "%s has not signed this offer for this node and this connection", o.Requester)
	}
	return nil
}

// signedPrefix is what the signed bytes begin with.
const signedPrefix = "plasm-offer/1"

// signed returns what the signature is over.
func (o *Offer) signed(node, transport string) []byte {
	b := []byte(signedPrefix)
	for _, part := range [][]byte{[]byte(node), []byte(transport), o.Manifest} {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	return b
}

// DecodeManifest reads the offer's manifest, and checks that what the offer says
// of the input fits it. A node asks for it when it knows that the requester is
// allowed. It checks so that there are as many trees in the offer as in the manifest. An error
// is a *job.Error with CodeBadManifest.
func (o *Offer) DecodeManifest() (*job.Manifest, error) {
	m, err := job.DecodeManifest(o.Manifest)
	if err != nil {
		return nil, err
	}
	if o.Attach {
		return m, nil
	}
	problem := ""
	switch {
	case m.StdinHash == "" && o.StdinBytes != StdinUnknown:
		problem = fmt.Sprintf("%d, but the manifest has no stdin_hash", o.StdinBytes)
	case m.StdinHash != "" && o.StdinBytes == StdinUnknown:
		problem = "missing, and the manifest has a stdin_hash"
	case (m.StdinHash == job.EmptyDigest) != (o.StdinBytes == 0):
		problem = fmt.Sprintf("%d, but the manifest's stdin_hash is %s", o.StdinBytes, m.StdinHash)
	}
	if problem != "" {
		return nil, unlike("offer.stdin_bytes", problem)
	}
	if n := len(m.Trees()); n != len(o.Trees) {
		return nil, unlike("offer.trees", fmt.Sprintf("%d, and the manifest's folders begin as %d", len(o.Trees), n))
	}
	return m, nil
}

// unlike says that an offer doesn't fit its manifest.
func unlike(path, problem string) error {
	err := &job.FieldError{Path: path, Problem: problem}
	return &job.Error{Code: job.CodeBadManifest, Message: err.Error(), Err: err}
}
