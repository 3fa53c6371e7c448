package submit

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/exchange/queue"
	"plasm/lib/exchange/serve"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/network"
	"plasm/lib/receipt"
	"plasm/lib/sandbox"
	"plasm/lib/store"
)

// reports runs a job as the fake nodes do, with no worker.
func reports(_ context.Context, j *sandbox.Job) (*sandbox.Report, error) {
	r := &sandbox.Report{
		Started: time.Now(), Guards: []string{"process"},
		Engine: sandbox.EngineInfo{Name: "wazero", Version: "1"},
	}
	j.Started()
	var stdin []byte
	if j.Input.Reader != nil {
		var err error
		if stdin, err = io.ReadAll(j.Input.Reader); err != nil {
			return nil, err
		}
	}
	stdout, stderr := append([]byte("stdout of "), stdin...), []byte("stderr")
	_, err1 := j.Stdout.Write(stdout)
	_, err2 := j.Stderr.Write(stderr)
	code := uint32(0)
	r.Outcome = job.Outcome{
		Status: job.Exit, ExitCode: &code, StdinHash: job.Sum(stdin), StdinBytes: int64(len(stdin)),
		StdinComplete: true,
		StdoutBytes:   int64(len(stdout)), StderrBytes: int64(len(stderr)),
	}
	if string(stdin) == "trap" {
		r.Outcome.Status, r.Outcome.ExitCode, r.Outcome.Trap = job.Trap, nil, job.TrapUnreachable
		r.Trace = []string{"inner", "outer"}
	}
	r.StdoutHash, r.StderrHash, r.Finished = job.Sum(stdout), job.Sum(stderr), time.Now()
	return r, errors.Join(err1, err2)
}

// realNode starts a node with the server that plasmd has.
func realNode(t *testing.T, listed bool) (*identity.Key, peer.AddrInfo) {
	t.Helper()
	key := identity.Generate()
	h := startHost(t, network.Config{Key: key.Private(), Server: true})
	st, err := store.Open(store.Config{Dir: t.TempDir(), Listed: func(string) bool { return listed }})
	if err != nil {
		t.Fatal(err)
	}
	s := serve.New(serve.Config{
		Host: h, Key: key, Store: st, Queue: queue.New(queue.Config{Slots: 2, MemoryMB: 4096, Waiting: 4}),
		Run: reports,
		Node: func() job.Node {
			return job.Node{
				Arch: "amd64", CPUCores: 4, Engines: []job.NodeEngine{{Name: "wazero", Version: "1"}},
				Limits: job.NodeLimits{
					MemoryMB: 1024, TimeoutMS: 3_600_000, ModuleBytes: 64 << 20,
					InputBytes: 64 << 20, OutputBytes: 64 << 20,
				},
			}
		},
		Receipt:   receipt.Node{PeerID: key.PeerID(), Version: "test"},
		Allow:     func(string) (bool, bool) { return listed, false },
		AllowLine: func(id string) string { return "plasmd allow " + id },
	})
	t.Cleanup(s.Close)
	return key, peer.AddrInfo{ID: h.ID(), Addrs: h.LocalAddrs()}
}

// Both ends of the protocol together.
func TestRealNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		key, info := realNode(t, true)
		cfg := config(t)
		cfg.Trusted = func(id string) bool { return id == key.PeerID() }
		for _, stdin := range []string{"", "hello", strings.Repeat("0123456789", 300_000)} {
			j := newJob(stdin)
			j.Manifest.TimeoutMS = 20_000
			first := submitted(t, cfg, j, stdin, these(Candidate{Info: info}))
			again := submitted(t, cfg, j, stdin, these(Candidate{Info: info}))
			if !bytes.Equal(first.Receipt, again.Receipt) {
				t.Error("the same job has another receipt")
			}
		}
		j := newJob("")
		j.Manifest.MemoryMB = 2048
		if e := refused(t, cfg, j, these(Candidate{Info: info})); e.Code != job.CodeRefused ||
			e.Nodes[0].Rejection.Code != job.RejectMemory {
			t.Errorf("%s: %v %+v", e.Code, e, e.Nodes)
		}
	})
}

// TestRealNodeTraces asks a node twice for a job that traps: where comes with each answer.
func TestRealNodeTraces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		key, info := realNode(t, true)
		cfg := config(t)
		cfg.Trusted = func(id string) bool { return id == key.PeerID() }
		j := newJob("trap")
		for range 2 {
			r, err := Run(t.Context(), cfg, j, these(Candidate{Info: info}))
			if err != nil {
				t.Fatal(err)
			}
			if r.Verified.Outcome.Status != job.Trap || !slices.Equal(r.Trace, []string{"inner", "outer"}) {
				t.Errorf("%+v, %q", r.Verified.Outcome, r.Trace)
			}
			r.Close()
		}
	})
}

func TestRealNodeDoesNotAllow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		key, info := realNode(t, false)
		cfg := config(t)
		cfg.Trusted = func(id string) bool { return id == key.PeerID() }
		e := refused(t, cfg, newJob(""), these(Candidate{Info: info}))
		if e.Code != job.CodeRefused || !strings.Contains(e.Nodes[0].Rejection.Message,
			"plasmd allow "+cfg.Key.PeerID()) {
			t.Errorf("%s: %v %+v", e.Code, e, e.Nodes)
		}
	})
}
