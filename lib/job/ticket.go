package job

import (
	"encoding/json"
	"fmt"
	"time"
)

// Maxima of a ticket.
const (
	MaxTicket      = MaxManifest + 64<<10 // bytes of the document
	MaxTicketAddrs = 16
)

// Ticket says where a job was left, for its requester to come back. It lends no trust, and
// nobody but the owner of the key that has submitted the job can use it. It shows the
// job's arguments and environment.
type Ticket struct {
	Manifest *Manifest // valid, with a stdin_hash
	Node     string    // peer ID of the node that has the job
	Addrs    []string  // whole multiaddresses of the node, at most MaxTicketAddrs: each ends in /p2p/ and Node
	// until when the node keeps the result at least, if it needs the room for no other, in
	// milliseconds
	KeepUntil time.Time
}

// ticketDocument is a ticket as it is written.
type ticketDocument struct {
	Version   string          `json:"version"`
	Manifest  json.RawMessage `json:"manifest"`
	Node      string          `json:"node"`
	Addrs     []string        `json:"addrs"`
	KeepUntil string          `json:"keep_until"`
}

// Encode writes the ticket in one line of JSON without an end of line.
func (t *Ticket) Encode() []byte {
	return encode(&ticketDocument{
		"1", t.Manifest.Encode(), t.Node, append([]string{}, t.Addrs...),
		FormatTime(t.KeepUntil),
	})
}

// DecodeTicket reads a ticket. An error is an *Error with CodeBadManifest.
func DecodeTicket(data []byte) (*Ticket, error) {
	if len(data) > MaxTicket {
		return nil, badDocument(tooLarge("ticket", len(data), MaxTicket))
	}
	v, err := Parse(data)
	if err != nil {
		return nil, badDocument(fmt.Errorf("ticket: %w", err))
	}
	f := NewFields(v, "ticket")
	f.OneOf("version", "1")
	t := &Ticket{Node: f.PeerID("node"), Addrs: f.Strs("addrs"), KeepUntil: f.Time("keep_until")}
	manifest := f.Value("manifest")
	for i, a := range t.Addrs {
		if i == MaxTicketAddrs {
			f.Fail("addrs", "%d, more than the %d allowed", len(t.Addrs), MaxTicketAddrs)
		} else if !isAddr(a, t.Node) {
			f.Fail(element("addrs", i), "%s is not a multiaddress that ends in /p2p/%s", Quote(a), t.Node)
		}
	}
	if err := f.Close(); err != nil {
		return nil, badDocument(err)
	}
	if t.Manifest, err = ManifestFromValue(manifest, "ticket.manifest"); err != nil {
		return nil, badDocument(err)
	}
	if t.Manifest.StdinHash == "" {
		return nil, badDocument(&FieldError{Path: "ticket.manifest.stdin_hash", Problem: "missing"})
	}
	return t, nil
}
