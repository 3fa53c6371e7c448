package receipt

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// envelopeDocument is an envelope as it is written.
type envelopeDocument struct {
	Payload     []byte              `json:"payload"`
	PayloadType string              `json:"payloadType"`
	Signatures  []signatureDocument `json:"signatures"`
}

type signatureDocument struct {
	Sig []byte `json:"sig"`
}

// Sign returns the envelope of a statement: one line of JSON without an end of
// line, less than 1 MiB. The statement must name key as its node.
func Sign(key *identity.Key, s *Statement) ([]byte, error) {
	if s.Node.PeerID != key.PeerID() {
		return nil, fmt.Errorf("statement: node.peer_id is %s, the key is %s", job.Quote(s.Node.PeerID), key.PeerID())
	}
	payload, err := s.Encode()
	if err != nil {
		return nil, err
	}
	return Seal(key, payload)
}

// Seal returns the envelope of an in-toto statement, as Sign does. It does not look
// at the payload: statements that are no receipts, such as where a release comes
// from, are signed in the same way.
func Seal(key *identity.Key, payload []byte) ([]byte, error) {
	envelope, err := compact(envelopeDocument{
		Payload:     payload,
		PayloadType: PayloadType,
		Signatures:  []signatureDocument{{Sig: key.Sign(encoding(PayloadType, payload))}},
	})
	if err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	if len(envelope) > job.MaxEnvelope {
		return nil, fmt.Errorf("envelope: %d bytes, more than the %d allowed", len(envelope), job.MaxEnvelope)
	}
	return envelope, nil
}

// encoding returns DSSE's pre-authentication encoding: the bytes that are signed.
func encoding(payloadType string, payload []byte) []byte {
	out := make([]byte, 0, len(payload)+len(payloadType)+40)
	out = append(out, "DSSEv1 "...)
	out = strconv.AppendInt(out, int64(len(payloadType)), 10)
	out = append(out, ' ')
	out = append(out, payloadType...)
	out = append(out, ' ')
	out = strconv.AppendInt(out, int64(len(payload)), 10)
	out = append(out, ' ')
	return append(out, payload...)
}

// envelope is an envelope that was read: well-formed, and not yet believed.
type envelope struct {
	payload    []byte
	signatures [][]byte
}

// open reads an envelope, through the checks from TooLarge to
// DuplicateSignature.
func open(data []byte) (*envelope, error) {
	if len(data) > job.MaxEnvelope {
		return nil, refuse(TooLarge, "%d bytes, more than the %d of an envelope", len(data), job.MaxEnvelope)
	}
	payload, payloadType, signatures, err := members(data)
	if err != nil {
		return nil, &RefusalError{Reason: BadJSON, Of: Envelope, Detail: err.Error()}
	}
	if payloadType != PayloadType {
		return nil, refuse(BadPayloadType, "%s is not %s", job.Quote(payloadType), PayloadType)
	}
	e := &envelope{}
	if e.payload, err = decodeBase64(payload); err != nil {
		return nil, refuse(BadBase64, "payload: %v", err)
	}
	for i, s := range signatures {
		sig, err := decodeBase64(s)
		if err != nil {
			return nil, refuse(BadBase64, "signatures[%d].sig: %v", i, err)
		}
		e.signatures = append(e.signatures, sig)
	}
	if n := len(e.signatures); n < 1 || n > MaxSignatures {
		return nil, refuse(SignatureCount, "%d is not in 1…%d", n, MaxSignatures)
	}
	if i, j, same := duplicate(e.signatures); same {
		return nil, refuse(DuplicateSignature, "signatures[%d] and signatures[%d] are the same", i, j)
	}
	return e, nil
}

// members reads the members of an envelope, base64 as text.
func members(data []byte) (payload, payloadType string, signatures []string, err error) {
	v, err := job.Parse(data)
	if err != nil {
		return "", "", nil, err
	}
	f := job.NewFields(v, "envelope")
	payload, payloadType = f.Str("payload"), f.Str("payloadType")
	for _, s := range f.Objects("signatures") {
		signatures = append(signatures, s.Str("sig"))
		s.OptStr("keyid") // ignored: a hint that nobody signed
	}
	return payload, payloadType, signatures, f.Close()
}

// decodeBase64 reads base64 in its one spelling.
func decodeBase64(s string) ([]byte, error) {
	if i := strings.IndexAny(s, "\r\n"); i >= 0 { // which the decoder passes over
		return nil, fmt.Errorf("a line break at byte %d", i)
	}
	data, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("not standard, padded, canonical base64: %w", err)
	}
	return data, nil
}

// duplicate finds two equal signatures.
func duplicate(signatures [][]byte) (i, j int, found bool) {
	seen := map[[sha256.Size]byte]int{}
	for j, s := range signatures {
		sum := sha256.Sum256(s)
		if i, ok := seen[sum]; ok {
			return i, j, true
		}
		seen[sum] = j
	}
	return 0, 0, false
}
