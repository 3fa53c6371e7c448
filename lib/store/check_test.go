package store

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"plasm/lib/job"
	"plasm/lib/tree"
)

// empty checks that nothing is left in a store, in memory or on disk.
func empty(tb testing.TB, s *Store, d *memDisk) {
	tb.Helper()
	for name := range d.files() {
		tb.Errorf("left on disk: %s", name)
	}
	if modules, jobs := s.Usage(); modules.Bytes+modules.Entries+jobs.Bytes+jobs.Entries != 0 {
		tb.Errorf("left in the account: %+v, %+v", modules, jobs)
	}
	if d.opened != 0 || len(s.running) != 0 {
		tb.Errorf("%d files are open, %d jobs run", d.opened, len(s.running))
	}
}

// has reports whether a file is there.
func (d *memDisk) has(name string) bool {
	_, ok := d.files()[name]
	return ok
}

// soundPack checks that a pack is whole.
func soundPack(tb testing.TB, name, data string) {
	tb.Helper()
	p, err := tree.OpenPack(strings.NewReader(data), int64(len(data)))
	if err == nil {
		err = p.Check(tb.Context())
	}
	if err != nil {
		tb.Errorf("pack %s: %v", name, err)
	}
}

// sound checks that the disk has exactly what the store knows, whole, and that the
// account adds up. Nothing may be in use.
func sound(tb testing.TB, s *Store, d *memDisk) {
	tb.Helper()
	want := map[string]bool{}
	for _, sh := range []*shelf{s.content, s.jobs} {
		var sum [2]amount
		for k, e := range sh.items {
			if e.place == nil || e.pins != 0 || e.live != nil || e.gone || e.path != e.finalPath() {
				tb.Errorf("%v: %+v", k, e)
			}
			sum[e.class] = sum[e.class].plus(amount{e.charge, 1})
			if sh.kind == contentDir {
				want[e.path] = true
				continue
			}
			for _, name := range []string{manifestFile, receiptFile, stdoutFile, stderrFile} {
				want[e.path+"/"+name] = true
			}
			if name := e.path + "/" + foldersFile; d.has(name) { // which not every job has
				want[name] = true
			}
		}
		if sum != sh.used {
			tb.Errorf("%s: charged %+v, not %+v", sh.kind, sum, sh.used)
		}
		if n := sh.idle[0].Len() + sh.idle[1].Len(); n != len(sh.items) {
			tb.Errorf("%s: %d in order, %d known", sh.kind, n, len(sh.items))
		}
		if len(sh.busy) != 0 {
			tb.Errorf("%s: %d in use", sh.kind, len(sh.busy))
		}
		if !sh.total().within(sh.all) || !sh.used[unlisted].within(sh.share) {
			tb.Errorf("%s: %+v is over the bounds", sh.kind, sh.used)
		}
	}
	if len(s.running) != 0 {
		tb.Errorf("%d jobs run", len(s.running))
	}
	var got []string
	for name, data := range d.files() {
		got = append(got, name)
		if strings.HasSuffix(name, packSuffix) {
			soundPack(tb, name, data)
		} else if hex, ok := strings.CutPrefix(name, contentDir+"/"); ok &&
			!strings.HasSuffix(hex, job.Sum([]byte(data)).Hex()) {
			tb.Errorf("module %s holds %q", name, data)
		}
	}
	slices.Sort(got)
	if wanted := slices.Sorted(maps.Keys(want)); !slices.Equal(got, wanted) {
		tb.Errorf("on disk\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(wanted, "\n"))
	}
}
