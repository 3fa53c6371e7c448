package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plasm/lib/control"
	"plasm/lib/job"
)

const someone = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"

// running is a patient whose node answers.
func running(change func(*control.Status)) *Patient {
	s := &control.Status{
		State: control.StateReady, StartedAt: "2026-01-02T03:04:05.678Z",
		Node: job.Node{
			PeerID: someone, Version: "v1", MemoryMB: 2048, Slots: job.Slots{Total: 2},
			Guards: job.Guards(),
		},
		Network: control.Network{
			Peers: 3, DHTPeers: 2, Reachability: "public",
		},
		Allow: control.Allow{Peers: 1},
	}
	change(s)
	return &Patient{Status: s, Version: "v1", RequireGuards: []string{"landlock"}}
}

// TestFindings is about what the running node says of itself.
func TestFindings(t *testing.T) {
	t.Parallel()
	failed := control.Contact{PeerID: someone, Source: "bootstrap", State: "failed", Error: "connection refused"}
	tests := []struct {
		check   string
		change  func(*control.Status)
		state   State
		message string // a part of it
		hint    string // a part of it; "" for none
	}{
		{"node", func(*control.Status) {}, OK, "is ready", ""},
		{"node", func(s *control.Status) { s.Node.Version = "v0" }, Warning, "version v0", "start it anew"},
		{
			"node", func(s *control.Status) { s.State, s.Load.Running = control.StateDraining, 2 }, Warning,
			"takes no more jobs, and waits for jobs: 2 running", "plasmd jobs",
		},
		{"guards", func(*control.Status) {}, OK, "landlock, seccomp", ""},
		{
			"guards", func(s *control.Status) { s.Node.Guards = job.Guards()[:6] }, Failed,
			"not active: landlock, seccomp", "Linux 5.13",
		},
		{
			"guards", func(s *control.Status) { s.Node.Guards = job.Guards()[1:] }, Warning, "not active: process",
			"docs/security.md",
		},
		{"memory", func(*control.Status) {}, OK, "2048 MB for 2 jobs", ""},
		{"memory", func(s *control.Status) { s.Node.MemoryMB = 500 }, Warning, "500 MB for 2 jobs", "--memory"},
		{"memory", func(s *control.Status) { s.Node.MemoryMB = 255 }, Failed, "255 MB for all jobs", "--memory"},
		{"peers", func(*control.Status) {}, OK, "connected to 3, 2 of them", ""},
		{"peers", func(s *control.Status) { s.Network.Peers = 0 }, Warning, "nobody", "--bootstrap"},
		{
			"peers", func(s *control.Status) { s.Contacts = []control.Contact{failed} }, Warning,
			someone + ": connection refused", "is the address right",
		},
		{"reachability", func(*control.Status) {}, OK, "can dial", ""},
		{
			"reachability", func(s *control.Status) { s.Network.Reachability = "private" }, Warning,
			"no relay holds a place", "7527",
		},
		{
			"reachability", func(s *control.Status) { s.Network.Reachability = "auto" }, Unknown, "not known yet",
			"half a minute",
		},
		{"reachability", func(s *control.Status) {
			s.Network.Reachability, s.Network.Relays = "private",
				[]string{someone}
		}, OK, "over a relay", ""},
		{"relay", func(*control.Status) {}, OK, "none is needed", ""},
		{"relay", func(s *control.Status) { s.Network.RelayService = true }, OK, "a relay for others", ""},
		{"relay", func(s *control.Status) { s.Network.Relays = []string{someone} }, OK, someone, ""},
		{"relay", func(s *control.Status) { s.Network.Reachability = "private" }, Warning, "no relay", "--relay"},
		{
			"ports",
			func(s *control.Status) { s.Node.Addrs = []string{"/ip4/192.0.2.1/udp/7527/quic-v1/p2p/" + someone} },
			OK, "/ip4/192.0.2.1/udp/7527/quic-v1", "",
		},
		{
			"ports", func(s *control.Status) { s.Node.Addrs = []string{"/ip4/127.0.0.1/tcp/1/p2p/" + someone} }, Failed,
			"/ip4/127.0.0.1/tcp/1 (connection refused)", "firewall",
		},
	}
	for _, test := range tests {
		f := finding(t, running(test.change), test.check)
		if f.State != test.state || !strings.Contains(f.Message, test.message) ||
			!strings.Contains(f.Hint, test.hint) || (test.hint == "") != (f.Hint == "") {
			t.Errorf("%s: %+v, want %s, %q, %q", test.check, f, test.state, test.message, test.hint)
		}
	}
}

