package store

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// model is what a store must be like after any operations and power cuts.
type model struct {
	t       *testing.T
	random  *rand.Rand
	cfg     Config
	disk    *memDisk
	clock   *fakeClock
	store   *Store
	open    []held
	told    map[key]string   // receipts that Finish said are kept
	old     map[key][]string // receipts that were kept before, and have left
	serial  int
	history []string
}

// held is a job that somebody has open.
type held struct {
	r     Request
	job   *Job
	run   *Run
	wrote string
}

func (m *model) log(format string, args ...any) {
	m.history = append(m.history, fmt.Sprintf(format, args...))
}

func (m *model) fail(format string, args ...any) {
	m.t.Helper()
	for _, line := range m.history {
		m.t.Log(line)
	}
	m.t.Fatalf(format, args...)
}

func (m *model) request() Request {
	n := m.random.IntN(6)
	return request(n%3, n)
}

func (m *model) accept() {
	r := m.request()
	j, run, err := m.store.Accept(r)
	m.log("accept %s: run %v, %v", r.ID[28:], run != nil, err)
	if err != nil {
		return // no room, or the power is off
	}
	k := key{r.Requester, r.ID}
	if run != nil {
		m.leaves(k)
	} else if receipt := j.Receipt(); receipt != nil {
		m.compare(k, string(receipt))
	}
	m.open = append(m.open, held{r: r, job: j, run: run})
}

// leaves notes that a job's result isn't here any longer. Where room is bounded it may
// have been pushed out; else it must not.
func (m *model) leaves(k key) {
	receipt, ok := m.told[k]
	if !ok {
		return
	}
	if m.cfg.Jobs == 0 {
		m.fail("%s is lost", k.name)
	}
	m.old[k] = append(m.old[k], receipt)
	delete(m.told, k)
}

func (m *model) compare(k key, receipt string) {
	m.t.Helper()
	if want, ok := m.told[k]; ok && receipt != want {
		m.fail("%s has receipt %q, not %q", k.name, receipt, want)
	} else if !ok && !slices.Contains(m.old[k], receipt) {
		m.fail("%s has receipt %q, which was never kept", k.name, receipt)
	}
}

// take removes a random open job from the list.
func (m *model) take() (held, bool) {
	if len(m.open) == 0 {
		return held{}, false
	}
	i := m.random.IntN(len(m.open))
	h := m.open[i]
	m.open = slices.Delete(m.open, i, i+1)
	return h, true
}

func (m *model) write() {
	if len(m.open) == 0 {
		return
	}
	h := &m.open[m.random.IntN(len(m.open))]
	if h.run == nil {
		return
	}
	m.serial++
	n, err := fmt.Fprint(h.job.Stdout(), m.serial, " ")
	h.wrote += fmt.Sprint(m.serial, " ")[:n]
	m.log("write %s: %v", h.r.ID[28:], err)
}

func (m *model) end() {
	h, ok := m.take()
	if !ok {
		return
	}
	defer h.job.Close()
	k := key{h.r.Requester, h.r.ID}
	if h.run == nil {
		m.log("close %s", h.r.ID[28:])
		return
	}
	if m.random.IntN(4) == 0 {
		m.log("forget %s", h.r.ID[28:])
		h.run.Forget(nil)
		return
	}
	m.serial++
	receipt := fmt.Sprintf("%d:%s", m.serial, h.wrote)
	err := h.run.Finish([]byte(receipt))
	m.log("finish %s: %v", h.r.ID[28:], err)
	if err == nil {
		m.told[k] = receipt
	} else {
		m.old[k] = append(m.old[k], receipt) // a crash in it may leave either
	}
}

func (m *model) find() {
	r := m.request()
	k := key{r.Requester, r.ID}
	j, ok, err := m.store.Find(r.Requester, r.ID)
	m.log("find %s: %v, %v", r.ID[28:], ok, err)
	if err != nil {
		return
	}
	if !ok {
		m.leaves(k)
		return
	}
	defer j.Close()
	receipt := j.Receipt()
	if receipt == nil {
		return // it runs
	}
	m.compare(k, string(receipt))
	out, err := io.ReadAll(j.Stdout().Follow(m.t.Context(), 0))
	if err != nil {
		return
	}
	var serial int
	_, _ = fmt.Sscanf(string(receipt), "%d:", &serial)
	if string(receipt) != fmt.Sprintf("%d:%s", serial, out) {
		m.fail("%s has stdout %q and receipt %q", k.name, out, receipt)
	}
	if !bytes.Equal(j.Manifest(), r.Manifest) {
		m.fail("%s has manifest %q", k.name, j.Manifest())
	}
}

func (m *model) module() {
	data := fmt.Appendf(nil, "module %d", m.random.IntN(4))
	requester := m.random.IntN(3)
	u, err := upload(m.store, requester, data)
	m.log("upload %q of %d: %v", data, requester, err)
	if err != nil {
		return
	}
	defer u.Close()
	if got, err := u.Load(); err == nil && !bytes.Equal(got, data) {
		m.fail("module %q is %q", data, got)
	}
}

// crash cuts the power, perhaps in the midst of an operation, and starts again.
func (m *model) crash() {
	at := m.disk.step + m.random.IntN(30)
	m.disk.mu.Lock()
	m.disk.fault = func(step int, _, _ string) error {
		if step >= at {
			return errDead
		}
		return nil
	}
	m.disk.mu.Unlock()
	for !m.disk.dead {
		m.step(false)
	}
	m.log("crash")
	m.disk = m.disk.crash(m.random)
	m.clock.mono = 0
	m.open = nil
	m.reopen()
}

func (m *model) reopen() {
	s, err := open(m.cfg, m.disk, m.clock.clock())
	if err != nil {
		m.fail("%v", err)
	}
	m.store = s
	sound(m.t, s, m.disk)
	for k := range s.jobs.items {
		j, ok, err := s.Find(k.requester, k.name)
		if !ok || err != nil {
			m.fail("%s: %v, %v", k.name, ok, err)
		}
		m.compare(k, string(j.Receipt()))
		m.told[k] = string(j.Receipt()) // one that had left and is back is as good as kept
		j.Close()
	}
	for k := range m.told {
		if s.jobs.items[k] == nil {
			m.leaves(k)
		}
	}
	if m.t.Failed() {
		m.fail("after a crash")
	}
}

func (m *model) step(mayCrash bool) {
	m.clock.pass(time.Second)
	switch n := m.random.IntN(40); {
	case n < 10:
		m.accept()
	case n < 18:
		m.write()
	case n < 28:
		m.end()
	case n < 34:
		m.find()
	case n < 38:
		m.module()
	case mayCrash:
		m.crash()
	}
}

// TestModel does random operations, with power cuts in between, and compares.
func TestModel(t *testing.T) {
	t.Parallel()
	for _, cfg := range []Config{{}, {Jobs: 3, Contents: 3, UnlistedPercent: 100}} {
		for seed := range uint64(40) {
			m := &model{
				t:      t,
				random: rand.New(rand.NewPCG(seed, 6)),
				cfg:    cfg,
				clock:  newFakeClock(),
				told:   map[key]string{},
				old:    map[key][]string{},
			}
			m.disk = newMemDisk(m.clock.clock())
			m.log("seed %d, at most %d jobs", seed, cfg.Jobs)
			m.reopen()
			for range 200 {
				m.step(true)
			}
			for len(m.open) > 0 {
				m.end()
			}
			sound(t, m.store, m.disk)
			if m.disk.opened != 0 {
				m.fail("%d files are open", m.disk.opened)
			}
		}
	}
}
