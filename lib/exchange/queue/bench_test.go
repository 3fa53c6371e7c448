package queue_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"plasm/lib/exchange/queue"
)

// BenchmarkJob is an offer, its grant, start and release, with nobody else there.
func BenchmarkJob(b *testing.B) {
	q := queue.New(queue.Config{Slots: 8, MemoryMB: 8192, Waiting: 32})
	c := listed(1)
	b.ReportAllocs()
	for b.Loop() {
		ticket, refused := q.Offer(c, small)
		if refused != nil || !ticket.Started() {
			b.Fatal("a free slot was refused")
		}
		ticket.Release()
	}
}

// BenchmarkTurn is a job that joins a full line of so many clients, as another gets its slot.
func BenchmarkTurn(b *testing.B) {
	for _, places := range []int{8, 32, 128} {
		b.Run(fmt.Sprintf("%d waiting", places), func(b *testing.B) {
			q := queue.New(queue.Config{Slots: 8, MemoryMB: 8192, Waiting: places})
			var tickets []*queue.Ticket
			join := func(i int) {
				ticket, refused := q.Offer(listed(i%100), queue.Job{MemoryMB: 1024, Timeout: time.Minute})
				if refused != nil {
					b.Fatalf("%+v", *refused)
				}
				tickets = append(tickets, ticket)
			}
			for i := range 8 + places {
				join(i)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				next := i
				for state(tickets[next]) == queue.Waiting {
					next++
				}
				tickets[next].Release()
				tickets[i], tickets[next] = tickets[next], tickets[i]
				join(i)
			}
		})
	}
}

// BenchmarkCharge is the rate of a source, among more than are told apart.
func BenchmarkCharge(b *testing.B) {
	q := queue.New(queue.Config{})
	var clients []queue.Client
	for i := range 10_000 {
		clients = append(clients,
			queue.Client{Source: queue.SourceOf(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}))})
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		q.Charge(clients[i%len(clients)])
		i++
	}
}
