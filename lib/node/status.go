package node

import (
	"os"

	"plasm/lib/capability"
	"plasm/lib/control"
	"plasm/lib/job"
)

// status returns what the node says of itself to those on its machine.
func (n *Node) status() *control.Status {
	doc := n.describe()
	doc.Addrs = n.localAddrs()
	now := n.who.now()
	s := &control.Status{
		PID: os.Getpid(), State: control.StateReady, StartedAt: job.FormatTime(n.started),
		DataDir: n.cfg.DataDir, RuntimeDir: n.cfg.RuntimeDir, Worker: n.cfg.Worker,
		Node: doc, Network: n.networkStatus(&doc), Contacts: []control.Contact{},
		Load: n.load(), Storage: n.storage(),
		Allow: control.Allow{File: n.cfg.AllowFile, Any: now.any, Peers: len(now.peers), Given: []string{}},
	}
	if len(n.cfg.Given) > 0 {
		s.Allow.Given, s.Allow.GivenBy = n.cfg.Given, n.cfg.GivenBy
	}
	if until := n.drainUntil.Load(); until != nil {
		s.State = control.StateDraining
		if !until.IsZero() {
			s.DrainUntil = job.FormatTime(*until)
		}
	}
	for _, c := range n.host.Contacts() {
		contact := control.Contact{
			PeerID: c.Info.ID.String(), Addrs: []string{}, Source: c.Source,
			State: string(c.State),
		}
		for _, addr := range c.Info.Addrs {
			contact.Addrs = append(contact.Addrs, addr.String())
		}
		if c.Err != nil {
			contact.Error = c.Err.Error()
		}
		s.Contacts = append(s.Contacts, contact)
	}
	return s
}

// load returns what jobs hold now.
func (n *Node) load() control.Load {
	q := n.queue.Stats()
	return control.Load{Running: q.Running, Reserved: q.Reserved, Waiting: q.Waiting, MemoryMB: q.UsedMemoryMB}
}

// storage returns what the node keeps.
func (n *Node) storage() control.Storage {
	content, jobs := n.store.Usage()
	return control.Storage{
		Content: content.Bytes, MostContent: content.MostBytes, Jobs: jobs.Bytes, MostJobs: jobs.MostBytes,
		Free: n.store.Free(),
	}
}

func (n *Node) networkStatus(doc *job.Node) control.Network {
	state := n.announce.State()
	s := control.Network{
		Peers: len(n.host.Network().Peers()), DHTPeers: n.host.TableSize(),
		Reachability: n.host.Reachability().String(), Relays: []string{},
		Private: n.cfg.Network.NetworkKey != nil, RelayService: n.cfg.Network.Relay != nil,
		Keys: []string{}, Pending: state.Pending,
	}
	for _, id := range n.host.Relays() {
		s.Relays = append(s.Relays, id.String())
	}
	for _, key := range capability.Keys(doc) {
		s.Keys = append(s.Keys, string(key))
	}
	if !state.At.IsZero() {
		s.AnnouncedAt = job.FormatTime(state.At)
	}
	return s
}
