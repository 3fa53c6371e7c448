package receipt

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

func TestSignVerify(t *testing.T) {
	t.Parallel()
	envelope, err := Sign(nodeKey(), sample())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsAny(envelope, "\n ") || bytes.Contains(envelope, []byte("keyid")) {
		t.Errorf("not compact, or with a keyid: %s", envelope)
	}
	v, err := Verify(envelope, []ed25519.PublicKey{otherKey().Public(), nodeKey().Public()})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), v.Statement); diff != "" {
		t.Errorf("what was signed and what was read differ (-signed +read):\n%s", diff)
	}
	if !bytes.Equal(v.Payload, payload()) {
		t.Errorf("payload: %s", v.Payload)
	}
	if again, err := Sign(nodeKey(), sample()); err != nil || !bytes.Equal(again, envelope) {
		t.Errorf("the same statement, signed again, makes another envelope: %v", err)
	}
}

func TestEncodeKeepsOptionalFieldsOut(t *testing.T) {
	t.Parallel()
	s := sample()
	s.Requester, s.Node.Guards = "", nil
	s.Manifest.Args, s.Manifest.Env = nil, nil
	p, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if text := string(p); strings.Contains(text, "requester") || strings.Contains(text, "null") ||
		!strings.Contains(text, `"guards":[]`) || !strings.Contains(text, `"args":[],"env":{}`) {
		t.Errorf("payload: %s", text)
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Statement){
		"another node":           func(s *Statement) { s.Node.PeerID = otherKey().PeerID() },
		"no manifest":            func(s *Statement) { s.Manifest = nil },
		"no outcome":             func(s *Statement) { s.Outcome = nil },
		"no stdout":              func(s *Statement) { s.Stdout = "" },
		"bad stderr":             func(s *Statement) { s.Stderr = "sha256:00" },
		"bad manifest":           func(s *Statement) { s.Manifest.ID = "" },
		"argument not UTF-8":     func(s *Statement) { s.Manifest.Args = []string{"\xff"} },
		"status without code":    func(s *Statement) { s.Outcome.ExitCode = nil },
		"guard that nobody has":  func(s *Statement) { s.Node.Guards = []string{"moat"} },
		"no version":             func(s *Statement) { s.Node.Version = "" },
		"os of two words":        func(s *Statement) { s.Node.OS = "gnu linux" },
		"long engine":            func(s *Statement) { s.Node.Engine.Name = strings.Repeat("x", 33) },
		"requester no peer ID":   func(s *Statement) { s.Requester = "me" },
		"a time beyond the form": func(s *Statement) { s.FinishedAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"version of 2 MiB":       func(s *Statement) { s.Node.Version = strings.Repeat("1", 2<<20) },
	} {
		s := sample()
		change(s)
		if envelope, err := Sign(nodeKey(), s); err == nil {
			t.Errorf("%s: signed: %.200s", name, envelope)
		}
	}
}

// TestLargestManifestFits holds an envelope's maximum against a manifest's: what
// was accepted as a job must not fail when its receipt is signed.
func TestLargestManifestFits(t *testing.T) {
	t.Parallel()
	for fill, encoded := range map[string]int{"<": 1, "\x01": 6, "\u2028": 6, `"`: 2} {
		s := sample()
		s.Manifest.Args = []string{strings.Repeat(fill, (job.MaxManifest-800)/encoded)}
		if n := len(s.Manifest.Encode()); n > job.MaxManifest || n < job.MaxManifest-1000 {
			t.Errorf("%q: a manifest of %d bytes, not nearly %d", fill, n, job.MaxManifest)
		}
		if envelope, err := Sign(nodeKey(), s); err != nil {
			t.Errorf("%q: %v", fill, err)
		} else if _, err := Verify(envelope, []ed25519.PublicKey{nodeKey().Public()}); err != nil {
			t.Errorf("%q: %v", fill, err)
		}
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	forged := envelopeOf(payload(), signature(otherKey(), payload()))
	s, err := Claims([]byte(forged))
	if err != nil || s.Node.PeerID != nodeKey().PeerID() {
		t.Errorf("%+v, %v", s, err)
	}
	for envelope, want := range map[string]Check{
		"{":                           {BadJSON, Envelope},
		envelopeOf(nil, "AAAA"):       {BadJSON, Payload},
		signed([]byte("{}")):          {BadStatement, ""},
		rawEnvelope("", "x", "AAAA"):  {BadPayloadType, ""},
		envelopeOf(payload()):         {SignatureCount, ""},
		envelopeOf(payload(), "AA=A"): {BadBase64, ""},
	} {
		s, err := Claims([]byte(envelope))
		if r, ok := errors.AsType[*RefusalError](err); !ok || r.Reason != want.Reason || r.Of != want.Of || s != nil {
			t.Errorf("%.60s: %v, want %v", envelope, err, want)
		}
	}
}

// TestRefusalsAreSafeToShow checks that nothing of a stranger's gets to a
// terminal as it came.
func TestRefusalsAreSafeToShow(t *testing.T) {
	t.Parallel()
	const evil = "\u001b[2J\u202e"
	for _, envelope := range []string{
		rawEnvelope("", evil, ""),
		signed(payload(`"version":"0.1.0"`, `"version":1`, `"predicateType":"urn:plasm:receipt:v1"`,
			`"predicateType":`+quoted(evil))),
		signed(payload(`"_type"`, quoted(evil)+`:1,"_type"`)),
		signed(payload(requesterKey().PeerID(), `\u001b[2J`)),
	} {
		_, err := Verify([]byte(envelope), []ed25519.PublicKey{nodeKey().Public()})
		if err == nil || strings.ContainsAny(err.Error(), evil[:1]+"\u202e") {
			t.Errorf("%q", err)
		}
	}
}
