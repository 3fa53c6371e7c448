package control

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

// sampleJobs are three of two requesters, and one that has ended.
func sampleJobs() *Jobs {
	code := uint32(3)
	return &Jobs{
		Current: []Job{
			{ID: "0123456789abcdef0123456789abcdef", Requester: "A", State: JobRunning, MemoryMB: 64},
			{ID: "0123456789abcdef0123456789abcdef", Requester: "B", State: JobReceiving, MemoryMB: 100, Listed: true},
			{ID: "0123456700000000000000000000000f", Requester: "B", State: JobWaiting, MemoryMB: 100, Listed: true},
			{ID: "ffffffffffffffffffffffffffffffff", Requester: "B", State: JobRunning, MemoryMB: 1, Listed: true},
		},
		Ended: []Job{{
			ID: "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", Requester: "A", State: JobEnded, Status: job.Exit,
			ExitCode: &code,
		}},
	}
}

func TestFindJob(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		want int // index in Current, or -1
		code job.Code
		says string
	}{
		{"ffffffffffffffffffffffffffffffff", 3, "", ""},
		{"ffffffff", 3, "", ""},
		{"B/ffffffff", 3, "", ""},
		{"A/0123456789abcdef0123456789abcdef", 0, "", ""},
		{"B/01234567000", 2, "", ""},
		{"01234567", -1, job.CodeUsage, "names 3 jobs"},
		{
			"0123456789abcdef0123456789abcdef", -1, job.CodeUsage,
			"A/0123456789abcdef0123456789abcdef, B/0123456789abcdef0123456789abcdef",
		},
		{"A/ffffffff", -1, job.CodeNotFound, "no such job"},
		{"fffffff", -1, job.CodeUsage, "at least 8"},
		{"FFFFFFFF", -1, job.CodeUsage, "names no job"},
		{"", -1, job.CodeUsage, "names no job"},
		{"A/", -1, job.CodeUsage, "names no job"},
		{"eeeeeeee", -1, job.CodeNotFound, "has ended already: exit 3"},
	} {
		jobs := sampleJobs()
		got, err := jobs.Find(test.name)
		if test.want >= 0 {
			if err != nil || got != &jobs.Current[test.want] {
				t.Errorf("%q: %+v, %v", test.name, got, err)
			}
			continue
		}
		e, ok := err.(*job.Error) //nolint:errorlint // that it is this very type is the contract
		if !ok || e.Code != test.code || !strings.Contains(e.Message+" "+e.Hint+" at least "+e.Detail, test.says) {
			t.Errorf("%q: %+v, %#v", test.name, got, err)
		}
	}
}

func TestShares(t *testing.T) {
	t.Parallel()
	want := []Share{
		{Requester: "B", Listed: true, Slots: 2, MemoryMB: 101, Waiting: 1},
		{Requester: "A", Slots: 1, MemoryMB: 64},
	}
	if diff := cmp.Diff(want, sampleJobs().Shares()); diff != "" {
		t.Error(diff)
	}
}

func TestEnding(t *testing.T) {
	t.Parallel()
	zero := uint32(0)
	for want, j := range map[string]Job{
		"exit 0":           {Status: job.Exit, ExitCode: &zero},
		"trap unreachable": {Status: job.Trap, Trap: job.TrapUnreachable},
		"timeout":          {Status: job.Timeout},
		"rejected expired": {Rejection: job.RejectExpired},
	} {
		if got := j.Ending(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
