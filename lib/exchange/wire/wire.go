// Package wire is what a requester and a node say to each other about one job:
// the protocol /plasm/job/1.0.0. It knows nothing of networks: it speaks over
// any ordered, encrypted stream of bytes whose two ends have proved who they
// are. docs/protocol.md tells it to who implements it anew.
//
// # Frames
//
// In both directions a frame is
//
//	1 byte         kind
//	1 to 3 bytes   n, the length of the payload: unsigned LEB128 in its shortest form
//	n bytes        payload
//
// In LEB128 each byte has 7 bits of the number, the lowest first, and its high
// bit says that another byte follows; in the shortest form the last byte is not
// 0, unless it is the only one. N is at most 1 MiB, and less for most kinds:
//
//	from the requester                        n
//	'O'  offer      JSON, Offer               1 to 360 KiB
//	'T'  tree       a piece of the documents  1 to 1 MiB
//	'M'  module     a piece of the module     1 to 1 MiB
//	'B'  blob       a piece of the contents   1 to 1 MiB
//	'I'  stdin      a piece of the input      1 to 1 MiB
//	'Z'  stdin-end  nothing                   0
//	'C'  cancel     nothing                   0
//
//	from the node
//	'q'  queued     JSON, Queued              1 to 1 KiB
//	'a'  accept     JSON, Accept              1 to 2 KiB
//	'w'  want       JSON, Want                1 to 320 KiB
//	'r'  reject     JSON, Reject              1 to 64 KiB
//	's'  started    JSON, Started             1 to 1 KiB
//	'o'  stdout     a piece of the output     1 to 1 MiB
//	'e'  stderr     a piece of the output     1 to 1 MiB
//	'f'  folders    a piece of the folders    1 to 1 MiB
//	'c'  cause      JSON, Cause               1 to 64 KiB
//	't'  trace      JSON, Trace               1 to 16 KiB
//	'x'  result     the receipt's envelope    1 to 1 MiB - 1
//
//	from both
//	'.'  ping       nothing                   0
//
// JSON is in the profile of lib/job. In a reject and a cause unknown members are
// ignored; in everything else they are errors.
//
// # Turns
//
// One stream carries one exchange. What comes from the requester:
//
//	offer ( tree… ) ( module… ) ( blob… ) ( stdin… stdin-end )     and at any point behind offer: cancel
//
// tree only when accept asked for documents of trees: those, one after the other,
// exactly as many bytes as the offer names. module only when accept asked for it,
// exactly as many bytes as the offer names. blob only when want asked for contents:
// those, one after the other, exactly as many bytes as want names; where accept says that
// a want follows, nothing follows before it but trees and module. stdin and
// stdin-end only when accept asked for them, when all else is through, from the byte
// that accept names to the end, which is at the byte that
// the offer names, if it names one. Behind cancel there is nothing. A requester
// may stop short anywhere; a node that then lacks something rejects the job when
// its reservation expires.
//
// What comes from the node:
//
//	queued… accept ( want ) started ( stdout | stderr | folders )… ( cause | trace ) result
//
// and at any point before result, as the last: reject.
//
// Want comes when accept says so, for a job with trees, as soon as the node has their
// documents, those included that come on this stream. It lists them by their place among all
// contents of the job's trees, each once, ascending by digest, without the empty one.
// Folders are what the job has left in the folders that it could write, in the form
// that lib/tree calls a stream. Contents that are in the job's own trees don't follow.
//
// Output begins at the byte that the offer names when accept says attached, at 0
// otherwise, and is no more than the manifest's output_limit_bytes with what lies
// before; folders are no more than the manifest's disk_mb and their documents. Cause comes
// when the node, and neither the job nor its requester, has ended the job, and trace when
// the program trapped and its module names its functions; neither
// is signed. After result or reject the node closes the stream. It also does when it
// was cancelled before started.
//
// The two directions are independent but for this: nothing follows an offer
// before accept, and accept follows an offer. Pieces may arrive that the
// receiver has no more use for, such as a module behind a reject; it drops them.
// Pings may stand between any two frames.
//
// # Silence
//
// Who has sent nothing for 2 s sends a ping. Who waits for bytes and gets none
// for 8 s takes the connection for lost. Bytes count, not whole frames: a long
// frame over a slow link is not silence. An offer must be whole 8 s after the
// stream was opened, and 2 s after it where many streams have no offer yet; when
// there are too many of these, the node resets the oldest.
//
// # What is signed
//
// An offer's signature is Ed25519 (RFC 8032), by the requester's key, over
//
//	13 bytes   "plasm-offer/1"
//	8 bytes    length of the node's peer ID, little-endian
//	…          the node's peer ID, as text
//	8 bytes    length of the peer ID at the requester's end of the connection, little-endian
//	…          that peer ID, as text
//	8 bytes    length of the manifest, little-endian
//	…          the manifest's bytes, as they stand in the offer
//
// So an offer is worth nothing on another connection and to another node.
// Whoever may be asked for a signature of other bytes that could begin with
// "plasm-offer/1" would break that; the other thing that plasm signs, DSSE's
// pre-authentication encoding, begins with "DSSEv1".
//
// # Breaches
//
// An end that reads what these rules don't allow resets the stream; so does a
// node that gets an offer whose signature doesn't hold. Neither says a word: a
// node answers only who has proved to be somebody.
package wire

