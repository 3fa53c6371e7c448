package store

import (
	"testing"
	"time"
)

func TestAge(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	type step struct {
		what string // pass, wall or open
		by   time.Duration
		want bool // whether the result is there then
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"kept for a day", []step{{"pass", 24*time.Hour - 1, true}, {"pass", 1, false}}},
		{"across restarts", []step{
			{"pass", 20 * time.Hour, true},
			{"open", 0, true},
			{"pass", 4*time.Hour - 1, true},
			{"pass", 1, false},
		}},
		{"a clock ahead for a minute", []step{
			{"wall", year, true},
			{"pass", time.Minute, true},
			{"wall", -year, true},
			{"pass", 24*time.Hour - time.Minute, false},
		}},
		{"a clock ahead for a minute, and a start in it", []step{
			{"wall", year, true},
			{"open", 0, true},
			{"pass", time.Minute, true},
			{"wall", -year, true},
			{"pass", 23 * time.Hour, true},
			{"pass", time.Hour, false},
		}},
		{"a clock that stays ahead", []step{
			{"wall", year, true},
			{"pass", 23 * time.Hour, true},
			{"pass", time.Hour, false},
		}},
		{
			"a start with a clock that stays ahead",
			[]step{{"wall", year, true}, {"open", 0, true}, {"pass", time.Hour - 1, true}, {"pass", 1, false}},
		},
		{"a clock put back", []step{{"wall", -year, true}, {"pass", 24*time.Hour - 1, true}, {"pass", 1, false}}},
		{"a clock put back, and a start", []step{
			{"wall", -year, true},
			{"open", 0, true},
			{"pass", 24*time.Hour - 1, true},
			{"pass", 1, false},
		}},
		{"a long time off", []step{{"wall", 100 * time.Hour, true}, {"open", 0, true}, {"pass", time.Hour, false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, d, clock := onMemory(t, Config{})
			runJob(t, s, request(1, 1), "", "receipt")
			for n, step := range tt.steps {
				switch step.what {
				case "pass":
					clock.pass(step.by)
				case "wall":
					clock.wall = clock.wall.Add(step.by)
				case "open":
					clock.mono = 0
					s = reopen(t, d, Config{}, clock)
				}
				_, err := s.Expire()
				must(t, err)
				if got := has(t, s, request(1, 1)); got != step.want {
					t.Fatalf("after step %d, %+v: %v", n, step, got)
				}
				sound(t, s, d)
			}
		})
	}
}

// Many go in one call, and the young ones stay.
func TestExpireMany(t *testing.T) {
	t.Parallel()
	s, d, clock := onMemory(t, Config{Listed: isListed()})
	const old = 3*expireBatch + 1
	for n := range old {
		runJob(t, s, request(n%4, n), "", "receipt")
	}
	clock.pass(time.Hour)
	runJob(t, s, request(1, old), "", "receipt")
	clock.pass(23 * time.Hour)
	if n, err := s.Expire(); n != old || err != nil {
		t.Errorf("%d removed, %v", n, err)
	}
	if !has(t, s, request(1, old)) {
		t.Error("the young one is gone")
	}
	sound(t, s, d)
}
