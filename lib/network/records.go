package network

import (
	"context"
	"encoding/base32"
	"strings"
	"sync"

	"github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
	"github.com/libp2p/go-libp2p/core/peer"
)

// recordStore keeps the DHT's provider records in memory, at most maxRecords and
// at most maxRecordsPerPeer of one peer. Names are those of kad-dht's
// records/providers_manager.go: /providers/BASE32(key)/BASE32(peer ID).
//
// A peer's surplus is dropped. When the store is full a record somewhere in it
// gives way, but never one of self's: whoever floods it has most of the records
// in it, and so loses most. Dropping is not an error, which the DHT would answer
// by trying again.
type recordStore struct {
	self string // the last part of the names of own records

	mu      sync.Mutex
	sets    map[string]map[string][]byte // by all but the last part, then by the last
	perPeer map[string]int
	total   int
}

var _ datastore.Batching = (*recordStore)(nil)

func newRecordStore(self peer.ID) *recordStore {
	return &recordStore{
		self:    base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(self)),
		sets:    make(map[string]map[string][]byte),
		perPeer: make(map[string]int),
	}
}

// split takes a name apart at its last slash.
func split(name string) (set, peerPart string) {
	i := strings.LastIndexByte(name, '/')
	return name[:max(i, 0)], name[i+1:]
}

// Put keeps value under key, or drops it.
func (s *recordStore) Put(_ context.Context, key datastore.Key, value []byte) error {
	set, peerPart := split(key.String())
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.sets[set][peerPart]; !known {
		if peerPart != s.self && s.perPeer[peerPart] >= maxRecordsPerPeer {
			return nil
		}
		for s.total >= maxRecords && s.evict() {
		}
		if s.sets[set] == nil {
			s.sets[set] = make(map[string][]byte)
		}
		s.perPeer[peerPart]++
		s.total++
	}
	s.sets[set][peerPart] = value
	return nil
}

// evict removes a record that is not self's: the first that a map hands out,
// which is any.
func (s *recordStore) evict() bool {
	for set, records := range s.sets {
		for peerPart := range records {
			if peerPart != s.self {
				s.remove(set, peerPart)
				return true
			}
		}
	}
	return false
}

func (s *recordStore) remove(set, peerPart string) {
	if _, known := s.sets[set][peerPart]; !known {
		return
	}
	delete(s.sets[set], peerPart)
	if len(s.sets[set]) == 0 {
		delete(s.sets, set)
	}
	s.total--
	s.perPeer[peerPart]--
	if s.perPeer[peerPart] == 0 {
		delete(s.perPeer, peerPart)
	}
}

// Delete removes key's value, if there is one.
func (s *recordStore) Delete(_ context.Context, key datastore.Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(split(key.String()))
	return nil
}

// Get returns key's value, or datastore.ErrNotFound.
func (s *recordStore) Get(_ context.Context, key datastore.Key) ([]byte, error) {
	set, peerPart := split(key.String())
	s.mu.Lock()
	defer s.mu.Unlock()
	value, known := s.sets[set][peerPart]
	if !known {
		return nil, datastore.ErrNotFound
	}
	return value, nil
}

// Has reports whether key has a value.
func (s *recordStore) Has(ctx context.Context, key datastore.Key) (bool, error) {
	return datastore.GetBackedHas(ctx, s, key)
}

// GetSize returns the length of key's value in bytes, or datastore.ErrNotFound.
func (s *recordStore) GetSize(ctx context.Context, key datastore.Key) (int, error) {
	return datastore.GetBackedSize(ctx, s, key)
}

// Query returns the records below q.Prefix: one key's, or all.
func (s *recordStore) Query(_ context.Context, q query.Query) (query.Results, error) {
	prefix := strings.TrimSuffix(q.Prefix, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	var entries []query.Entry
	add := func(set string, records map[string][]byte) {
		for peerPart, value := range records {
			entries = append(entries, query.Entry{Key: set + "/" + peerPart, Value: value, Size: len(value)})
		}
	}
	if records, ok := s.sets[prefix]; ok {
		add(prefix, records)
		return query.ResultsWithEntries(q, entries), nil
	}
	for set, records := range s.sets {
		if strings.HasPrefix(set, prefix+"/") {
			add(set, records)
		}
	}
	return query.ResultsWithEntries(q, entries), nil
}

// Batch returns a batch that is applied record by record.
func (s *recordStore) Batch(context.Context) (datastore.Batch, error) {
	return datastore.NewBasicBatch(s), nil
}

// Sync does nothing: nothing is written to disk.
func (*recordStore) Sync(context.Context, datastore.Key) error { return nil }

// Close does nothing.
func (*recordStore) Close() error { return nil }
