package receipt

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"testing"

	intoto "github.com/in-toto/attestation/go/v1"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"google.golang.org/protobuf/encoding/protojson"

	"plasm/lib/job"
)

// standardKey is a key as the independent DSSE implementation wants it: the
// standard library's Ed25519, nothing of ours.
type standardKey struct{ public ed25519.PublicKey }

func (k standardKey) Verify(_ context.Context, data, sig []byte) error {
	if !ed25519.Verify(k.public, data, sig) {
		return errors.New("bad signature")
	}
	return nil
}

func (k standardKey) KeyID() (string, error)   { return "", nil }
func (k standardKey) Public() crypto.PublicKey { return k.public }

// independently opens an envelope with go-securesystemslib.
func independently(t *testing.T, envelope []byte, key ed25519.PublicKey) ([]byte, error) {
	t.Helper()
	verifier, err := dsse.NewEnvelopeVerifier(standardKey{key})
	if err != nil {
		t.Fatal(err)
	}
	var e dsse.Envelope
	if err := json.Unmarshal(envelope, &e); err != nil {
		t.Fatal(err)
	}
	if e.PayloadType != "application/vnd.in-toto+json" {
		t.Errorf("payload type %q", e.PayloadType)
	}
	_, payload, err := verifier.VerifyAndDecode(t.Context(), &e)
	return payload, err
}

func TestIndependentImplementation(t *testing.T) {
	t.Parallel()
	envelope, err := Sign(nodeKey(), sample())
	if err != nil {
		t.Fatal(err)
	}
	payload, err := independently(t, envelope, nodeKey().Public())
	if err != nil {
		t.Fatalf("go-securesystemslib refuses our envelope: %v", err)
	}
	if _, err := independently(t, envelope, otherKey().Public()); err == nil {
		t.Error("go-securesystemslib accepts our envelope under another key")
	}
	var s intoto.Statement
	if err := protojson.Unmarshal(payload, &s); err != nil {
		t.Fatalf("in-toto cannot read our statement: %v", err)
	}
	if err := s.Validate(); err != nil {
		t.Errorf("in-toto refuses our statement: %v", err)
	}
	if s.GetPredicateType() != "urn:plasm:receipt:v1" || len(s.GetSubject()) != 3 {
		t.Errorf("in-toto reads predicate type %q, %d subjects", s.GetPredicateType(), len(s.GetSubject()))
	}
	for i, want := range []struct {
		name   string
		digest job.Digest
	}{{"stdout", job.Sum([]byte(sampleStdout))}, {"stderr", job.Sum([]byte(sampleStderr))}, {"/out", sampleTree}} {
		subject := s.GetSubject()[i]
		if subject.GetName() != want.name || subject.GetDigest()["sha256"] != want.digest.Hex() {
			t.Errorf("in-toto reads subject %v, want %s", subject, want.name)
		}
	}
	status := s.GetPredicate().GetFields()["outcome"].GetStructValue().GetFields()["status"].GetStringValue()
	if status != "exit" {
		t.Errorf("in-toto reads status %q", status)
	}
}

// TestIndependentSigner checks the other way: an envelope that somebody else's
// signer made is one of ours.
func TestIndependentSigner(t *testing.T) {
	t.Parallel()
	signer, err := dsse.NewEnvelopeSigner(standardSigner{standardKey{nodeKey().Public()}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := signer.SignPayload(t.Context(), PayloadType, payload())
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(envelope, []ed25519.PublicKey{nodeKey().Public()}); err != nil {
		t.Errorf("refused: %v\n%s", err, envelope)
	}
}

type standardSigner struct{ standardKey }

func (standardSigner) Sign(_ context.Context, data []byte) ([]byte, error) {
	return nodeKey().Sign(data), nil
}