// finding is what one check comes to.
func finding(t *testing.T, p *Patient, name string) Finding {
	t.Helper()
	for _, f := range Examine(t.Context(), p).Checks {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("there is no check %s", name)
	return Finding{}
}

// TestEngineIsThereAndNotUsed: who has installed an engine is told when it serves
// nothing.
func TestEngineIsThereAndNotUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := running(func(s *control.Status) { s.Node.Engines = []job.NodeEngine{{Name: "wazero"}} })
	p.Worker = filepath.Join(dir, "plasm-run")
	check := func(state State, message, hint string) {
		t.Helper()
		if f := finding(t, p, "engines"); f.State != state || !strings.Contains(f.Message, message) ||
			!strings.Contains(f.Hint, hint) {
			t.Errorf("%+v, want %s, %q, %q", f, state, message, hint)
		}
	}
	check(OK, "no other", "")
	engine := filepath.Join(dir, "plasm-engine-wasmtime")
	if err := os.WriteFile(engine, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	check(Warning, engine+" is there, and the node does not use it", "engine left out")
	p.Service = true
	check(Warning, "does not use it", "journalctl --unit plasmd")
	p.Status.Node.Engines = append(p.Status.Node.Engines, job.NodeEngine{Name: "wasmtime"})
	check(OK, "wasmtime", "")
	p.Status = nil
	check(OK, "wasmtime", "")
	p.Engines = t.TempDir() // which comes first
	if err := os.Symlink(engine, filepath.Join(p.Engines, "plasm-engine-wasmtime")); err != nil {
		t.Fatal(err)
	}
	check(OK, "wasmtime", "")
	if err := os.Chmod(engine, 0o722); err != nil {
		t.Fatal(err)
	}
	check(Warning, "can be written by others", "nobody else may write to it")
}

// TestServiceIsTendedAsOne: what to do is said in the words of whoever installed the
// package.
func TestServiceIsTendedAsOne(t *testing.T) {
	t.Parallel()
	p := running(func(s *control.Status) { s.Network.Peers, s.Node.MemoryMB, s.Allow.Peers = 0, 100, 0 })
	p.Service = true
	p.AllowFile = filepath.Join(t.TempDir(), "allow")
	for name, want := range map[string]string{
		"peers": "/etc/plasmd/plasmd.toml", "memory": "systemctl edit plasmd", "allow": "sudo plasmd allow PEERID",
	} {
		if f := finding(t, p, name); !strings.Contains(f.Hint, want) {
			t.Errorf("%s: %+v, want a hint with %q", name, f, want)
		}
	}
	p.Status, p.Unheard = nil, errors.New("nothing answers")
	if f := finding(t, p, "node"); f.State != Failed || f.Message != "nothing answers" ||
		!strings.Contains(f.Hint, "systemctl start plasmd") {
		t.Errorf("%+v", f)
	}
}

// TestWhatCannotBeSeen: a node that this user may not ask is neither failed nor absent,
// and another user's node has nothing started here.
func TestWhatCannotBeSeen(t *testing.T) {
	t.Parallel()
	p := &Patient{
		Unheard: errors.New("permission denied"), Shut: "/run/plasmd", PeerID: someone,
		Addrs: []string{"/ip4/192.0.2.1/udp/7527/quic-v1/p2p/" + someone},
	}
	for _, name := range []string{"node", "peers", "reachability", "relay"} {
		if f := finding(t, p, name); f.State != Unknown || !strings.Contains(f.Message, "this user may not ask") ||
			!strings.Contains(f.Hint, "sudo plasmd doctor") {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if f := finding(t, p, "ports"); f.State != OK || f.Message != "/ip4/192.0.2.1/udp/7527/quic-v1" {
		t.Errorf("ports: %+v", f)
	}
	p.Addrs = nil
	if f := finding(t, p, "ports"); f.State != Unknown {
		t.Errorf("ports that are not known: %+v", f)
	}
	strange := running(func(s *control.Status) { s.Node.Slots.Total = 0 })
	strange.Strange, strange.Worker = true, "/bin/false"
	if f := finding(t, strange, "worker"); f.State != Unknown || !strings.Contains(f.Message, "is not started") {
		t.Errorf("another user's worker: %+v", f)
	}
	if f := finding(t, strange, "memory"); f.State != Failed {
		t.Errorf("a node without slots: %+v", f)
	}
}

// TestWorstStateCounts: the report is as bad as the worst of its checks.
func TestWorstStateCounts(t *testing.T) {
	t.Parallel()
	order := []State{OK, Unknown, Warning, Failed}
	for i, s := range order {
		for j, o := range order {
			if s.worse(o) != (i > j) {
				t.Errorf("%s is worse than %s: %v", s, o, s.worse(o))
			}
		}
	}
}
