package serve

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"strings"

	p2p "github.com/libp2p/go-libp2p/core/network"
	manet "github.com/multiformats/go-multiaddr/net"

	"plasm/lib/exchange/queue"
	"plasm/lib/exchange/wire"
	"plasm/lib/job"
)

// source returns what whoever is at the other end is charged by, unless listed:
// the address that the connection comes from, and over a relay that is the relay's. The
// relay's peer ID would be as free as any other.
func source(c p2p.Conn) string {
	ip, err := manet.ToIP(c.RemoteMultiaddr()) // which begins with the relay's, where there is one
	if err != nil {
		return queue.SourceOf(netip.Addr{})
	}
	from, _ := netip.AddrFromSlice(ip)
	return queue.SourceOf(from)
}

// allowed says whether the requester may submit, and as whom it is charged.
func (s *Server) allowed(x *session, requester string) *job.Rejection {
	listed, anybody := s.cfg.Allow(requester)
	if !listed && !anybody {
		return &job.Rejection{
			Code: job.RejectNotAllowed,
			Message: fmt.Sprintf("%s may not submit jobs to this node; what allows it, there: %s", requester,
				s.cfg.AllowLine(requester)),
		}
	}
	if listed {
		s.cfg.Host.Trust(x.stream.Conn())
	}
	x.client = queue.Client{Listed: listed, Requester: requester, Source: x.source}
	return nil
}

// fits says whether a job is one for this node.
func (s *Server) fits(m *job.Manifest, o *wire.Offer) *job.Rejection {
	for i := range m.Dirs {
		if !m.Dirs[i].Travels() {
			return &job.Rejection{
				Code: job.RejectBadManifest, Message: "the manifest has the live folder " + m.Dirs[i].Guest +
					": a node gives a job none of its folders",
			}
		}
	}
	n := s.cfg.Node()
	if m.Arch != "" && m.Arch != n.Arch {
		return amount(job.RejectArch, m.Arch, n.Arch, "the job is for arch %s, this node is %s", m.Arch, n.Arch)
	}
	var engines []string
	for _, e := range n.Engines {
		engines = append(engines, e.Name)
	}
	if m.Engine != "" && !slices.Contains(engines, m.Engine) {
		have := strings.Join(engines, ",")
		return amount(job.RejectEngine, m.Engine, have, "this node does not have the engine %s, but %s", m.Engine, have)
	}
	folders := o.Folders()
	if folders.Bytes > n.Limits.TreeBytes { // and so each name counted
		return treeTooLarge(folders.Bytes, n.Limits.TreeBytes)
	}
	if folders.DocumentBytes > maxDocuments {
		need, have := job.Amounts(folders.DocumentBytes, maxDocuments)
		return amount(job.RejectTreeTooLarge, folders.DocumentBytes, int64(maxDocuments),
			"the documents of the job's trees have %s, this node takes %s", need, have)
	}
	if len(m.Outputs()) > 0 && m.DiskMB > n.Limits.DiskMB {
		need, have := megabytes(m.DiskMB, n.Limits.DiskMB)
		return amount(job.RejectDisk, m.DiskMB, n.Limits.DiskMB, "the job needs %s of disk, this node gives a job %s",
			need, have)
	}
	for _, l := range []struct {
		code       job.RejectCode
		need, have int64
		what       string
		words      func(need, have int64) (string, string)
	}{
		{job.RejectMemory, m.MemoryMB, n.Limits.MemoryMB, "of memory", megabytes},
		{job.RejectCPUCores, m.CPUCores, n.CPUCores, "cores", counts},
		{job.RejectTimeout, m.TimeoutMS, n.Limits.TimeoutMS, "of time", spans},
		{job.RejectModuleTooLarge, o.ModuleBytes, n.Limits.ModuleBytes, "of module", job.Amounts},
		{job.RejectInputTooLarge, o.StdinBytes, n.Limits.InputBytes, "of input", job.Amounts},
		{job.RejectOutputTooLarge, m.OutputLimitBytes, n.Limits.OutputBytes, "of output", job.Amounts},
	} {
		if l.need > l.have {
			need, have := l.words(l.need, l.have)
			return amount(l.code, l.need, l.have, "the job needs %s %s, this node gives a job %s", need, l.what, have)
		}
	}
	return nil
}

func megabytes(a, b int64) (string, string) { return job.Amounts(a<<20, b<<20) }
func spans(a, b int64) (string, string)     { return job.Span(a), job.Span(b) }
func counts(a, b int64) (string, string)    { return strconv.FormatInt(a, 10), strconv.FormatInt(b, 10) }

func amount(code job.RejectCode, need, have job.Value, format string, args ...any) *job.Rejection {
	return &job.Rejection{Code: code, Message: fmt.Sprintf(format, args...), Need: need, Have: have}
}

// find returns the task of an offer's job, joined, and whether it was there
// before; a rejection when there is none. It may wait for one that is ending.
func (s *Server) find(x *session) (t *task, attached bool, r *job.Rejection) {
	k := jobKey{x.offer.Requester, x.manifest.ID}
	for {
		s.mu.Lock()
		t := s.tasks[k]
		s.mu.Unlock()
		if t != nil {
			if r := t.same(x); r != nil {
				return nil, false, r
			}
			if t.join(x.offer.Detach) {
				return t, true, nil
			}
			<-t.gone // soon: it has been stopped
			continue
		}
		t, again, r := s.stored(x, k)
		switch {
		case again:
			continue
		case t != nil || r != nil:
			return t, true, r
		}
		if x.offer.Attach {
			return nil, false, unknownJob(x.manifest.ID)
		}
		if r := s.fits(x.manifest, x.offer); r != nil {
			return nil, false, r
		}
		if t, r := s.begin(x, k); t != nil || r != nil {
			return t, false, r
		}
	}
}

// stored returns the task of a job that is in the store, joined; nil when there
// is none. Again says to look for it in Server.tasks first.
func (s *Server) stored(x *session, k jobKey) (t *task, again bool, r *job.Rejection) {
	j, ok, err := s.cfg.Store.Find(k.requester, k.id)
	if err != nil {
		return nil, false, s.storeRejection(err, job.RejectInternal)
	}
	if !ok {
		return nil, false, nil
	}
	select {
	case <-j.Done():
	default: // its task came after we looked, or is just going
		j.Close()
		runtime.Gosched()
		return nil, true, nil
	}
	t, r = s.storedTask(j, x)
	if r != nil {
		j.Close()
		return nil, false, r
	}
	t.ending.trace = s.traceOf(k)
	return t, false, nil
}

// begin makes a new task, joined; nil without a rejection when there is one by now.
func (s *Server) begin(x *session, k jobKey) (*task, *job.Rejection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil, shuttingDown()
	}
	if s.tasks[k] != nil {
		return nil, nil
	}
	if slices.Contains(s.cancelled, k) {
		return nil, byOwner()
	}
	t := newTask(s, x, k)
	s.tasks[k] = t
	s.live.Add(1)
	return t, nil
}
