package queue_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"plasm/lib/exchange/queue"
)

// sequence does operations on a queue and, after each, compares the queue with
// what it promises.
type sequence struct {
	t       *testing.T
	q       *queue.Queue
	cfg     queue.Config
	alike   bool // all jobs have the same memory
	tickets []*seen
	before  map[client]int // slots held, before the operation
}

// client is a client that can be compared.
type client struct {
	listed bool
	number int
}

// seen is a ticket as it was after the last operation.
type seen struct {
	*queue.Ticket
	client  client
	memory  int64
	status  queue.Status
	changed <-chan struct{}
}

func (s *seen) holds() bool {
	return s.status.State == queue.Granted || s.status.State == queue.Started
}

func (s *seen) waits() bool { return s.status.State == queue.Waiting }

func newSequence(t *testing.T, cfg queue.Config, alike bool) *sequence {
	t.Helper()
	cfg.ReserveFor = 10 * time.Second
	return &sequence{t: t, q: queue.New(cfg), cfg: cfg, alike: alike}
}

// do does one operation.
func (s *sequence) do(kind, who, size byte) {
	s.before = s.held()
	switch kind % 8 {
	case 0, 1, 2:
		s.offer(who, size)
	case 3:
		if ticket := s.pick(who, (*seen).holds); ticket != nil {
			ticket.Started()
		}
	case 4, 5:
		if ticket := s.pick(who, (*seen).holds); ticket != nil {
			ticket.Release()
		}
	case 6:
		if ticket := s.pick(who, (*seen).waits); ticket != nil {
			ticket.Release()
		}
	case 7:
		pass(time.Duration(size) * 50 * time.Millisecond)
	}
	s.check()
}

func (s *sequence) offer(who, size byte) {
	c := client{who%2 == 0, int(who / 2 % 4)}
	j := queue.Job{MemoryMB: 1 + int64(size)%(s.cfg.MemoryMB+1), Timeout: time.Duration(who) * time.Second}
	if s.alike {
		j.MemoryMB = 1
	}
	full := unlisted(c.number)
	if c.listed {
		full = listed(c.number)
	}
	if ticket, refused := s.q.Offer(full, j); refused == nil {
		s.tickets = append(s.tickets, &seen{Ticket: ticket, client: c, memory: j.MemoryMB})
	}
}

// pick returns one of the tickets that are as is says, or nil.
func (s *sequence) pick(n byte, is func(*seen) bool) *seen {
	var those []*seen
	for _, ticket := range s.tickets {
		if is(ticket) {
			those = append(those, ticket)
		}
	}
	if len(those) == 0 {
		return nil
	}
	return those[int(n)%len(those)]
}

// check looks at all tickets.
func (s *sequence) check() {
	s.t.Helper()
	left := s.tickets[:0]
	for _, ticket := range s.tickets {
		s.look(ticket)
		if ticket.status.State != queue.Ended {
			left = append(left, ticket)
		}
	}
	s.tickets = left
	slots, memory, line := s.limits()
	s.line(line)
	s.idleForAReason(slots, memory)
	if s.alike {
		s.fair()
	}
}

// look sees that a change of a ticket was told, and that none was told where there is none.
func (s *sequence) look(ticket *seen) {
	s.t.Helper()
	now, changed := ticket.Status()
	was := ticket.status
	if ticket.changed != nil {
		differs := now.State != was.State || now.Position != was.Position && (now.Next || was.Next)
		told := closed(ticket.changed)
		if differs && !told {
			s.t.Fatalf("a change from %+v to %+v was not told", was, now)
		}
		if now.State == queue.Ended && !told {
			s.t.Fatal("an end was not told")
		}
	}
	if now.State < was.State {
		s.t.Fatalf("a ticket went back from %v to %v", was.State, now.State)
	}
	if (now.State == queue.Waiting) != (now.Position > 0) || now.Wait < 0 {
		s.t.Fatalf("status %+v", now)
	}
	ticket.status, ticket.changed = now, changed
}

// limits adds up what is held and who waits; each pair is of all, and of unlisted clients.
func (s *sequence) limits() (slots [2]int, memory [2]int64, line []*seen) {
	s.t.Helper()
	var waiting [2]int
	line = make([]*seen, len(s.tickets))
	running := 0
	for _, ticket := range s.tickets {
		for i := range 2 {
			if i == 1 && ticket.client.listed {
				continue
			}
			if ticket.holds() {
				slots[i]++
				memory[i] += ticket.memory
			} else {
				waiting[i]++
			}
		}
		if ticket.status.State == queue.Started {
			running++
		}
		if p := ticket.status.Position; p > len(line) {
			s.t.Fatalf("position %d with %d tickets", p, len(line))
		} else if p > 0 {
			line[p-1] = ticket
		}
	}
	cfg := s.cfg
	for i, most := range []queue.Config{cfg, {
		Slots: (cfg.Slots + 1) / 2, MemoryMB: (cfg.MemoryMB + 1) / 2,
		Waiting: (cfg.Waiting + 1) / 2,
	}} {
		if slots[i] > most.Slots || memory[i] > most.MemoryMB || waiting[i] > most.Waiting {
			s.t.Fatalf("%d slots, %d MB, %d waiting: more than %+v", slots[i], memory[i], waiting[i], most)
		}
	}
	want := queue.Stats{
		Slots: cfg.Slots, FreeSlots: cfg.Slots - slots[0], MemoryMB: cfg.MemoryMB, UsedMemoryMB: memory[0],
		Reserved: slots[0] - running, Running: running, Waiting: waiting[0],
	}
	if got := s.q.Stats(); got != want {
		s.t.Fatalf("figures %+v, want %+v", got, want)
	}
	return slots, memory, line[:waiting[0]]
}

