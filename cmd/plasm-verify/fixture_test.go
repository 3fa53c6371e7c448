package main

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// The people of the tests. Their seeds are those of the shared vectors.
func nodeKey() *identity.Key  { return identity.FromSeed([32]byte{1}) }
func otherKey() *identity.Key { return identity.FromSeed([32]byte{2}) }

// The job of the tests. The stand-in for plasm-run does what its module says.
const (
	fixtureModule = "reverse"
	fixtureStdin  = "hello"
	fixtureStdout = "olleh"
	fixtureStderr = "done\n"
)

func fixtureManifest() *job.Manifest {
	m := job.NewManifest()
	m.ID = "000102030405060708090a0b0c0d0e0f"
	m.ModuleHash = job.Sum([]byte(fixtureModule))
	m.StdinHash = job.Sum([]byte(fixtureStdin))
	return m
}

func fixture() *receipt.Statement {
	return &receipt.Statement{
		Stdout: job.Sum([]byte(fixtureStdout)), Stderr: job.Sum([]byte(fixtureStderr)), Manifest: fixtureManifest(),
		Outcome: &job.Outcome{
			Status: job.Exit, ExitCode: new(uint32), StdinHash: job.Sum([]byte(fixtureStdin)),
			StdinBytes:    int64(len(fixtureStdin)),
			StdinComplete: true, StdoutBytes: int64(len(fixtureStdout)), StderrBytes: int64(len(fixtureStderr)),
			MemoryBytes: 131072, WallTimeUS: 1500, CPUTimeUS: 1200, CompileTimeUS: 900,
		},
		Node: receipt.Node{
			PeerID: nodeKey().PeerID(), Version: "0.1.0", OS: "linux", Arch: "amd64",
			Engine: receipt.Engine{Name: "wazero", Version: "1.12.0"}, Guards: []string{"process", "rlimits"},
		},
		StartedAt:  time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC),
		FinishedAt: time.Date(2026, 1, 2, 3, 4, 5, 680e6, time.UTC),
	}
}

// sign returns the fixture's receipt after a change.
func sign(t *testing.T, change func(*receipt.Statement)) []byte {
	t.Helper()
	s := fixture()
	change(s)
	envelope, err := receipt.Sign(nodeKey(), s)
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}

// resultOf returns the result document of an envelope.
func resultOf(t *testing.T, envelope []byte, stdout, stderr string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := job.WriteResult(&b, &job.Result{Envelope: envelope}, bytes.NewBufferString(stdout),
		bytes.NewBufferString(stderr), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// receipts are variants of the fixture's receipt, by file name.
func receipts() map[string]func(*receipt.Statement) {
	return map[string]func(*receipt.Statement){
		"receipt.json": func(*receipt.Statement) {},
		"failed.json":  func(s *receipt.Statement) { *s.Outcome.ExitCode = 3 },
		"timeout.json": func(s *receipt.Statement) { s.Outcome.Status, s.Outcome.ExitCode = job.Timeout, nil },
		"random.json":  func(s *receipt.Statement) { s.Manifest.Deterministic = false },
		"dirs.json":    func(s *receipt.Statement) { s.Manifest.Dirs = []job.Dir{{Guest: "/data"}} },
		"rude.json": func(s *receipt.Statement) {
			s.Manifest.Args = []string{
				"plain", "two words", "", "\x1b[2J", "a\nverified     signed by nobody",
				"\u202e\u009b",
			}
			s.Manifest.Env = map[string]string{"K": "\r\a"}
		},
		"folders.json": func(s *receipt.Statement) {
			s.Manifest.Dirs = []job.Dir{
				{Guest: "/in", ReadOnly: true, Tree: job.Sum([]byte("in"))},
				{Guest: "/data"},
				{Guest: "/out", Tree: job.Sum([]byte("before"))},
			}
			s.Outcome.Dirs = []job.OutcomeDir{{Guest: "/out", Tree: job.Sum([]byte("after")), Files: 2, Bytes: 1536}}
		},
		"nostdin.json": func(s *receipt.Statement) {
			s.Manifest.StdinHash, s.Outcome.StdinHash, s.Outcome.StdinBytes = job.EmptyDigest, job.EmptyDigest, 0
			s.Manifest.ModuleHash, s.Outcome.StdoutBytes, s.Stdout = job.Sum([]byte("reverse nothing")), 0,
				job.EmptyDigest
		},
	}
}

// setup fills a folder with what the scripts use.
func setup(t *testing.T, dir string) {
	t.Helper()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, change := range receipts() {
		write(name, sign(t, change))
	}
	good := sign(t, func(*receipt.Statement) {})
	write("result.json", resultOf(t, good, fixtureStdout, fixtureStderr))
	write("altered.json", resultOf(t, good, "Olleh", fixtureStderr))
	write("failedresult.json", resultOf(t, sign(t, receipts()["failed.json"]), fixtureStdout, fixtureStderr))
	stranger := fixture()
	stranger.Node.PeerID = otherKey().PeerID()
	envelope, err := receipt.Sign(otherKey(), stranger)
	if err != nil {
		t.Fatal(err)
	}
	write("stranger.json", envelope)
	// The node's signature under what somebody else is to have said.
	var forged, theirs map[string]any
	if err := errors.Join(json.Unmarshal(good, &forged), json.Unmarshal(envelope, &theirs)); err != nil {
		t.Fatal(err)
	}
	forged["payload"] = theirs["payload"]
	write("forged.json", must(json.Marshal(forged)))
	der := must(x509.MarshalPKIXPublicKey(nodeKey().Public()))
	write("node.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	write("manifest.json", fixtureManifest().Encode())
	write("nothing.wasm", []byte("reverse nothing"))
	write("job.wasm", []byte(fixtureModule))
	write("in.txt", []byte(fixtureStdin))
	write("out.txt", []byte(fixtureStdout))
	write("err.txt", []byte(fixtureStderr))
	write("nodes.txt", []byte("# our nodes\n"+nodeKey().PeerID()+"\n"))
}

// must is for what cannot go wrong in a test.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
