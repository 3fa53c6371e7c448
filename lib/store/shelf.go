package store

import (
	"cmp"
	"container/list"
	"slices"
	"sync"
	"time"

	"plasm/lib/job"
	"plasm/lib/tree"
)

// What each entry is charged on top of its bytes: the blocks that its folder and
// its files round up to, its inodes, and its part in its requester's folder.
const (
	contentCharge = 8 << 10
	jobCharge     = 32 << 10
)

// What an entry takes at most beside its bytes: a module beside itself, a job beside
// its input and output. A bound that has no room for one is no use.
const (
	ContentOverhead = contentCharge
	JobOverhead     = jobCharge + 3*job.MaxManifest
)

// FolderRoom returns what the folders of a job take at most that may write so many bytes to
// them: the scratch file, and what is kept.
func FolderRoom(bytes int64) int64 {
	if bytes == 0 {
		return 0
	}
	return bytes + tree.MaxStream(job.MaxDirs, bytes)
}

// key names an entry: name is a job's ID, or a module's digest in hexadecimal.
type key struct{ requester, name string }

// class is one of two: those who share a part, and those who may have all.
type class int

const (
	unlisted class = iota
	listed
)

// entry is a module, a pack or a job. What isn't said to be otherwise is guarded by
// Store.mu.
type entry struct {
	shelf   *shelf // never changes
	key     key    // never changes
	class   class  // never changes: who is listed later is so with what comes later
	path    string // where it is at the moment
	charge  int64  // bytes
	pins    int    // how many use it; it isn't evicted meanwhile
	gone    bool   // the shelf has it no longer; what is left goes with the last pin
	cut     bool   // it has been taken from those who read it, and is charged no more
	order   uint64 // the lower goes first
	place   *list.Element
	changed time.Time     // modification time: done, or last used
	born    time.Duration // when it was done, on our own clock
	rooms   []*room       // of a job, or a pack, that isn't done: what it was promised; never changes
	checked seen          // of a pack, what its file was like when it was last found sound

	mu   sync.Mutex
	live *live // of a job that somebody has open; guarded by mu
}

// entryAt returns what a list of entries has at el.
func entryAt(el *list.Element) *entry {
	e, _ := el.Value.(*entry) // there is nothing else in them
	return e
}

// amount is bytes and entries, taken or bounded.
type amount struct{ bytes, entries int64 }

func (a amount) plus(b amount) amount { return amount{a.bytes + b.bytes, a.entries + b.entries} }

func (a amount) minus(b amount) amount { return amount{a.bytes - b.bytes, a.entries - b.entries} }

// within reports whether neither number is over its bound.
func (a amount) within(bound amount) bool {
	return a.bytes <= bound.bytes && a.entries <= bound.entries
}

// shelf is one of the two folders with its account. Store.mu guards it.
type shelf struct {
	kind  string // the folder
	all   amount // what all may have
	share amount // what the unlisted may have of it
	used  [2]amount
	idle  [2]list.List // entries that may go, oldest first; pinned ones are among them
	items map[key]*entry
	busy  map[*entry]struct{} // pinned
	last  uint64              // the youngest order
}

func newShelf(kind string, all amount, percent int64) *shelf {
	percent = max(1, min(percent, 100))
	part := func(n int64) int64 { return n/100*percent + (n%100*percent+99)/100 } // rounded up, and no overflow
	return &shelf{
		kind: kind, all: all, share: amount{part(all.bytes), part(all.entries)}, items: map[key]*entry{},
		busy: map[*entry]struct{}{},
	}
}

// most returns what a class may have.
func (sh *shelf) most(c class) amount {
	if c == listed {
		return sh.all
	}
	return sh.share
}

func (sh *shelf) total() amount { return sh.used[unlisted].plus(sh.used[listed]) }

func (sh *shelf) usage() Usage {
	t := sh.total()
	return Usage{Bytes: t.bytes, MostBytes: sh.all.bytes, Entries: t.entries, MostEntries: sh.all.entries}
}

// add charges a new entry. It isn't among those that may go before settle.
func (sh *shelf) add(e *entry) {
	sh.used[e.class] = sh.used[e.class].plus(amount{e.charge, 1})
}

// drop takes back what add did.
func (sh *shelf) drop(e *entry) {
	sh.used[e.class] = sh.used[e.class].minus(amount{e.charge, 1})
}

// recharge changes what an entry is charged.
func (sh *shelf) recharge(e *entry, bytes int64) {
	sh.used[e.class].bytes += bytes - e.charge
	e.charge = bytes
}

// settle makes an entry the youngest of those that may go.
func (sh *shelf) settle(e *entry) {
	sh.last++
	e.order = sh.last
	e.place = sh.idle[e.class].PushBack(e)
}

// refresh makes a settled entry the youngest again.
func (sh *shelf) refresh(e *entry) {
	sh.last++
	e.order = sh.last
	sh.idle[e.class].MoveToBack(e.place)
}

// plan returns what must go so that a requester of a class gets need, and freed
// bytes go from the disk; false when that cannot be had.
func (sh *shelf) plan(c class, who string, need amount, freed int64) ([]*entry, bool) {
	used := sh.used
	rest := sh.all.minus(sh.share)
	next := [2]*list.Element{sh.idle[unlisted].Front(), sh.idle[listed].Front()}
	var victims []*entry
	for {
		overShare := c == unlisted && !used[unlisted].plus(need).within(sh.share)
		overAll := !used[unlisted].plus(used[listed]).plus(need).within(sh.all)
		if !overShare && !overAll && freed <= 0 {
			return victims, true
		}
		spare := overShare || c == unlisted && used[listed].within(rest) // the listed, that is
		v := oldest(&next, spare)
		if v == nil {
			v = sh.pinned(c, who, need.bytes, victims)
		}
		if v == nil {
			return nil, false
		}
		used[v.class] = used[v.class].minus(amount{v.charge, 1})
		freed -= v.charge
		victims = append(victims, v)
	}
}

// oldest takes the oldest entry that nobody uses from what is next, or returns nil.
func oldest(next *[2]*list.Element, spareListed bool) *entry {
	var best *entry
	for c := range next {
		for next[c] != nil && entryAt(next[c]).pins > 0 {
			next[c] = next[c].Next()
		}
		if next[c] == nil || class(c) == listed && spareListed {
			continue
		}
		if e := entryAt(next[c]); best == nil || e.order < best.order {
			best = e
		}
	}
	if best != nil {
		next[best.class] = next[best.class].Next()
	}
	return best
}

// pinned returns the job to take from those who read it, for a requester of a class
// that needs so many bytes: one that has ended, of the requester that keeps most
// from going, if that is more than the newcomer would keep. Of a listed requester it
// is only for a listed one. Nil: there is none beside those that go already.
func (sh *shelf) pinned(c class, who string, need int64, going []*entry) *entry {
	if sh.kind != jobsDir {
		return nil
	}
	keeps := map[string]int64{who: need}
	for e := range sh.busy {
		if !e.cut && !slices.Contains(going, e) {
			keeps[e.key.requester] += e.charge
		}
	}
	var best *entry
	for e := range sh.busy {
		ended := e.place != nil || e.gone
		if !ended || e.cut || slices.Contains(going, e) || c == unlisted && e.class == listed ||
			keeps[e.key.requester] <= keeps[who] {
			continue
		}
		if best == nil || cmp.Or(cmp.Compare(keeps[e.key.requester], keeps[best.key.requester]),
			cmp.Compare(best.order, e.order)) > 0 {
			best = e
		}
	}
	return best
}
