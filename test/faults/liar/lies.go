package main

import (
	"bytes"

	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/receipt"
)

// kinds are the lies by name.
func kinds() map[string]func(*session) {
	return map[string]func(*session){
		"truncated": func(s *session) { s.tells(s.truncated, nil) },
		"forged":    func(s *session) { s.tells(nil, s.forged) },
		"requester": func(s *session) {
			s.tells(nil,
				func(st *receipt.Statement) { st.Requester = identity.Generate().PeerID(); s.result(s.l.key, st) })
		},
		"manifest": func(s *session) {
			s.tells(nil, func(st *receipt.Statement) {
				other := *st.Manifest
				other.Seed++
				st.Manifest = &other
				s.result(s.l.key, st)
			})
		},
		"replay": (*session).replay,
		"bytes":  func(s *session) { s.tells(func() []byte { return bytes.ToUpper(s.stdout) }, nil) },
		"endless": func(s *session) {
			if s.start() {
				s.flood()
			}
		},
		"silent-offer": (*session).hang,
		"silent-accept": func(s *session) {
			if s.conn.Send(&wire.Accept{Module: true, Stdin: true}) == nil {
				s.hang()
			}
		},
		"silent-started": func(s *session) {
			if s.start() {
				s.hang()
			}
		},
		"silent-output": func(s *session) {
			if s.start() && s.conn.SendData(wire.KindStdout, s.stdout) == nil {
				s.hang()
			}
		},
		"garbage": func(s *session) {
			if s.start() {
				s.stream.close()
				_, _ = s.stream.Stream.Write(bytes.Repeat([]byte("\xff\x00garbage\x1b[2J"), 10_000))
				s.hang()
			}
		},
		"hangup": func(s *session) { s.start() },
	}
}

// tells ends a job as a node should, but for the output and what the statement
// becomes; nil: the truth.
func (s *session) tells(output func() []byte, end func(*receipt.Statement)) {
	if !s.start() {
		return
	}
	out := s.stdout
	if output != nil {
		out = output()
	}
	if len(out) > 0 && s.conn.SendData(wire.KindStdout, out) != nil {
		return
	}
	if end == nil {
		s.result(s.l.key, s.statement())
		return
	}
	end(s.statement())
}

func (s *session) truncated() []byte { return s.stdout[:len(s.stdout)-1] }

// forged signs the truth with somebody else's key.
func (s *session) forged(st *receipt.Statement) {
	other := identity.Generate()
	st.Node.PeerID = other.PeerID()
	s.result(other, st)
}

// replay answers with the receipt of an earlier job.
func (s *session) replay() {
	s.tells(nil, func(st *receipt.Statement) {
		s.l.mu.Lock()
		defer s.l.mu.Unlock()
		if s.l.first == nil {
			s.l.first, _ = receipt.Sign(s.l.key, st)
		}
		_ = s.conn.Send(&wire.Result{Receipt: s.l.first})
	})
}

// flood sends output without end.
func (s *session) flood() {
	s.stream.close()
	frame := append([]byte{byte(wire.KindStdout), 0x80, 0x80, 0x04}, make([]byte, 1<<16)...)
	for {
		if _, err := s.stream.Stream.Write(frame); err != nil {
			return
		}
	}
}