// line sees that everybody who waits has a position, and that the listed come first.
func (s *sequence) line(line []*seen) {
	s.t.Helper()
	for i, ticket := range line {
		if ticket == nil {
			s.t.Fatalf("nobody has position %d of %d", i+1, len(line))
		}
		if i > 0 && ticket.client.listed && !line[i-1].client.listed {
			s.t.Fatalf("position %d is of a listed client, and the one before is not", i+1)
		}
		if i > 0 && ticket.status.Wait < line[i-1].status.Wait {
			s.t.Fatalf("position %d waits for less than the one before", i+1)
		}
	}
}

// idleForAReason sees that nobody waits who could run, unless somebody was passed often.
func (s *sequence) idleForAReason(slots [2]int, memory [2]int64) {
	s.t.Helper()
	free := func(c client, mb int64) bool {
		all := slots[0] < s.cfg.Slots && memory[0]+mb <= s.cfg.MemoryMB
		return all && (c.listed || slots[1] < (s.cfg.Slots+1)/2 && memory[1]+mb <= (s.cfg.MemoryMB+1)/2)
	}
	due := [2]bool{} // somebody listed, anybody
	for _, ticket := range s.tickets {
		if ticket.waits() && queue.Due(ticket.Ticket) && !free(ticket.client, ticket.memory) {
			due[0] = due[0] || ticket.client.listed
			due[1] = true
		}
	}
	for _, ticket := range s.tickets {
		excused := due[0] || due[1] && !ticket.client.listed
		if ticket.waits() && !excused && free(ticket.client, ticket.memory) {
			s.t.Fatalf("%+v waits for %d MB with %v slots and %v MB in use of %+v", ticket.client, ticket.memory, slots,
				memory, s.cfg)
		}
	}
}

func (s *sequence) held() map[client]int {
	held := map[client]int{}
	for _, ticket := range s.tickets {
		if ticket.holds() {
			held[ticket.client]++
		}
	}
	return held
}

// fair sees that nobody was given a slot while somebody of the same class, who has
// less, waits.
func (s *sequence) fair() {
	s.t.Helper()
	held := s.held()
	for _, ticket := range s.tickets {
		if !ticket.waits() {
			continue
		}
		for other, n := range held {
			if other.listed == ticket.client.listed && n > s.before[other] && n-1 > held[ticket.client] {
				s.t.Fatalf("%+v was given slot number %d while %+v waits with %d", other, n, ticket.client,
					held[ticket.client])
			}
		}
	}
}

// end lets everything that waits run, and sees that nothing is left of it.
func (s *sequence) end() {
	s.t.Helper()
	for rounds := len(s.tickets); len(s.tickets) > 0; rounds-- {
		if rounds < 0 {
			s.t.Fatalf("%d tickets were never granted", len(s.tickets))
		}
		for _, ticket := range s.tickets {
			if ticket.holds() {
				ticket.Release()
			}
		}
		s.before = s.held()
		s.check()
	}
	if flows, _, held := queue.Known(s.q); flows != 0 || held != 0 {
		s.t.Fatalf("%d flows and %d held tickets are kept of nothing", flows, held)
	}
}

// TestRandomSequences is the property test.
func TestRandomSequences(t *testing.T) {
	t.Parallel()
	configs := []queue.Config{
		{Slots: 1, MemoryMB: 4, Waiting: 3},
		{Slots: 4, MemoryMB: 16, Waiting: 8},
		{Slots: 8, MemoryMB: 9, Waiting: 16},
		{Slots: 3, MemoryMB: 100, Waiting: 0},
	}
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			s := newSequence(t, configs[seed%4], seed%8 >= 4)
			for range 400 {
				s.do(byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32()))
			}
			s.end()
		})
	}
}

// FuzzSequence: whatever is done in whatever order, the promises hold.
func FuzzSequence(f *testing.F) {
	f.Add(byte(1), byte(4), byte(2), false, []byte{0, 0, 1, 0, 2, 1, 0, 1, 3, 3, 0, 0, 4, 0, 0, 7, 0, 255})
	f.Add(byte(8), byte(8), byte(8), true, []byte{
		0, 0, 5, 1, 1, 5, 2, 2, 5, 0, 3, 5, 6, 0, 0, 4, 1, 0, 7, 0, 255, 7, 0,
		255,
	})
	f.Add(byte(2), byte(8), byte(16), false, []byte{0, 0, 6, 0, 2, 7, 0, 4, 1, 3, 0, 0, 5, 1, 0, 0, 4, 1, 5, 0, 0})
	f.Fuzz(func(t *testing.T, slots, memory, waiting byte, alike bool, operations []byte) {
		if len(operations) > 1500 {
			return // each is checked against all before it
		}
		synctest.Test(t, func(t *testing.T) {
			s := newSequence(t, queue.Config{
				Slots: 1 + int(slots%16), MemoryMB: 1 + int64(memory),
				Waiting: int(waiting % 32),
			}, alike)
			for ; len(operations) >= 3; operations = operations[3:] {
				s.do(operations[0], operations[1], operations[2])
			}
			s.end()
		})
	})
}
