package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

func TestMessagesComeBack(t *testing.T) {
	t.Parallel()
	resumed := streamOffer()
	resumed.StdoutFrom, resumed.StderrFrom, resumed.ModuleBytes = job.MaxSafeInt, 1, job.MaxSafeInt
	tests := []struct {
		m    Message
		want string // the payload
	}{
		{&Queued{Position: MaxPosition, WaitMS: job.MaxTimeout}, `{"position":1000000,"wait_ms":604800000}`},
		{&Accept{Module: true}, `{"module":true,"stdin":false,"stdin_from":0,"attached":false}`},
		{
			&Accept{Stdin: true, StdinFrom: 7, Attached: true},
			`{"module":false,"stdin":true,"stdin_from":7,"attached":true}`,
		},
		{
			&Accept{Trees: []job.Digest{job.EmptyTree}, Want: true},
			`{"module":false,"stdin":false,"stdin_from":0,"attached":false,"want":true,"trees":["` +
				string(job.EmptyTree) + `"]}`,
		},
		{&Want{Blobs: []byte{5}, From: 1, Bytes: 9}, `{"blobs":"BQ==","from":1,"bytes":9}`},
		{&Want{Blobs: []byte{}}, `{"blobs":"","from":0,"bytes":0}`},
		{
			&Reject{job.Rejection{Code: job.RejectMemory, Message: "<&>", Need: int64(2), Have: "1", RetryAfterMS: 3}},
			`{"code":"memory","message":"<&>","need":2,"have":"1","retry_after_ms":3}`,
		},
		{&Started{RunningMS: 5}, `{"running_ms":5}`},
		{&Result{Receipt: []byte("any bytes")}, `any bytes`},
		{StdinEnd{}, ``},
		{Cancel{}, ``},
		{Ping{}, ``},
		{plainOffer(), ""},
		{inputOffer(), ""},
		{resumed, ""},
		{folderOffer(), ""},
	}
	for _, test := range tests {
		payload, err := Encode(test.m)
		if err != nil {
			t.Fatalf("%s: %v", test.m.Kind(), err)
		}
		if test.m.Kind() != KindOffer && string(payload) != test.want {
			t.Errorf("%s is written\n%s, want\n%s", test.m.Kind(), payload, test.want)
		}
		got, err := Decode(test.m.Kind(), payload)
		if diff := cmp.Diff(test.m, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-written +read):\n%s", test.m.Kind(), err, diff)
		}
		frame, err := AppendMessage([]byte("before"), test.m)
		if want := appendFrame([]byte("before"), test.m.Kind(), payload); err != nil || !bytes.Equal(frame, want) {
			t.Errorf("%s: frame %q, %v", test.m.Kind(), frame, err)
		}
	}
}

// TestEncodeRefuses what the other end would.
func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	unsigned := plainOffer()
	unsigned.Signature = nil
	tests := []struct {
		name string
		m    Message
		rule Rule
	}{
		{"an offer without a signature", unsigned, RulePayload},
		{"position 0", &Queued{}, RulePayload},
		{"stdin_from without stdin", &Accept{StdinFrom: 1, Attached: true}, RulePayload},
		{"an unknown code", &Reject{job.Rejection{Code: "tired", Message: "m"}}, RulePayload},
		{
			"a long message",
			&Reject{job.Rejection{Code: job.RejectBusy, Message: strings.Repeat("m", job.MaxRejection)}},
			RuleLength,
		},
		{
			"a need that no document can hold",
			&Reject{job.Rejection{Code: job.RejectBusy, Message: "m", Need: func() {}}}, RuleLength,
		},
		{"a negative time", &Started{RunningMS: -1}, RulePayload},
		{"no receipt", &Result{}, RuleLength},
		{"a receipt of 1 MiB", &Result{Receipt: make([]byte, 1<<20)}, RuleLength},
	}
	for _, test := range tests {
		_, err := Encode(test.m)
		if b, ok := errors.AsType[*BreachError](err); !ok || b.Rule != test.rule {
			t.Errorf("%s: %v, want a breach of %s", test.name, err, test.rule)
		}
		if _, err := AppendMessage(nil, test.m); err == nil {
			t.Errorf("%s: there is a frame", test.name)
		}
	}
}

func TestDataIsNoMessage(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{KindTree, KindModule, KindBlob, KindStdin, KindStdout, KindStderr, KindFolders, 0} {
		_, err := Decode(kind, []byte("x"))
		if b, ok := errors.AsType[*BreachError](err); !ok || b.Rule != RuleKind {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestTheLongestOfferFits sends the longest manifest that there can be, and every
// number at its longest.
func TestTheLongestOfferFits(t *testing.T) {
	t.Parallel()
	o := sampleOffer(0, func(m *job.Manifest) {
		m.Args = []string{strings.Repeat("x", job.MaxManifest-len(m.Encode())-2)}
	})
	if len(o.Manifest) != job.MaxManifest {
		t.Fatalf("a manifest of %d bytes", len(o.Manifest))
	}
	o.ModuleBytes, o.StdinBytes, o.StdoutFrom, o.StderrFrom = job.MaxSafeInt, job.MaxSafeInt, job.MaxSafeInt,
		job.MaxSafeInt
	o.FoldersFrom = job.MaxSafeInt
	for range job.MaxDirs {
		o.Trees = append(o.Trees, TreeSize{
			DocumentBytes: job.MaxTree, Entries: job.MaxEntries, Blobs: job.MaxEntries,
			Bytes: job.MaxSafeInt,
		})
	}
	o.Manifest = append(o.Manifest, ' ')
	if _, err := Encode(o); err == nil {
		t.Error("a manifest that is too long is sent")
	}
	o.Manifest = o.Manifest[:job.MaxManifest]
	payload, err := Encode(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(KindOffer, payload); err != nil {
		t.Error(err)
	}
}
