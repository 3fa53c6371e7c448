package network

import (
	"encoding/base32"
	"errors"
	"fmt"
	"testing"

	"github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
	"github.com/libp2p/go-libp2p/core/peer"
)

// record is the name under which kad-dht keeps that p provides key.
func record(key string, p peer.ID) datastore.Key {
	encode := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString
	return datastore.NewKey("/providers/" + encode([]byte(key)) + "/" + encode([]byte(p)))
}

func count(t *testing.T, s *recordStore, prefix string) int {
	t.Helper()
	results, err := s.Query(t.Context(), query.Query{Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := results.Rest()
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestRecordStore(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	self, a, b := peer.ID("self"), peer.ID("a"), peer.ID("b")
	s := newRecordStore(self)
	batch, err := s.Batch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []datastore.Key{record("one", a), record("one", b), record("two", a), record("two", self)} {
		if err := batch.Put(ctx, key, []byte(key.String())); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if value, err := s.Get(ctx, record("one", b)); err != nil || string(value) != record("one", b).String() {
		t.Errorf("%q, %v", value, err)
	}
	one, _ := split(record("one", a).String())
	for prefix, want := range map[string]int{
		one: 2, one + "/": 2, "/providers/": 4, "/providers": 4, "/providers/X": 0,
		"/prov": 0,
	} {
		if n := count(t, s, prefix); n != want {
			t.Errorf("%d records below %s, want %d", n, prefix, want)
		}
	}
	if err := s.Delete(ctx, record("one", a)); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(ctx, record("one", a)); err != nil {
		t.Errorf("deleting what is not there: %v", err)
	}
	if has, err := s.Has(ctx, record("one", a)); has || err != nil {
		t.Errorf("%v, %v", has, err)
	}
	if n, err := s.GetSize(ctx, record("one", b)); n != len(record("one", b).String()) || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := s.GetSize(ctx, record("none", b)); !errors.Is(err, datastore.ErrNotFound) {
		t.Error(err)
	}
	if n := count(t, s, one); n != 1 || s.total != 3 {
		t.Errorf("%d records, %d in all", n, s.total)
	}
}

// One peer cannot fill the store, many cannot make it larger, and own records
// stay.
func TestRecordStoreIsBounded(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	self := peer.ID("self")
	s := newRecordStore(self)
	for i := range 2 * maxRecordsPerPeer {
		if err := s.Put(ctx, record(fmt.Sprint("own", i), self), nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Put(ctx, record(fmt.Sprint(i), "greedy"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.perPeer); n != 2 || s.total != 3*maxRecordsPerPeer {
		t.Errorf("%d peers have %d records", n, s.total)
	}
	for p := range maxRecords/maxRecordsPerPeer + 10 {
		for i := range maxRecordsPerPeer {
			if err := s.Put(ctx, record(fmt.Sprint(i), peer.ID(fmt.Sprint("p", p))), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s.total != maxRecords || count(t, s, "/providers") != maxRecords {
		t.Errorf("%d records", s.total)
	}
	for i := range 2 * maxRecordsPerPeer {
		if has, _ := s.Has(ctx, record(fmt.Sprint("own", i), self)); !has {
			t.Fatalf("own record %d gave way", i)
		}
	}
}
