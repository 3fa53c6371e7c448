package wire

import (
	"encoding/hex"
	"strings"
	"sync"

	"plasm/lib/job"
)

// exchange builds a vector frame by frame.
type exchange struct{ v vector }

// valid begins a vector without a fault.
func valid(name string) *exchange {
	return &exchange{vector{Name: name, Valid: true, Node: nodeKey().PeerID(), Transport: transportKey().PeerID()}}
}

// fault begins a vector whose last frame breaks a rule.
func fault(rule Rule, name string) *exchange {
	e := valid(name)
	e.v.Valid, e.v.Reason = false, rule
	return e
}

// say appends messages that Encode accepts; who says a ping is given by ping.
func (e *exchange) say(messages ...Message) *exchange {
	for _, m := range messages {
		payload := must(Encode(m))
		if o, ok := m.(*Offer); ok && e.v.Valid {
			e.v.Signed = hex.EncodeToString(o.signed(e.v.Node, e.v.Transport))
		}
		r, _ := m.Kind().rule()
		e.frame(r.from, m.Kind(), string(payload))
	}
	return e
}

func (e *exchange) ping(from Role) *exchange { return e.frame(from, KindPing, "") }

// data appends pieces of a stream.
func (e *exchange) data(kind Kind, pieces ...string) *exchange {
	r, _ := kind.rule()
	for _, p := range pieces {
		e.frame(r.from, kind, p)
	}
	return e
}

// frame appends any frame.
func (e *exchange) frame(from Role, kind Kind, payload string) *exchange {
	f := vectorFrame{
		From: from.String(), Kind: kind.String(),
		Hex: hex.EncodeToString(appendFrame(nil, kind, []byte(payload))),
	}
	if e.v.Valid && strings.HasPrefix(payload, "{") {
		f.Text = &payload
	}
	e.v.Frames = append(e.v.Frames, f)
	return e
}

// text is frame for the JSON of a kind's own end.
func (e *exchange) text(kind Kind, payload string) *exchange {
	r, _ := kind.rule()
	return e.frame(r.from, kind, payload)
}

// raw appends bytes, which are a header or less.
func (e *exchange) raw(from Role, digits string) *exchange {
	e.v.Frames = append(e.v.Frames, vectorFrame{From: from.String(), Hex: strings.ReplaceAll(digits, " ", "")})
	return e
}

// anyResult is a result whose receipt nobody looks at.
func anyResult() *Result { return &Result{Receipt: []byte("{}")} }

// Answers of a node.
func needAll() *Accept    { return &Accept{Module: true, Stdin: true} }
func needModule() *Accept { return &Accept{Module: true} }
func needStdin() *Accept  { return &Accept{Stdin: true} }
func needNone() *Accept   { return &Accept{} }
func attached() *Accept   { return &Accept{Attached: true} }

func busy() *Reject {
	return &Reject{job.Rejection{Code: job.RejectBusy, Message: "every slot is taken", RetryAfterMS: 1500}}
}

func anyCause() *Cause {
	return &Cause{job.Rejection{Code: job.RejectInternal, Message: "the node's disk is full"}}
}

func anyTrace() *Trace { return &Trace{Functions: []string{"panic", "$7", "_start"}} }

// cases are all vectors.
var cases = sync.OnceValue(func() []vector {
	groups := [][]*exchange{
		validCases(), kindCases(), lengthCases(), turnCases(), nodeTurnCases(), sizeCases(),
		payloadCases(), signatureCases(), folderCases(), folderFaults(), ticketCases(),
	}
	var all []vector
	for _, group := range groups {
		for _, e := range group {
			all = append(all, e.v)
		}
	}
	return all
})

