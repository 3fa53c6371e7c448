package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	intoto "github.com/in-toto/attestation/go/v1"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"google.golang.org/protobuf/encoding/protojson"

	"plasm/lib/cli"
	"plasm/lib/identity"
)

// provenance runs the command with a new key.
func provenance(t *testing.T, args ...string) (stdout, stderr string, code int, key *identity.Key) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.pem")
	key, _, err := identity.LoadOrCreate(path, "")
	if err != nil {
		t.Fatal(err)
	}
	var out, problem bytes.Buffer
	code = run(&cli.Invocation{Args: args, Stdout: &out, Stderr: &problem, Getenv: func(name string) string {
		if name == "PLASM_KEY" {
			return path
		}
		return ""
	}})
	return out.String(), problem.String(), code, key
}

func sums(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "SHA256SUMS")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// standardKey is a key as the independent DSSE implementation wants it.
type standardKey struct{ public ed25519.PublicKey }

func (k standardKey) Verify(_ context.Context, data, sig []byte) error {
	if !ed25519.Verify(k.public, data, sig) {
		return errors.New("bad signature")
	}
	return nil
}

func (k standardKey) KeyID() (string, error)   { return "", nil }
func (k standardKey) Public() crypto.PublicKey { return k.public }

// TestOthersReadIt: libraries that are not ours verify the envelope and read the
// statement.
func TestOthersReadIt(t *testing.T) {
	t.Parallel()
	digest := strings.Repeat("0a", 32)
	stdout, stderr, code, key := provenance(t, "v1.2.3", "abcdef", "1700000000", sums(t, digest+"  plasm.deb\n"))
	if code != 0 || stderr != "" {
		t.Fatalf("%d: %s", code, stderr)
	}
	var e dsse.Envelope
	if err := json.Unmarshal([]byte(stdout), &e); err != nil {
		t.Fatal(err)
	}
	verifier, err := dsse.NewEnvelopeVerifier(standardKey{key.Public()})
	if err != nil {
		t.Fatal(err)
	}
	_, payload, err := verifier.VerifyAndDecode(t.Context(), &e)
	if err != nil {
		t.Fatalf("go-securesystemslib refuses the envelope: %v", err)
	}
	var s intoto.Statement
	if err := protojson.Unmarshal(payload, &s); err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	if len(s.GetSubject()) != 2 || s.GetSubject()[0].GetName() != "plasm.deb" ||
		s.GetSubject()[0].GetDigest()["sha256"] != digest || s.GetSubject()[1].GetName() != "SHA256SUMS" {
		t.Errorf("subjects: %v", s.GetSubject())
	}
	for _, want := range []string{"abcdef", "v1.2.3", "1700000000", "urn:plasm:peer:" + key.PeerID()} {
		if !bytes.Contains(payload, []byte(`"`+want+`"`)) {
			t.Errorf("no %s in %s", want, payload)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"no argument":         nil,
		"no such file":        {"v1", "", "0", filepath.Join(t.TempDir(), "none")},
		"nothing in it":       {"v1", "", "0", sums(t, "")},
		"not what sha256sum":  {"v1", "", "0", sums(t, "plasm.deb\n")},
		"a path and no name":  {"v1", "", "0", sums(t, strings.Repeat("0a", 32)+"  ../plasm.deb\n")},
		"a digest cut short":  {"v1", "", "0", sums(t, strings.Repeat("0a", 31)+"  plasm.deb\n")},
		"one line is no line": {"v1", "", "0", sums(t, strings.Repeat("0a", 32)+"  plasm.deb\n\n")},
	} {
		stdout, stderr, code, _ := provenance(t, args...)
		if code == 0 || stdout != "" || !strings.HasPrefix(stderr, "provenance: ") {
			t.Errorf("%s: %d, %q, %q", name, code, stdout, stderr)
		}
	}
}
