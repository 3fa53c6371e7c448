package queue

// Due reports whether others may pass t only when that puts off nothing.
func Due(t *Ticket) bool {
	t.q.mu.Lock()
	defer t.q.mu.Unlock()
	return t.due()
}

// Known is how many flows, buckets of unlisted clients, and held tickets q keeps.
func Known(q *Queue) (flows, rates, held int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range []*buckets{&q.unlisted.names, &q.unlisted.networks} {
		rates += len(t.newer) + len(t.older)
	}
	return len(q.classes[0].flows) + len(q.classes[1].flows), rates, len(q.holding)
}

// Expire is what the timer of a reservation does, perhaps late.
func Expire(t *Ticket) { t.expire() }

// PassLimit is how often a job is passed at most by those that put it off.
const PassLimit = passLimit
