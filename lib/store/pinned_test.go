package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
)

// reading is a job that has ended and that somebody reads.
func reading(t *testing.T, s *Store, r Request) *Job {
	t.Helper()
	runJob(t, s, r, string(bytes.Repeat([]byte("x"), int(r.Output))), "receipt")
	j, ok, err := s.Find(r.Requester, r.ID)
	must(t, err)
	if !ok {
		t.Fatalf("%s is not there", r.ID)
	}
	return j
}

func readable(j *Job) bool {
	_, err := io.ReadAll(j.Stdout().Follow(context.Background(), 0))
	return err == nil
}

// TestResultsTakenFromReaders: results that are read do not keep others out, who
// have less.
func TestResultsTakenFromReaders(t *testing.T) {
	t.Parallel()
	const each = jobCharge + 100_000 + 1000 // and some for the documents
	for _, test := range []struct {
		name    string
		readers []int // requesters, each of which reads a result; even ones are listed
		asks    int
		want    string // what becomes of them: + stays, - is taken; "" that the newcomer is refused
	}{
		{"the oldest of who has more", []int{0, 0, 0}, 2, "-++"},
		{"of who has most", []int{0, 2, 2}, 4, "+-+"},
		{"not of who has as much", []int{0, 2, 4}, 6, ""},
		{"not one's own", []int{0, 0, 0}, 0, ""},
		{"an unlisted one takes nothing from listed ones", []int{0, 0, 0}, 1, ""},
		{"a listed one takes from unlisted ones", []int{1, 1, 0}, 2, "-++"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, d, _ := onMemory(t, Config{JobBytes: 3 * each, UnlistedPercent: 100, Listed: isListed()})
			var jobs []*Job
			for n, requester := range test.readers {
				r := request(requester, n)
				r.Input, r.Output = 0, 100_000
				jobs = append(jobs, reading(t, s, r))
			}
			r := request(test.asks, 99)
			r.Input, r.Output = 0, 100_000
			j, run, err := s.Accept(r)
			if room, ok := errors.AsType[*RoomError](err); ok != (test.want == "") || ok && room.Never() {
				t.Fatalf("got %v", err)
			}
			for i, mark := range test.want {
				if readable(jobs[i]) != (mark == '+') {
					t.Errorf("result %d is readable: %v", i, mark != '+')
				}
				if requester := test.readers[i]; mark == '-' && has(t, s, request(requester, i)) {
					t.Errorf("result %d is still there", i)
				}
			}
			if err == nil {
				must(t, run.Finish([]byte("receipt")))
				j.Close()
			}
			for _, j := range jobs {
				j.Close()
			}
			sound(t, s, d)
		})
	}
}

// TestRunsAreNotTaken: a job that runs stays, whatever its requester has; one that was
// given up and is still read does not.
func TestRunsAreNotTaken(t *testing.T) {
	t.Parallel()
	const each = jobCharge + 100_000 + 1000
	s, d, _ := onMemory(t, Config{JobBytes: 3 * each, Listed: isListed()})
	var jobs []*Job
	var runs []*Run
	for n := range 3 {
		r := request(0, n)
		r.Input, r.Output = 0, 100_000
		j, run := accept(t, s, r)
		jobs, runs = append(jobs, j), append(runs, run)
	}
	r := request(2, 99)
	r.Input, r.Output = 0, 100_000
	if _, _, err := s.Accept(r); err == nil {
		t.Fatal("there is room beside jobs that run")
	}
	runs[1].Forget([]byte("receipt"))
	other, run := accept(t, s, r)
	run.Forget(nil)
	other.Close()
	if readable(jobs[1]) {
		t.Error("what was given up takes room, and is read")
	}
	runs[0].Forget(nil)
	runs[2].Forget(nil)
	for _, j := range jobs {
		j.Close()
	}
	sound(t, s, d)
}
