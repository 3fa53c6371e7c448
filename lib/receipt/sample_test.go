package receipt

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"filippo.io/edwards25519"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// The people of the tests and of the shared vectors. Their seeds are fixed, so
// that every signature is the same each time.
func nodeKey() *identity.Key      { return identity.FromSeed([32]byte{1}) }
func otherKey() *identity.Key     { return identity.FromSeed([32]byte{2}) }
func requesterKey() *identity.Key { return identity.FromSeed([32]byte{3}) }

// What the job of the sample was made of and what it made.
const (
	sampleModule = "\x00asm\x01\x00\x00\x00"
	sampleStdin  = "hello"
	sampleStdout = "olleh"
	sampleStderr = "5 bytes\n"
)

// The trees of the sample: nothing, and a file "a" with the sample's input.
const (
	emptyTree  job.Digest = "sha256:1a770a082761c7957e086d7eebbb86b67c91991ca267a4d2bdd05782d665d3bd"
	sampleTree job.Digest = "sha256:e8e2c1ce7bdecb4270578e15bcb52402083ad01b8a82828ad792c364b2d0f81d"
)

func sampleManifest() *job.Manifest {
	m := job.NewManifest()
	m.ID = "000102030405060708090a0b0c0d0e0f"
	m.ModuleHash = job.Sum([]byte(sampleModule))
	m.Args = []string{"-v", "<&>"}
	m.Env = map[string]string{"LANG": "C"}
	m.StdinHash = job.Sum([]byte(sampleStdin))
	m.Dirs = []job.Dir{
		{Guest: "/data", ReadOnly: true},
		{Guest: "/in", ReadOnly: true, Tree: sampleTree},
		{Guest: "/out", Tree: emptyTree},
	}
	m.Fuel = 1000
	m.Arch = "amd64"
	m.Engine = "wazero"
	return m
}

// sample is a statement in which every optional field that goes with its status
// is there.
func sample() *Statement {
	var exitCode uint32
	fuelUsed := int64(321)
	return &Statement{
		Stdout:    job.Sum([]byte(sampleStdout)),
		Stderr:    job.Sum([]byte(sampleStderr)),
		Manifest:  sampleManifest(),
		Requester: requesterKey().PeerID(),
		Outcome: &job.Outcome{
			Status: job.Exit, ExitCode: &exitCode,
			StdinHash: job.Sum([]byte(sampleStdin)), StdinBytes: int64(len(sampleStdin)), StdinComplete: true,
			StdoutBytes: int64(len(sampleStdout)), StderrBytes: int64(len(sampleStderr)),
			Dirs:     []job.OutcomeDir{{Guest: "/out", Tree: sampleTree, Files: 1, Bytes: 5}},
			FuelUsed: &fuelUsed, MemoryBytes: 131072, WallTimeUS: 1500, CPUTimeUS: 1200, CompileTimeUS: 900,
		},
		Node: Node{
			PeerID: nodeKey().PeerID(), Version: "0.1.0", OS: "linux", Arch: "amd64",
			Engine: Engine{Name: "wazero", Version: "1.12.0"}, Guards: []string{"process", "rlimits", "pdeathsig"},
		},
		StartedAt:  time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC),
		FinishedAt: time.Date(2026, 1, 2, 3, 4, 5, 680e6, time.UTC),
	}
}

// must is for what cannot go wrong in a test.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// payload returns the sample's payload after replacements of old by new, each
// of which must find its place.
func payload(oldnew ...string) []byte { return replace(string(must(sample().Encode())), oldnew...) }

func replace(s string, oldnew ...string) []byte {
	for i := 0; i < len(oldnew); i += 2 {
		if !strings.Contains(s, oldnew[i]) {
			panic("not in the sample: " + oldnew[i])
		}
		s = strings.Replace(s, oldnew[i], oldnew[i+1], 1)
	}
	return []byte(s)
}

// signature is the base64 of key's signature of a payload.
func signature(key *identity.Key, payload []byte) string {
	return base64.StdEncoding.EncodeToString(key.Sign(encoding(PayloadType, payload)))
}

// envelopeOf is an envelope written by hand, signatures in base64.
func envelopeOf(payload []byte, signatures ...string) string {
	return rawEnvelope(base64.StdEncoding.EncodeToString(payload), PayloadType, signatures...)
}

func rawEnvelope(payload, payloadType string, signatures ...string) string {
	entries := make([]string, len(signatures))
	for i, s := range signatures {
		entries[i] = `{"sig":` + quoted(s) + `}`
	}
	return `{"payload":` + quoted(payload) + `,"payloadType":` + quoted(payloadType) +
		`,"signatures":[` + strings.Join(entries, ",") + `]}`
}

func quoted(s string) string { return string(must(json.Marshal(s))) }

// signed is an envelope over a payload, signed by the node as it should be.
func signed(payload []byte) string { return envelopeOf(payload, signature(nodeKey(), payload)) }

// about signs a sample that change has changed.
func about(change func(*Statement)) string {
	s := sample()
	change(s)
	return string(must(Sign(nodeKey(), s)))
}

// groupOrder is L, the order of Ed25519's main group, little-endian.
func groupOrder() [32]byte {
	return [32]byte{
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
		31: 0x10,
	}
}

// plusOrder returns a signature whose S is L larger: the same equation holds.
func plusOrder(sig []byte) []byte {
	out, carry := append([]byte{}, sig...), 0
	for i, l := range groupOrder() {
		sum := int(sig[32+i]) + int(l) + carry
		out[32+i], carry = byte(sum&0xff), sum>>8
	}
	return out
}

// challenge is h of RFC 8032: what the signer multiplies its secret with.
func challenge(r, public, message []byte) *edwards25519.Scalar {
	h := sha512.New()
	for _, b := range [][]byte{r, public, message} {
		_, _ = h.Write(b) // a hash takes everything
	}
	return must(edwards25519.NewScalar().SetUniformBytes(h.Sum(nil)))
}

// forge signs without a secret, for a public key that encodes the neutral
// element: SB = R + h·0 holds for every S.
func forge() []byte {
	s := must(edwards25519.NewScalar().SetCanonicalBytes(append([]byte{42}, make([]byte, 31)...)))
	r := new(edwards25519.Point).ScalarBaseMult(s)
	return append(r.Bytes(), s.Bytes()...)
}

// smallR signs with the neutral element, written as r, for R. Whoever has the
// secret can; the signature then says nothing about a nonce.
func smallR(key [32]byte, r, message []byte) []byte {
	digest := sha512.Sum512(key[:])
	secret := must(edwards25519.NewScalar().SetBytesWithClamping(digest[:32]))
	h := challenge(r, identity.FromSeed(key).Public(), message)
	return append(append([]byte{}, r...), edwards25519.NewScalar().Multiply(h, secret).Bytes()...)
}

// The neutral element (y = 1), and the same written with y + p.
func neutral() []byte {
	return append([]byte{1}, make([]byte, 31)...)
}

func neutralOtherwise() []byte {
	b := append([]byte{0xee}, make([]byte, 31)...)
	for i := 1; i < 31; i++ {
		b[i] = 0xff
	}
	b[31] = 0x7f
	return b
}
