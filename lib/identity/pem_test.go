package identity

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"plasm/test/need"
)

const (
	rfc8032PEM = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
`
	rfc8032PublicPEM = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
`
)

func TestPEM(t *testing.T) {
	t.Parallel()
	if got := string(FromSeed(rfc8032).MarshalPEM()); got != rfc8032PEM {
		t.Errorf("MarshalPEM:\n%swant:\n%s", got, rfc8032PEM)
	}
	for name, data := range map[string]string{
		"as written":    rfc8032PEM,
		"CRLF":          strings.ReplaceAll(rfc8032PEM, "\n", "\r\n"),
		"blank around":  "\n" + rfc8032PEM + "\n \n",
		"no final line": strings.TrimSpace(rfc8032PEM),
	} {
		if key, err := ParsePEM([]byte(data)); err != nil || key.PeerID() != rfc8032PeerID {
			t.Errorf("%s: %v", name, err)
		}
	}
	if key, err := ParsePublicPEM([]byte(rfc8032PublicPEM)); err != nil || PeerIDOf(key) != rfc8032PeerID {
		t.Errorf("public: %v", err)
	}
}

// ecKeys returns a P-256 key in both kinds of file.
func ecKeys(t *testing.T) (private, public string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return block(privateBlock, der), block(publicBlock, spki)
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// badPEM lists what neither kind of file may be, with a part of what is said.
func badPEM(good string) map[string][2]string {
	return map[string][2]string{
		"empty":         {"", "is empty"},
		"blank":         {" \n\n", "is empty"},
		"too large":     {good + strings.Repeat("\n", maxPEM), "too large"},
		"text":          {"hello\n", "not a PEM file"},
		"DER":           {"\x30\x2e\x02\x01\x00", "not a PEM file"},
		"text before":   {"key:\n" + good, "not a PEM file"},
		"text after":    {good + "hello\n", "after its PEM block"},
		"two blocks":    {good + good, "more than one"},
		"cut":           {good[:60], "damaged PEM"},
		"broken base64": {strings.Replace(good, "MC", "M!", 1), "damaged PEM"},
		"headers":       {strings.Replace(good, "-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n", 1), "headers"},
		"encrypted":     {block("ENCRYPTED PRIVATE KEY", []byte{1}), "encrypted"},
		"openssh":       {block("OPENSSH PRIVATE KEY", []byte{1}), "PKCS#8 is needed"},
		"certificate":   {block("CERTIFICATE", []byte{1}), `holds "CERTIFICATE"`},
	}
}

func TestParsePEMRefuses(t *testing.T) {
	t.Parallel()
	ecPrivate, ecPublic := ecKeys(t)
	private := badPEM(rfc8032PEM)
	private["another kind"] = [2]string{ecPrivate, "ecdsa"}
	private["public"] = [2]string{rfc8032PublicPEM, "public key"}
	private["damaged DER"] = [2]string{block(privateBlock, []byte{0x30, 0x01}), "damaged private key"}
	for name, c := range private {
		if _, err := ParsePEM([]byte(c[0])); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("private, %s: %v, want %q", name, err, c[1])
		}
	}
	public := badPEM(rfc8032PublicPEM)
	public["another kind"] = [2]string{ecPublic, "ecdsa"}
	public["private"] = [2]string{rfc8032PEM, "private key"}
	public["damaged DER"] = [2]string{block(publicBlock, []byte{0x30, 0x01}), "damaged public key"}
	for name, c := range public {
		if _, err := ParsePublicPEM([]byte(c[0])); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("public, %s: %v, want %q", name, err, c[1])
		}
	}
}

func openssl(t *testing.T, args ...string) string {
	t.Helper()
	need.Program(t, "openssl", "version")
	cmd := exec.CommandContext(t.Context(), "openssl", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return string(out)
}

func TestOpenSSLReadsOurs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key.pem")
	key, _, err := LoadOrCreate(path, "")
	if err != nil {
		t.Fatal(err)
	}
	public, err := ParsePublicPEM([]byte(openssl(t, "pkey", "-in", path, "-pubout")))
	if err != nil || PeerIDOf(public) != key.PeerID() {
		t.Errorf("openssl sees another public key: %v", err)
	}
	if same := openssl(t, "pkey", "-in", path); same != string(key.MarshalPEM()) {
		t.Errorf("openssl writes the key another way:\n%s", same)
	}
}

func TestOpenSSLSignatureVerifies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, message := filepath.Join(dir, "key.pem"), filepath.Join(dir, "message")
	openssl(t, "genpkey", "-algorithm", "ed25519", "-out", path)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := Load(path, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(message, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	signature := openssl(t, "pkeyutl", "-sign", "-inkey", path, "-rawin", "-in", message)
	if signature != string(key.Sign([]byte("hello"))) {
		t.Error("openssl and Sign do not make the same signature")
	}
}

func FuzzParsePEM(f *testing.F) {
	f.Add([]byte(rfc8032PEM))
	f.Add([]byte(rfc8032PublicPEM))
	for _, c := range badPEM(rfc8032PEM) {
		f.Add([]byte(c[0]))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if public, err := ParsePublicPEM(data); err == nil && len(public) != 32 {
			t.Errorf("a public key of %d bytes", len(public))
		}
		key, err := ParsePEM(data)
		if err != nil {
			return
		}
		again, err := ParsePEM(key.MarshalPEM())
		if err != nil || again.PeerID() != key.PeerID() {
			t.Errorf("written and read again, the key is another: %v", err)
		}
	})
}
