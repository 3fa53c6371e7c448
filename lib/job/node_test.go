package job_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

const nodeID = "12D3KooWE5iTWzHAT9H8TrUbFaDspm6wKFQQVF9B8Amo1viGeTyk"

// sampleNode keeps every rule.
func sampleNode() *job.Node {
	return &job.Node{
		PeerID: nodeID, Addrs: []string{"/ip4/192.0.2.7/tcp/7527/p2p/" + nodeID}, Version: "0.1.0",
		OS: "linux", Arch: "amd64", CPUCores: 8, MemoryMB: 8192,
		Engines: []job.NodeEngine{{Name: "wazero", Version: "1.12.0", Features: []string{"simd128"}}},
		Guards:  []string{"rlimits", "seccomp"},
		Slots:   job.Slots{Total: 4, Free: 3},
		Limits: job.NodeLimits{
			MemoryMB: 4096, TimeoutMS: 3_600_000, ModuleBytes: 64 << 20, InputBytes: 1 << 30, OutputBytes: 1 << 30,
		},
		RTTUS: 1840,
	}
}

func TestNodeEncodes(t *testing.T) {
	t.Parallel()
	n := sampleNode()
	if err := n.Validate(); err != nil {
		t.Fatal(err)
	}
	got, err := job.DecodeNode(n.Encode())
	if diff := cmp.Diff(n, got); err != nil || diff != "" {
		t.Errorf("read again: %v (-want +got):\n%s", err, diff)
	}
}

// TestNodeEncodesEmptyLists: a list that is nil is written as one, not as null.
func TestNodeEncodesEmptyLists(t *testing.T) {
	t.Parallel()
	n := sampleNode()
	n.Addrs, n.Guards, n.Engines[0].Features, n.RTTUS = nil, nil, nil, 0
	text := string(n.Encode())
	for _, member := range []string{`"addrs":[]`, `"guards":[]`, `"features":[]`} {
		if !strings.Contains(text, member) {
			t.Errorf("%s isn't in %s", member, text)
		}
	}
	if strings.Contains(text, "rtt_us") {
		t.Errorf("a time that wasn't measured: %s", text)
	}
	if n.Addrs != nil || n.Engines[0].Features != nil {
		t.Error("encoding changed the node")
	}
	if _, err := job.DecodeNode([]byte(text)); err != nil {
		t.Error(err)
	}
}

func TestNodeValidateRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want string
		change     func(n *job.Node)
	}{
		{"peer ID", `node.peer_id: "12D3" is not a peer ID`, func(n *job.Node) { n.PeerID = "12D3" }},
		{"no cores", "node.cpu_cores: 0 is not in 1…1024", func(n *job.Node) { n.CPUCores = 0 }},
		{"negative time", "node.rtt_us: -1 is not in 1…600000000", func(n *job.Node) { n.RTTUS = -1 }},
		{"no input", "node.limits.input_bytes: -1 is not in", func(n *job.Node) { n.Limits.InputBytes = -1 }},
		{"slots", "node.slots.free: 5 is more than slots.total, 4", func(n *job.Node) { n.Slots.Free = 5 }},
		{"memory", "node.limits.memory_mb: 4096 is more than memory_mb, 4095", func(n *job.Node) { n.MemoryMB = 4095 }},
		{
			"guard", `node.guards[0]: "chroot" is not one of process, `,
			func(n *job.Node) { n.Guards = []string{"chroot"} },
		},
		{"version that isn't UTF-8", `node.version: "\xff" is not 1 to 64`, func(n *job.Node) { n.Version = "\xff" }},
		{
			"too large", "node: 7",
			func(n *job.Node) {
				n.Addrs = nil
				for range 70 {
					n.Addrs = append(n.Addrs, "/"+strings.Repeat("x", 1024-6-len(nodeID))+"/p2p/"+nodeID)
				}
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := sampleNode()
			test.change(n)
			err := n.Validate()
			e, ok := errors.AsType[*job.Error](err)
			if !ok || e.Code != job.CodeBadManifest || !strings.HasPrefix(e.Message, test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

// TestRemoteNode: only what came over the network may have members that we
// don't know, wherever they stand; nothing else is forgiven.
func TestRemoteNode(t *testing.T) {
	t.Parallel()
	text := string(sampleNode().Encode())
	tests := []struct {
		name, from, to string
		valid          bool
	}{
		{"as it is", "", "", true},
		{"unknown member", `{"peer_id"`, `{"gpu":{"cores":[1,2]},"peer_id"`, true},
		{"unknown member of an engine", `{"name":`, `{"fuel":true,"name":`, true},
		{"unknown member of slots", `"slots":{`, `"slots":{"queue":9,`, true},
		{"unknown member of limits", `"limits":{`, `"limits":{"dirs":0,`, true},
		{"unknown guard", `"seccomp"`, `"chroot"`, false},
		{"unknown member that is null", `{"peer_id"`, `{"gpu":null,"peer_id"`, false},
		{"unknown member twice", `{"peer_id"`, `{"gpu":1,"gpu":1,"peer_id"`, false},
		{
			"unknown member, too deep", `{"peer_id"`,
			`{"gpu":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `,"peer_id"`, false,
		},
		{"out of range", `"cpu_cores":8`, `"cpu_cores":1025`, false},
		{"missing", `"os":"linux",`, ``, false},
		{"a second value", `{"peer_id"`, `{} {"peer_id"`, false},
		{"a string with an escape sequence", `"0.1.0"`, `"\u001b[31m"`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			doc := []byte(strings.Replace(text, test.from, test.to, 1))
			n, err := job.DecodeRemoteNode(doc)
			if (err == nil) != test.valid || (n != nil) != test.valid {
				t.Errorf("from the network: %v, %v", n, err)
			}
			if test.valid && !cmp.Equal(n, sampleNode()) {
				t.Errorf("read as %+v", n)
			}
			if _, err := job.DecodeNode(doc); (err == nil) != (test.name == "as it is") {
				t.Errorf("from our own side: %v", err)
			}
		})
	}
}

func TestNodeTooLarge(t *testing.T) {
	t.Parallel()
	text := sampleNode().Encode()
	for _, test := range []struct {
		size  int
		valid bool
	}{{job.MaxNode, true}, {job.MaxNode + 1, false}} {
		doc := append(bytes.Repeat([]byte(" "), test.size-len(text)), text...)
		if _, err := job.DecodeRemoteNode(doc); (err == nil) != test.valid {
			t.Errorf("%d bytes: %v", test.size, err)
		}
		if _, err := job.DecodeNode(doc); (err == nil) != test.valid {
			t.Errorf("%d bytes of our own: %v", test.size, err)
		}
	}
}

func TestRemoteRejection(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       *job.Rejection // nil: an error
	}{
		{
			"every member", `{"code":"memory","message":"too much","need":8192,"have":4096,"retry_after_ms":5}`,
			&job.Rejection{
				Code: job.RejectMemory, Message: "too much", Need: int64(8192), Have: int64(4096),
				RetryAfterMS: 5,
			},
		},
		{
			"unknown member", `{"code":"busy","message":"full","queue":{"length":9}}`,
			&job.Rejection{Code: job.RejectBusy, Message: "full"},
		},
		{"unknown code", `{"code":"tired","message":"no"}`, nil},
		{"no message", `{"code":"busy"}`, nil},
		{"empty message", `{"code":"busy","message":""}`, nil},
		{"need is an array", `{"code":"guards","message":"no","need":["seccomp"]}`, nil},
		{"retry in the past", `{"code":"busy","message":"full","retry_after_ms":-1}`, nil},
		{"an array", `[]`, nil},
		{"garbage", "\x00\xff", nil},
		{"too large", `{"code":"busy","message":"` + strings.Repeat("x", job.MaxRejection) + `"}`, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := job.DecodeRemoteRejection([]byte(test.text))
			if diff := cmp.Diff(test.want, got); diff != "" || (err == nil) != (test.want != nil) {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if e, ok := errors.AsType[*job.Error](err); err != nil && (!ok || e.Code != job.CodeBadManifest) {
				t.Errorf("error %T: %v", err, err)
			}
		})
	}
}

// FuzzDecodeNode: what is read is valid, reads again from its encoding, and is
// read from the network alike.
func FuzzDecodeNode(f *testing.F) {
	seed(f, "node")
	f.Add([]byte(`{"gpu":1,` + string(sampleNode().Encode()[1:])))
	f.Fuzz(func(t *testing.T, data []byte) {
		own, ownErr := job.DecodeNode(data)
		n, err := job.DecodeRemoteNode(data)
		if ownErr == nil && !cmp.Equal(own, n) {
			t.Errorf("from the network read as %+v, %v, not as %+v", n, err, own)
		}
		if err != nil {
			if n != nil {
				t.Errorf("returned %+v beside %v", n, err)
			}
			return
		}
		if err := n.Validate(); err != nil {
			t.Error(err)
		}
		again, err := job.DecodeNode(n.Encode())
		if diff := cmp.Diff(n, again); err != nil || diff != "" {
			t.Errorf("not the same when written and read again: %v\n%s", err, diff)
		}
	})
}

// FuzzDecodeRemoteRejection: what is read has a code that we know and a message.
func FuzzDecodeRemoteRejection(f *testing.F) {
	f.Add([]byte(`{"code":"memory","message":"too much","need":8192,"have":"4096","retry_after_ms":5}`))
	f.Add([]byte(`{"code":"busy","message":"full","queue":{"length":[9]}}`))
	f.Add([]byte(`{"code":"tired","message":"\u001b"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := job.DecodeRemoteRejection(data)
		if err == nil && (!r.Code.Valid() || r.Message == "" || r.RetryAfterMS < 0) {
			t.Errorf("read as %+v", r)
		}
	})
}