import (
	"fmt"
	"time"

	"plasm/lib/job"
)

// Protocol is the name of the protocol.
const Protocol = "/plasm/job/1.0.0"

// MaxPayload is the longest payload of a frame, in bytes.
const MaxPayload = 1 << 20

// How long a node waits for a whole offer from the stream's opening on, whatever
// else comes; for Conn.ReadBy.
const (
	OfferTime        = 8 * time.Second
	CrowdedOfferTime = 2 * time.Second // while many streams have no offer yet
)

// Role is one of the two ends.
type Role byte

// The ends of an exchange.
const (
	Requester Role = 1 + iota
	Node
)

// String returns "requester" or "node".
func (r Role) String() string {
	switch r {
	case Requester:
		return "requester"
	case Node:
		return "node"
	}
	return fmt.Sprintf("role %d", byte(r))
}

// Kind is the kind of a frame.
type Kind byte

// The kinds of frame. Upper case comes from the requester, lower case from the
// node, Ping from both.
const (
	KindOffer    Kind = 'O'
	KindTree     Kind = 'T'
	KindModule   Kind = 'M'
	KindBlob     Kind = 'B'
	KindStdin    Kind = 'I'
	KindStdinEnd Kind = 'Z'
	KindCancel   Kind = 'C'

	KindQueued  Kind = 'q'
	KindAccept  Kind = 'a'
	KindWant    Kind = 'w'
	KindReject  Kind = 'r'
	KindStarted Kind = 's'
	KindStdout  Kind = 'o'
	KindStderr  Kind = 'e'
	KindFolders Kind = 'f'
	KindCause   Kind = 'c'
	KindTrace   Kind = 't'
	KindResult  Kind = 'x'

	KindPing Kind = '.'
)

// rule is what is true of every frame of a kind.
type rule struct {
	name     string
	from     Role // 0: both
	min, max int  // bytes of payload
}

const (
	maxOffer  = 360 << 10 // base64 of the longest manifest, and some KiB for the rest
	maxShort  = 1 << 10
	maxAccept = 2 << 10   // the digests of job.MaxDirs trees
	maxWant   = 320 << 10 // base64 of a bit for each content, and the rest
	maxTrace  = 16 << 10
)

// rule returns the rule of a kind, and whether there is such a kind.
func (k Kind) rule() (rule, bool) {
	switch k {
	case KindOffer:
		return rule{"offer", Requester, 1, maxOffer}, true
	case KindTree:
		return rule{"tree", Requester, 1, MaxPayload}, true
	case KindBlob:
		return rule{"blob", Requester, 1, MaxPayload}, true
	case KindModule:
		return rule{"module", Requester, 1, MaxPayload}, true
	case KindStdin:
		return rule{"stdin", Requester, 1, MaxPayload}, true
	case KindStdinEnd:
		return rule{"stdin-end", Requester, 0, 0}, true
	case KindCancel:
		return rule{"cancel", Requester, 0, 0}, true
	case KindQueued:
		return rule{"queued", Node, 1, maxShort}, true
	case KindAccept:
		return rule{"accept", Node, 1, maxAccept}, true
	case KindWant:
		return rule{"want", Node, 1, maxWant}, true
	case KindReject:
		return rule{"reject", Node, 1, job.MaxRejection}, true
	case KindStarted:
		return rule{"started", Node, 1, maxShort}, true
	case KindStdout:
		return rule{"stdout", Node, 1, MaxPayload}, true
	case KindStderr:
		return rule{"stderr", Node, 1, MaxPayload}, true
	case KindFolders:
		return rule{"folders", Node, 1, MaxPayload}, true
	case KindCause:
		return rule{"cause", Node, 1, job.MaxRejection}, true
	case KindTrace:
		return rule{"trace", Node, 1, maxTrace}, true
	case KindResult:
		return rule{"result", Node, 1, job.MaxEnvelope}, true
	case KindPing:
		return rule{"ping", 0, 0, 0}, true
	}
	return rule{}, false
}

// String returns the name of the kind, such as "stdin-end".
func (k Kind) String() string {
	if r, ok := k.rule(); ok {
		return r.name
	}
	return fmt.Sprintf("kind 0x%02x", byte(k))
}

// IsData reports whether frames of kind k carry a piece of a stream, which is
// taken as it comes and not as a Message.
func (k Kind) IsData() bool {
	switch k {
	case KindTree, KindModule, KindBlob, KindStdin, KindStdout, KindStderr, KindFolders:
		return true
	default:
		return false
	}
}

// check checks the header of a frame from one end.
func (k Kind) check(from Role, n int) error {
	r, ok := k.rule()
	switch {
	case !ok:
		return breach(RuleKind, "%s from the %s", k, from)
	case r.from != 0 && r.from != from:
		return breach(RuleKind, "%s from the %s", k, from)
	case n < r.min || n > r.max:
		return breach(RuleLength, "%s of %d bytes, not %d to %d", k, n, r.min, r.max)
	}
	return nil
}
