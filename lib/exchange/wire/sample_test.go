package wire

import (
	"time"

	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// The people of the tests and of the shared vectors. Their seeds are fixed, so
// that every signature is the same each time.
func nodeKey() *identity.Key      { return identity.FromSeed([32]byte{1}) }
func otherKey() *identity.Key     { return identity.FromSeed([32]byte{2}) }
func requesterKey() *identity.Key { return identity.FromSeed([32]byte{3}) }
func transportKey() *identity.Key { return identity.FromSeed([32]byte{4}) }

// sampleModule writes "hi\n" and ends: what docs/worker-protocol.md takes apart.
const sampleModule = "\x00asm\x01\x00\x00\x00" +
	"\x01\x0c\x02\x60\x04\x7f\x7f\x7f\x7f\x01\x7f\x60\x00\x00" +
	"\x02\x23\x01\x16wasi_snapshot_preview1\x08fd_write\x00\x00" +
	"\x03\x02\x01\x01" + "\x05\x03\x01\x00\x01" +
	"\x07\x13\x02\x06memory\x02\x00\x06_start\x00\x01" +
	"\x0a\x0f\x01\x0d\x00\x41\x01\x41\x00\x41\x01\x41\x10\x10\x00\x1a\x0b" +
	"\x0b\x11\x01\x00\x41\x00\x0b\x0b\x08\x00\x00\x00\x03\x00\x00\x00hi\x0a"

const (
	sampleStdin  = "some input"
	sampleStdout = "hi\n"
)

// sampleManifest is that of the sample without input.
func sampleManifest() *job.Manifest {
	m := job.NewManifest()
	m.ID = "000102030405060708090a0b0c0d0e0f"
	m.ModuleHash = job.Sum([]byte(sampleModule))
	m.StdinHash = job.EmptyDigest
	m.OutputLimitBytes = 1000
	return m
}

// sampleOffer is the offer of a manifest that change has changed, signed. What
// it says of the input is stdin_bytes.
func sampleOffer(stdinBytes int64, change func(*job.Manifest)) *Offer {
	m := sampleManifest()
	if change != nil {
		change(m)
	}
	o := &Offer{Manifest: m.Encode(), ModuleBytes: int64(len(sampleModule)), StdinBytes: stdinBytes}
	o.Sign(requesterKey(), nodeKey().PeerID(), transportKey().PeerID())
	return o
}

// plainOffer has no input.
func plainOffer() *Offer { return sampleOffer(0, nil) }

// inputOffer has sampleStdin for input.
func inputOffer() *Offer {
	return sampleOffer(int64(len(sampleStdin)), func(m *job.Manifest) { m.StdinHash = job.Sum([]byte(sampleStdin)) })
}

// streamOffer has an input that ends when it ends.
func streamOffer() *Offer {
	return sampleOffer(StdinUnknown, func(m *job.Manifest) { m.StdinHash = "" })
}

// sampleResult is the result of the sample without input.
func sampleResult() *Result {
	var exitCode uint32
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	return &Result{Receipt: must(receipt.Sign(nodeKey(), &receipt.Statement{
		Stdout: job.Sum([]byte(sampleStdout)), Stderr: job.EmptyDigest,
		Manifest: sampleManifest(), Requester: requesterKey().PeerID(),
		Outcome: &job.Outcome{
			Status: job.Exit, ExitCode: &exitCode,
			StdinHash: job.EmptyDigest, StdinComplete: true, StdoutBytes: int64(len(sampleStdout)),
			MemoryBytes: 65536, WallTimeUS: 1500, CPUTimeUS: 1200, CompileTimeUS: 900,
		},
		Node: receipt.Node{
			PeerID: nodeKey().PeerID(), Version: "0.1.0", OS: "linux", Arch: "amd64",
			Engine: receipt.Engine{Name: "wazero", Version: "1.12.0"}, Guards: []string{"process", "rlimits"},
		},
		StartedAt: at, FinishedAt: at.Add(2 * time.Millisecond),
	}))}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
