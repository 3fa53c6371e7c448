package capability

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

func TestAgainst(t *testing.T) {
	t.Parallel()
	bare := func(n *job.Node) { n.Guards, n.Engines, n.Slots.Free = nil, nil, 0 }
	tests := []struct {
		name   string
		need   Need
		change func(n *job.Node)
		want   []job.Rejection
	}{
		{"anything", Need{}, bare, nil},
		{"all that is there", Need{
			Arch: "amd64", OS: "linux", Engine: "wazero", MinMemoryMB: 4096, MinCores: 8,
			Guards: []string{"seccomp", "rlimits"}, Free: true,
		}, nil, nil},
		{"arch", Need{Arch: "arm64"}, nil, []job.Rejection{
			{Code: job.RejectArch, Message: "needs arch arm64, has amd64", Need: "arm64", Have: "amd64"},
		}},
		{"os", Need{OS: "darwin"}, nil, []job.Rejection{
			{Code: job.RejectArch, Message: "needs os darwin, has linux", Need: "darwin", Have: "linux"},
		}},
		{"engine", Need{Engine: "wasmtime"}, nil, []job.Rejection{
			{Code: job.RejectEngine, Message: "needs engine wasmtime, has wazero", Need: "wasmtime", Have: "wazero"},
		}},
		{"no engine", Need{Engine: "wasmtime"}, bare, []job.Rejection{
			{Code: job.RejectEngine, Message: "needs engine wasmtime, has none", Need: "wasmtime"},
		}},
		{"memory of one job, not of all", Need{MinMemoryMB: 4097}, nil, []job.Rejection{
			{
				Code: job.RejectMemory, Message: "needs 4097 MiB of memory for a job, has 4 GiB", Need: int64(4097),
				Have: int64(4096),
			},
		}},
		{"cores", Need{MinCores: 9}, nil, []job.Rejection{
			{Code: job.RejectCPUCores, Message: "needs 9 cores, has 8", Need: int64(9), Have: int64(8)},
		}},
		{"one guard of two", Need{Guards: []string{"seccomp", "landlock"}}, nil, []job.Rejection{
			{
				Code: job.RejectGuards, Message: "needs guards seccomp,landlock, has rlimits,seccomp",
				Need: "seccomp,landlock", Have: "rlimits,seccomp",
			},
		}},
		{"no guards", Need{Guards: []string{"seccomp"}}, bare, []job.Rejection{
			{Code: job.RejectGuards, Message: "needs guards seccomp, has none", Need: "seccomp"},
		}},
		{"no free slot", Need{Free: true}, bare, []job.Rejection{
			{Code: job.RejectBusy, Message: "needs a free slot, has 0 of 4", Need: int64(1), Have: int64(0)},
		}},
		{"several reasons", Need{Arch: "arm64", MinCores: 64}, nil, []job.Rejection{
			{Code: job.RejectArch, Message: "needs arch arm64, has amd64", Need: "arm64", Have: "amd64"},
			{Code: job.RejectCPUCores, Message: "needs 64 cores, has 8", Need: int64(64), Have: int64(8)},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := document()
			if test.change != nil {
				test.change(&n)
			}
			if diff := cmp.Diff(test.want, test.need.Against(&n)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