func validCases() []*exchange {
	resumed, ended := inputOffer(), plainOffer()
	resumed.StdoutFrom, resumed.StderrFrom = 2, 1
	ended.StdoutFrom = 1
	half := len(sampleModule) / 2
	return []*exchange{
		valid("a whole job").say(plainOffer(), needModule()).data(KindModule, sampleModule).
			say(&Started{}).data(KindStdout, sampleStdout).say(sampleResult()),
		valid("the module is there, and there is no input").say(plainOffer(), needNone(), &Started{}).
			data(KindStdout, sampleStdout).say(sampleResult()),
		valid("a wait, and everything in pieces").say(inputOffer(), &Queued{Position: 2, WaitMS: 1500}).ping(Requester).
			say(&Queued{Position: 1}).ping(Node).say(needAll()).data(KindModule, sampleModule[:half],
			sampleModule[half:]).
			data(KindStdin, "some ").ping(Requester).data(KindStdin, "input").say(StdinEnd{}, &Started{}).
			data(KindStdout, "h").data(KindStderr, "one").data(KindStdout, "i\n").data(KindStderr,
			"two").ping(Node).say(anyResult()),
		valid("attached to a running job").say(resumed, &Accept{Attached: true}, &Started{RunningMS: 1200}).
			data(KindStdout, "from byte 2").data(KindStderr, "from byte 1").say(anyResult()),
		valid("attached to a job whose input had come in part").
			say(inputOffer(), &Accept{Stdin: true, StdinFrom: 5, Attached: true}).
			data(KindStdin, "input").say(StdinEnd{}, &Started{}, anyResult()),
		valid("a result that was stored").say(ended, attached(), &Started{RunningMS: 2}).data(KindStdout,
			"i\n").say(anyResult()),
		valid("not attached: output begins at byte 0").say(resumed, needNone(), &Started{}).
			data(KindStdout, strings.Repeat("x", 1000)).say(anyResult()),
		valid("input that ends when it ends").say(streamOffer(), needAll()).data(KindModule,
			sampleModule).say(&Started{}).
			data(KindStdin, "a").data(KindStdout, "a").data(KindStdin, "b").data(KindStdout, "b").say(StdinEnd{},
			anyResult()),
		valid("such input, from a byte on").say(streamOffer(), &Accept{Stdin: true, StdinFrom: 1, Attached: true},
			&Started{RunningMS: 9}).
			data(KindStdin, "b").say(StdinEnd{}, anyResult()),
		valid("such input, empty").say(streamOffer(), needStdin(), StdinEnd{}, &Started{}, anyResult()),
		valid("started while the input still comes: a second stream had brought it").say(inputOffer(), needStdin()).
			data(KindStdin, "some").say(&Started{}).data(KindStdin, " input").say(StdinEnd{}, anyResult()),
		valid("rejected").say(plainOffer(), busy()),
		valid("rejected in the words of a later version").say(plainOffer()).
			text(KindReject, `{"code":"memory","message":"too much","need":8192,"have":4096,"since":"tomorrow"}`),
		valid("rejected while the module comes").say(plainOffer(), needModule()).data(KindModule, sampleModule[:half]).
			say(&Reject{job.Rejection{Code: job.RejectHashMismatch, Message: "not the module"}}).data(KindModule,
			sampleModule[half:]),
		valid("rejected after started").say(plainOffer(), needNone(), &Started{}).
			say(&Reject{job.Rejection{Code: job.RejectInternal, Message: "the disk is broken"}}),
		valid("ended by the node").say(plainOffer(), needNone(), &Started{}).data(KindStdout, sampleStdout).
			say(anyCause(), anyResult()),
		valid("ended by the node, in the words of a later version").say(plainOffer(), needNone(), &Started{}).
			text(KindCause, `{"code":"memory","message":"all of it is taken","since":"tomorrow"}`).say(anyResult()),
		valid("trapped in named functions").say(plainOffer(), needNone(), &Started{}).data(KindStdout, sampleStdout).
			say(anyTrace(), anyResult()),
		valid("cancelled before accept").say(plainOffer(), Cancel{}),
		valid("cancelled while the module comes").say(plainOffer(), needModule()).data(KindModule,
			sampleModule[:half]).say(Cancel{}),
		valid("cancelled after started").say(plainOffer(), needNone(), &Started{}, Cancel{}).ping(Requester).
			data(KindStdout, sampleStdout).say(anyResult()),
		valid("127 bytes: a length of one byte").say(plainOffer(), needNone(), &Started{}).data(KindStdout,
			strings.Repeat("x", 127)),
		valid("128 bytes: a length of two bytes").say(plainOffer(), needNone(), &Started{}).data(KindStdout,
			strings.Repeat("x", 128)),
		valid("pings before the offer").ping(Requester).ping(Node).say(plainOffer()),
	}
}

