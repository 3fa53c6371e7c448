package job_test

import (
	"testing"
	"time"

	"plasm/lib/job"
)

func TestTimes(t *testing.T) {
	t.Parallel()
	east := time.FixedZone("", 2*60*60)
	tests := []struct {
		in   time.Time
		want string
	}{
		{time.Date(2026, 1, 2, 3, 4, 5, 678_999_999, time.UTC), "2026-01-02T03:04:05.678Z"},
		{time.Date(2026, 1, 1, 0, 30, 0, 0, east), "2025-12-31T22:30:00.000Z"},
		{time.Time{}, "0001-01-01T00:00:00.000Z"},
		{time.Date(9999, 12, 31, 23, 59, 59, 999_000_000, time.UTC), "9999-12-31T23:59:59.999Z"},
	}
	for _, test := range tests {
		got := job.FormatTime(test.in)
		if got != test.want {
			t.Errorf("%v is written %s, want %s", test.in, got, test.want)
		}
		back, err := job.ParseTime(got)
		if err != nil || !back.Equal(test.in.Truncate(time.Millisecond)) || back.Location() != time.UTC {
			t.Errorf("%s is read as %v: %v", got, back, err)
		}
	}
	for _, bad := range []string{
		"", "2026-01-02", "2026-01-02T03:04:05,678Z", "2026-02-29T00:00:00.000Z",
		"2026-01-02T03:04:05.678Z ",
	} {
		if got, err := job.ParseTime(bad); err == nil || !got.IsZero() {
			t.Errorf("%q is read as %v", bad, got)
		}
	}
}
