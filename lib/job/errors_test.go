package job_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

func TestError(t *testing.T) {
	t.Parallel()
	e := &job.Error{Code: job.CodeIO, Message: "writing r.json: unexpected EOF", Err: io.ErrUnexpectedEOF}
	if e.Error() != "writing r.json: unexpected EOF" || !errors.Is(e, io.ErrUnexpectedEOF) {
		t.Errorf("%v, from %v", e, errors.Unwrap(e))
	}
}

func TestEncodeError(t *testing.T) {
	t.Parallel()
	const peer = "12D3KooWA9iKWA5BvTLC2ZXYEqV6MQgNbFQdbbTpHeAtmzmzeCcR"
	tests := []struct {
		name string
		err  job.Error
		want string
	}{
		{
			"all there is",
			job.Error{
				Code: job.CodeRefused, Message: "every node refused <&>", Hint: "ask for less", Err: io.EOF,
				Nodes: []job.NodeRejection{
					{PeerID: peer, Addr: "/ip4/192.0.2.1/tcp/1", Rejection: job.Rejection{
						Code: job.RejectMemory, Message: "too much", Need: int64(8192), Have: int64(0),
					}},
					{PeerID: peer, Rejection: job.Rejection{
						Code: job.RejectArch, Message: "arch", Need: "arm64",
						Have: "amd64",
					}},
					{PeerID: peer, Rejection: job.Rejection{Code: job.RejectBusy, Message: "busy", RetryAfterMS: 1500}},
				},
			},
			`{"error":{"code":"refused","message":"every node refused <&>","hint":"ask for less","nodes":[` +
				`{"peer_id":"` + peer +
				`","addr":"/ip4/192.0.2.1/tcp/1","rejection":{"code":"memory","message":"too much","need":8192,` +
				`"have":0}},` +
				`{"peer_id":"` + peer +
				`","rejection":{"code":"arch","message":"arch","need":"arm64","have":"amd64"}},` +
				`{"peer_id":"` + peer + `","rejection":{"code":"busy","message":"busy","retry_after_ms":1500}}]}}`,
		},
		{"little", job.Error{Code: job.CodeIO, Message: "disk full"}, `{"error":{"code":"io","message":"disk full"}}`},
		{"nothing", job.Error{}, `{"error":{"code":"internal","message":"internal"}}`},
		{"code that is none", job.Error{Code: "oops", Message: "a"}, `{"error":{"code":"internal","message":"a"}}`},
		{
			"a file's name in Latin-1",
			job.Error{Code: job.CodeIO, Message: "caf\xe9"},
			`{"error":{"code":"io","message":"caf\ufffd"}}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			data := job.EncodeError(&test.err)
			if diff := cmp.Diff(test.want+"\n", string(data)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			got, err := job.DecodeError(data)
			if err != nil {
				t.Fatal(err)
			}
			want := test.err
			want.Err = nil // stays with the program
			if !want.Code.Valid() {
				want.Code = job.CodeInternal
			}
			if want.Message = strings.ToValidUTF8(want.Message, "\ufffd"); want.Message == "" {
				want.Message = "internal"
			}
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("read again (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeErrorSize(t *testing.T) {
	t.Parallel()
	_, err := job.DecodeError(make([]byte, job.MaxErrorDoc+1))
	if err == nil || err.Error() != "error document: 16777217 bytes, more than the 16777216 allowed" {
		t.Errorf("%v", err)
	}
}

func TestClosedSets(t *testing.T) {
	t.Parallel()
	if !job.EngineFailed.Valid() || job.Status("").Valid() || !job.CodeGuards.Valid() || job.Code("IO").Valid() ||
		!job.RejectConflict.Valid() || job.RejectCode("later").Valid() {
		t.Error("a closed set has what it shouldn't, or lacks what it should")
	}
}