func kindCases() []*exchange {
	return []*exchange{
		fault(RuleKind, "no such kind").raw(Requester, "00 00"),
		fault(RuleKind, "a lower-case offer").raw(Requester, "6f 02 7b 7d"),
		fault(RuleKind, "an upper-case accept").say(plainOffer()).raw(Node, "41 02 7b 7d"),
		fault(RuleKind, "accept from the requester").say(plainOffer()).frame(Requester, KindAccept, "{}"),
		fault(RuleKind, "offer from the node").frame(Node, KindOffer, "{}"),
		fault(RuleKind, "stdin from the node").say(inputOffer(), needStdin()).frame(Node, KindStdin, "x"),
	}
}

func lengthCases() []*exchange {
	return []*exchange{
		fault(RuleLength, "two bytes where one is enough").say(plainOffer(), needModule()).raw(Requester, "4d 81 00"),
		fault(RuleLength, "three bytes where two are enough").say(plainOffer(), needModule()).raw(Requester,
			"4d 80 81 00"),
		fault(RuleLength, "nothing, in two bytes").raw(Requester, "2e 80 00"),
		fault(RuleLength, "one byte more than 1 MiB").say(plainOffer(), needModule()).raw(Requester, "4d 81 80 40"),
		fault(RuleLength, "four bytes").say(plainOffer(), needModule()).raw(Requester, "4d 80 80 80 01"),
		fault(RuleLength, "2^64-1").say(plainOffer(), needModule()).raw(Requester, "4d ff ff ff ff ff ff ff ff ff 01"),
		fault(RuleLength, "an empty offer").frame(Requester, KindOffer, ""),
		fault(RuleLength, "an offer one byte too long").raw(Requester, "4f 81 c0 16"),
		fault(RuleLength, "an empty piece of the module").say(plainOffer(), needModule()).frame(Requester, KindModule,
			""),
		fault(RuleLength, "an empty piece of stdin").say(inputOffer(), needStdin()).frame(Requester, KindStdin, ""),
		fault(RuleLength, "stdin-end with a payload").say(streamOffer(), needStdin()).frame(Requester, KindStdinEnd,
			"x"),
		fault(RuleLength, "cancel with a payload").say(plainOffer()).frame(Requester, KindCancel, "x"),
		fault(RuleLength, "ping with a payload").say(plainOffer()).frame(Node, KindPing, "x"),
		fault(RuleLength, "queued of more than 1 KiB").say(plainOffer()).raw(Node, "71 81 08"),
		fault(RuleLength, "accept of more than 2 KiB").say(plainOffer()).raw(Node, "61 81 10"),
		fault(RuleLength, "want of more than 320 KiB").say(folderOffer(), needFolders()).raw(Node, "77 81 80 14"),
		fault(RuleLength, "an empty piece of a tree").say(folderOffer(), needFolders()).frame(Requester, KindTree, ""),
		fault(RuleLength, "an empty piece of folders").say(folderOffer(), needNone(), &Started{}).frame(Node,
			KindFolders, ""),
		fault(RuleLength, "started of more than 1 KiB").say(plainOffer(), needNone()).raw(Node, "73 81 08"),
		fault(RuleLength, "reject of more than 64 KiB").say(plainOffer()).raw(Node, "72 81 80 04"),
		fault(RuleLength, "cause of more than 64 KiB").say(plainOffer(), needNone(), &Started{}).raw(Node,
			"63 81 80 04"),
		fault(RuleLength, "trace of more than 16 KiB").say(plainOffer(), needNone(), &Started{}).raw(Node,
			"74 81 80 01"),
		fault(RuleLength, "an empty piece of stdout").say(plainOffer(), needNone(), &Started{}).frame(Node, KindStdout,
			""),
		fault(RuleLength, "an empty piece of stderr").say(plainOffer(), needNone(), &Started{}).frame(Node, KindStderr,
			""),
		fault(RuleLength, "an empty result").say(plainOffer(), needNone(), &Started{}).frame(Node, KindResult, ""),
		fault(RuleLength, "a result of 1 MiB").say(plainOffer(), needNone(), &Started{}).raw(Node, "78 80 80 40"),
	}
}
