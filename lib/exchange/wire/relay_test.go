package wire

import (
	"testing"

	"plasm/lib/job"
)

func TestRelayBudget(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int64]int64{0: NoLimit, 1000: 0, 128 << 10: 72 << 10, 16 << 20: 15<<20 - 48<<10} {
		if got := RelayBudget(limit); got != want {
			t.Errorf("%d: %d, want %d", limit, got, want)
		}
	}
	o := &Offer{Manifest: make([]byte, 50), ModuleBytes: 600, StdinBytes: 500}
	for _, test := range []struct {
		budget int64
		accept Accept
		need   int64 // of a rejection
	}{
		{1100, Accept{Module: true, Stdin: true}, 1100},
		{1100, Accept{Module: true, Stdin: true, StdinFrom: 100, Attached: true}, 0},
		{1100, Accept{Module: true}, 0},
		{99, Accept{}, 0},
		{99, Accept{Module: true}, 600},
		{NoLimit, Accept{Module: true, Stdin: true}, 0},
	} {
		left, r := o.OverRelay(test.budget, &test.accept)
		want := max(test.budget-100, 0)
		if test.budget == NoLimit {
			want = NoLimit
		}
		if left != want || (r != nil) != (test.need > 0) || r != nil &&
			(r.Code != job.RejectRelayLimited || r.Need != test.need || r.Have != want) {
			t.Errorf("%d, %+v: %d left, %+v", test.budget, test.accept, left, r)
		}
	}
	o.StdinBytes = StdinUnknown
	if _, r := o.OverRelay(700, &Accept{Module: true, Stdin: true}); r != nil {
		t.Errorf("input that ends when it ends: %+v", r)
	}
}
