// Package receipt is the signed word of a node about a job that it ran: what was
// asked, what came of it, and the digests of what the program wrote.
//
// # Envelope
//
// A receipt is a DSSE envelope (Dead Simple Signing Envelope, version 1), a
// JSON object of less than 1 MiB in the profile of lib/job, with these members
// and no others:
//
//	{
//	  "payload": BASE64,                                payload, the statement's bytes
//	  "payloadType": "application/vnd.in-toto+json",
//	  "signatures": [{"sig": BASE64, "keyid": STRING}]  1 to 8; keyid optional and ignored
//	}
//
// BASE64 is RFC 4648 section 4: standard alphabet, padded, no line breaks, the
// unused bits of the last group zero. Writers make one signature and leave keyid
// out, because stock DSSE verifiers skip a signature whose keyid is not the one
// they would compute; node.peer_id in the statement says who signed.
//
// # What is signed
//
// A signature is 64 bytes of Ed25519 (RFC 8032, not pre-hashed) over DSSE's
// pre-authentication encoding of the payload:
//
//	"DSSEv1"                          6 bytes
//	0x20                              a space
//	"28"                              length of the payload type, decimal ASCII
//	0x20
//	"application/vnd.in-toto+json"    28 bytes
//	0x20
//	length of the payload             decimal ASCII, no leading zeros
//	0x20
//	payload                           the bytes that BASE64 stood for
//
// The bytes are signed and never re-serialised: who checks a receipt checks
// exactly what was sent, then reads it.
//
// Ed25519 has corners in which implementations differ. Here the public key A and
// the first half R of a signature must be canonical encodings of points that are
// not of small order, the second half S must be less than the group's order, and
// R = SB - hA must hold to the byte, without multiplying by the cofactor. That
// is libsodium's crypto_sign_verify_detached (1.0.18); Go's crypto/ed25519 alone
// takes keys of small order.
//
// # Statement
//
// The payload is an in-toto Statement v1, again in the profile of lib/job, with
// these members and no others. "?" marks those that may be absent.
//
//	{
//	  "_type": "https://in-toto.io/Statement/v1",
//	  "subject": [
//	    {"name": "stdout", "digest": {"sha256": 64 lower-case hex digits}},
//	    {"name": "stderr", "digest": {"sha256": 64 lower-case hex digits}},
//	    {"name": GUEST, "digest": {"sha256": 64 lower-case hex digits}}…
//	  ],
//	  "predicateType": "urn:plasm:receipt:v1",
//	  "predicate": {
//	    "manifest": {…},           what was asked, as job.Manifest
//	    "requester"?: PEERID,      whose key asked
//	    "outcome": {…},            what happened, as job.Outcome
//	    "node": {
//	      "peer_id": PEERID,       the key that signs
//	      "version": STRING,       of plasm, not empty
//	      "os": NAME,              as Go names it: 1 to 32 of a-z 0-9
//	      "arch": NAME,            as Go names it: 1 to 32 of a-z 0-9
//	      "engine": {
//	        "name": NAME,          1 to 32 of a-z 0-9 -
//	        "version": STRING      not empty
//	      },
//	      "guards": [GUARD…]       those proved active, none twice; see job.Guards
//	    },
//	    "started_at": TIME,        when the guest's first instruction could run
//	    "finished_at": TIME        YYYY-MM-DDThh:mm:ss.sssZ
//	  }
//	}
//
// The subjects are the streams, and then each folder of the outcome's dirs by its path in
// the guest, with the digest of its tree, in the order of the outcome and of the manifest.
// The streams are those after the limits: stdout_bytes and stderr_bytes
// of the outcome are the lengths of what was digested. The outcome's stdin_hash
// covers what was handed to the program; normally it repeats the manifest's, and
// where it differs the job was cut short. Times are the node's own clock.
//
// # Checking
//
// Verify runs the checks in one fixed order, and the first that fails is the
// verdict; see Reason. Nothing of the payload is read before a signature of a
// key that the caller trusts has been found on it.
package receipt

import (
	"time"

	"plasm/lib/job"
)

// The fixed strings of a receipt.
const (
	PayloadType   = "application/vnd.in-toto+json"
	StatementType = "https://in-toto.io/Statement/v1"
	PredicateType = "urn:plasm:receipt:v1"
)

// MaxSignatures is how many signatures an envelope may have.
const MaxSignatures = 8

// Statement is what a node says about a job that started.
type Statement struct {
	Stdout     job.Digest // of all that the program wrote there, within its limits
	Stderr     job.Digest
	Manifest   *job.Manifest
	Requester  string // peer ID of the key that asked; "" when there is none
	Outcome    *job.Outcome
	Node       Node
	StartedAt  time.Time // kept to the millisecond
	FinishedAt time.Time
}

// Node is who ran a job, and how.
type Node struct {
	PeerID  string   `json:"peer_id"` // of the key that signs
	Version string   `json:"version"` // of plasm
	OS      string   `json:"os"`      // a GOOS
	Arch    string   `json:"arch"`    // a GOARCH
	Engine  Engine   `json:"engine"`
	Guards  []string `json:"guards"` // those proved active for this run; of job.Guards, none twice
}

// Engine is what executed the module.
type Engine struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}
