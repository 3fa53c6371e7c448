package store

import "time"

// openGrace is how long a result that Open finds lives at least.
const openGrace = time.Hour

// clock is the two clocks by which age is told.
type clock struct {
	wall func() time.Time
	mono func() time.Duration // since some moment; never jumps
}

func systemClock() clock {
	start := time.Now()
	return clock{wall: time.Now, mono: func() time.Duration { return time.Since(start) }}
}

// moment is what both clocks say.
type moment struct {
	wall time.Time
	mono time.Duration
}

func (c clock) now() moment { return moment{c.wall().Round(0), c.mono()} }

// old reports whether our own clock says that a result is too old.
func (s *Store) old(e *entry, now moment) bool { return now.mono-e.born >= s.cfg.MaxAge }

// oldByWall reports whether the wall clock agrees, or has no say.
func (s *Store) oldByWall(e *entry, now moment) bool {
	age := now.wall.Sub(e.changed)
	return age < 0 || age >= s.cfg.MaxAge
}

// bornBefore returns when, on our own clock, a result from an earlier process
// was done.
func (s *Store) bornBefore(changed time.Time, now moment) time.Duration {
	age := max(0, min(now.wall.Sub(changed), s.cfg.MaxAge-openGrace))
	return now.mono - age
}
