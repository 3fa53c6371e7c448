package receipt

import (
	"strings"
	"testing"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// signedBy is the sample as another node has signed it, changed.
func signedBy(id string, change func(*Statement)) *Verified {
	s := sample()
	outcome, manifest := *s.Outcome, *s.Manifest
	s.Outcome, s.Manifest = &outcome, &manifest
	s.Node.PeerID = id
	if change != nil {
		change(s)
	}
	return &Verified{Statement: s}
}

// TestCheckQuorum: what must be the same is, and what nodes say of themselves need not be.
func TestCheckQuorum(t *testing.T) {
	t.Parallel()
	a, b, c := identity.Generate().PeerID(), identity.Generate().PeerID(), identity.Generate().PeerID()
	ends := func(status job.Status, trap string) func(*Statement) {
		return func(s *Statement) { s.Outcome.Status, s.Outcome.ExitCode, s.Outcome.Trap = status, nil, trap }
	}
	code := uint32(77)
	tests := []struct {
		name   string
		n      int
		first  func(*Statement)
		change func(*Statement) // the others
		want   string           // "": they agree
	}{
		{"alike", 3, nil, nil, ""},
		{"times, memory, engine", 3, nil, func(s *Statement) {
			s.Outcome.WallTimeUS++
			s.Outcome.MemoryBytes++
			s.Node.Engine.Name, s.Node.Arch = "other", "arm64"
		}, ""},
		{"too few", 4, nil, nil, "3 of 4 signers"},
		{"the same signer again", 2, nil, func(s *Statement) { s.Node.PeerID = a }, "1 of 2 signers"},
		{"another manifest", 2, nil, func(s *Statement) { s.Manifest.Seed++ }, "seed differs"},
		{"another job", 2, nil, func(s *Statement) { s.Manifest.ID = job.NewID() }, "id differs"},
		{"another exit code", 2, nil, func(s *Statement) { s.Outcome.ExitCode = &code }, "another outcome"},
		{"another end", 2, nil, ends(job.Trap, job.TrapOther), "another outcome"},
		{"other output", 2, nil, func(s *Statement) { s.Stdout = job.Sum([]byte("x")) }, "another outcome"},
		{"other diagnostics", 2, nil, func(s *Statement) { s.Stderr = job.Sum([]byte("x")) }, "another outcome"},
		{
			"other fuel", 2, nil, func(s *Statement) { fuel := int64(12345); s.Outcome.FuelUsed = &fuel },
			"another outcome",
		},
		{
			"another folder", 2, nil,
			func(s *Statement) { s.Outcome.Dirs = []job.OutcomeDir{{Guest: "/x", Tree: job.EmptyDigest}} },
			"another outcome",
		},
		{"alike traps", 3, ends(job.Trap, job.TrapOther), ends(job.Trap, job.TrapOther), ""},
		{"alike timeouts", 2, ends(job.Timeout, ""), ends(job.Timeout, ""), "is not an end that another run must have"},
		{
			"alike ends of engines", 2, ends(job.EngineFailed, ""), ends(job.EngineFailed, ""),
			"is not an end that another run must have",
		},
	}
	for _, test := range tests {
		err := signedBy(a, test.first).CheckQuorum(test.n,
			[]*Verified{signedBy(b, test.change), signedBy(c, test.change)})
		refusal, ok := err.(*RefusalError) //nolint:errorlint // it is not wrapped
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (!ok || refusal.Reason != WrongQuorum || !strings.Contains(refusal.Detail, test.want)):
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

// TestVoteOfStacks: how deep calls may go is the engine's to say, unless fuel is counted.
func TestVoteOfStacks(t *testing.T) {
	t.Parallel()
	for fuel, want := range map[int64]bool{0: false, 1000: true} {
		v := signedBy("", func(s *Statement) {
			s.Manifest.Fuel = fuel
			s.Outcome.Status, s.Outcome.ExitCode, s.Outcome.Trap = job.Trap, nil, job.TrapStackOverflow
		})
		if _, ok := v.Vote(); ok != want {
			t.Errorf("fuel %d: a vote: %v", fuel, ok)
		}
	}
}
