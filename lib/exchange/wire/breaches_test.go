package wire

import (
	"encoding/base64"
	"strings"
)

// turnCases are what a requester may not say now.
func turnCases() []*exchange {
	return []*exchange{
		fault(RuleTurn, "module before the offer").data(KindModule, "x"),
		fault(RuleTurn, "cancel before the offer").say(Cancel{}),
		fault(RuleTurn, "stdin-end before the offer").say(StdinEnd{}),
		fault(RuleTurn, "a second offer").say(plainOffer(), plainOffer()),
		fault(RuleTurn, "module before accept").say(plainOffer()).data(KindModule, "x"),
		fault(RuleTurn, "stdin before accept").say(inputOffer()).data(KindStdin, "x"),
		fault(RuleTurn, "a module that the node has").say(plainOffer(), needNone()).data(KindModule, "x"),
		fault(RuleTurn, "stdin that the node has").say(inputOffer(), needModule()).data(KindModule,
			sampleModule).data(KindStdin, "x"),
		fault(RuleTurn, "stdin-end without stdin").say(plainOffer(), needNone(), StdinEnd{}),
		fault(RuleTurn, "stdin before the end of the module").say(inputOffer(), needAll()).
			data(KindModule, sampleModule[1:]).data(KindStdin, "x"),
		fault(RuleTurn, "stdin-end before the end of the module").say(streamOffer(), needAll(), StdinEnd{}),
		fault(RuleTurn, "stdin after stdin-end").say(streamOffer(), needStdin(), StdinEnd{}).data(KindStdin, "x"),
		fault(RuleTurn, "stdin-end twice").say(streamOffer(), needStdin(), StdinEnd{}, StdinEnd{}),
		fault(RuleTurn, "module after cancel").say(plainOffer(), needModule(), Cancel{}).data(KindModule, "x"),
		fault(RuleTurn, "stdin after cancel").say(streamOffer(), needStdin(), Cancel{}).data(KindStdin, "x"),
		fault(RuleTurn, "stdin-end after cancel").say(streamOffer(), needStdin(), Cancel{}, StdinEnd{}),
		fault(RuleTurn, "cancel twice").say(plainOffer(), Cancel{}, Cancel{}),
	}
}

// nodeTurnCases are what a node may not say now.
func nodeTurnCases() []*exchange {
	before := []Message{&Queued{Position: 1}, needNone(), busy(), &Started{}, anyCause(), anyTrace(), anyResult()}
	var all []*exchange
	for _, m := range before {
		all = append(all, fault(RuleTurn, m.Kind().String()+" before the offer").say(m))
	}
	for _, m := range append(before, Message(nil)) {
		for _, end := range []Message{busy(), anyResult()} {
			e := fault(RuleTurn, "").say(plainOffer(), needNone(), &Started{}, end)
			if e.v.Name = " after " + end.Kind().String(); m == nil {
				e.v.Name = "stdout" + e.v.Name
				all = append(all, e.data(KindStdout, "x"))
				continue
			}
			e.v.Name = m.Kind().String() + e.v.Name
			all = append(all, e.say(m))
		}
	}
	return append(all,
		fault(RuleTurn, "queued after accept").say(plainOffer(), needNone(), &Queued{Position: 1}),
		fault(RuleTurn, "accept twice").say(plainOffer(), needNone(), needNone()),
		fault(RuleTurn, "started before accept").say(plainOffer(), &Started{}),
		fault(RuleTurn, "cause before started").say(plainOffer(), needNone(), anyCause()),
		fault(RuleTurn, "cause twice").say(plainOffer(), needNone(), &Started{}, anyCause(), anyCause()),
		fault(RuleTurn, "stdout after cause").say(plainOffer(), needNone(), &Started{}, anyCause()).data(KindStdout,
			"x"),
		fault(RuleTurn, "trace before started").say(plainOffer(), needNone(), anyTrace()),
		fault(RuleTurn, "trace after cause").say(plainOffer(), needNone(), &Started{}, anyCause(), anyTrace()),
		fault(RuleTurn, "stderr after trace").say(plainOffer(), needNone(), &Started{}, anyTrace()).data(KindStderr,
			"x"),
		fault(RuleTurn, "started twice").say(plainOffer(), needNone(), &Started{}, &Started{}),
		fault(RuleTurn, "stdout before started").say(plainOffer(), needNone()).data(KindStdout, "x"),
		fault(RuleTurn, "stderr before started").say(plainOffer(), needNone()).data(KindStderr, "x"),
		fault(RuleTurn, "result before started").say(plainOffer(), needNone(), anyResult()),
		fault(RuleTurn, "result before accept").say(plainOffer(), anyResult()),
	)
}

func sizeCases() []*exchange {
	resumed := plainOffer()
	resumed.StdoutFrom, resumed.StderrFrom = 600, 300
	return []*exchange{
		fault(RuleSize, "more module than offered").say(plainOffer(), needModule()).data(KindModule, sampleModule, "x"),
		fault(RuleSize, "more module than offered, in one piece").say(plainOffer(), needModule()).data(KindModule,
			sampleModule+"x"),
		fault(RuleSize, "more stdin than offered").say(inputOffer(), needStdin()).data(KindStdin, sampleStdin, "x"),
		fault(RuleSize, "stdin-end too early").say(inputOffer(), needStdin()).data(KindStdin, "some").say(StdinEnd{}),
		fault(RuleSize, "more stdin than was left").say(inputOffer(),
			&Accept{Stdin: true, StdinFrom: 5, Attached: true}).
			data(KindStdin, "inputs"),
		fault(RuleSize, "accept wants stdin where there is none").say(plainOffer(), needStdin()),
		fault(RuleSize, "accept wants stdin from its end").say(inputOffer(),
			&Accept{Stdin: true, StdinFrom: 10, Attached: true}),
		fault(RuleSize, "more output than allowed").say(plainOffer(), needNone(), &Started{}).
			data(KindStdout, strings.Repeat("x", 600)).data(KindStderr, strings.Repeat("x", 401)),
		fault(RuleSize, "more output than allowed, with what was there").say(resumed, attached(), &Started{}).
			data(KindStdout, strings.Repeat("x", 101)),
	}
}

func payloadCases() []*exchange {
	var all []*exchange
	offer := string(must(Encode(inputOffer())))
	change := func(name, old, changed string) {
		if strings.Count(offer, old) != 1 {
			panic(name)
		}
		all = append(all, fault(RulePayload, name).text(KindOffer, strings.Replace(offer, old, changed, 1)))
	}
	change("offer: unknown member", `{"requester"`, `{"nonce":1,"requester"`)
	change("offer: repeated member", `"module_bytes":125`, `"module_bytes":125,"module_bytes":125`)
	change("offer: no module_bytes", `"module_bytes":125,`, ``)
	change("offer: module_bytes is 0", `"module_bytes":125`, `"module_bytes":0`)
	change("offer: stdin_bytes is -1", `"stdin_bytes":10`, `"stdin_bytes":-1`)
	change("offer: stdin_bytes is null", `"stdin_bytes":10`, `"stdin_bytes":null`)
	change("offer: stdin_bytes is 2^53", `"stdin_bytes":10`, `"stdin_bytes":9007199254740992`)
	change("offer: stdout_from is -1", `"stdin_bytes"`, `"stdout_from":-1,"stdin_bytes"`)
	change("offer: stderr_from is text", `"stdin_bytes"`, `"stderr_from":"1","stdin_bytes"`)
	change("offer: the requester is no peer ID", `"requester":"12D3KooW`, `"requester":"12D3KooV`)
	change("offer: base64 with a line break", `"manifest":"`, `"manifest":"\n`)
	// 64 bytes end in one character of which 2 bits count, and two of padding.
	signature := base64.StdEncoding.EncodeToString(inputOffer().Signature)
	last := len(signature) - 3
	change("offer: base64 with stray bits", signature, signature[:last]+string(signature[last]+1)+"==")
	change("offer: base64 without padding", signature, signature[:last+1])
	change("offer: no manifest", `"manifest":"`+strings.Split(strings.Split(offer, `"manifest":"`)[1], `"`)[0],
		`"manifest":"`)
	short := inputOffer()
	short.Signature = short.Signature[:63]
	all = append(all,
		fault(RulePayload, "offer: a signature of 63 bytes").text(KindOffer, string(compact(short.document()))),
		fault(RulePayload, "offer: no object").text(KindOffer, "[]"),
		fault(RulePayload, "offer: something after it").text(KindOffer, offer+"{}"),
	)
	answers := []struct {
		name, payload string
		kind          Kind
	}{
		{"queued: position is 0", `{"position":0,"wait_ms":0}`, KindQueued},
		{"queued: no wait_ms", `{"position":1}`, KindQueued},
		{"queued: unknown member", `{"position":1,"wait_ms":0,"of":9}`, KindQueued},
		{"accept: no attached", `{"module":true,"stdin":false,"stdin_from":0}`, KindAccept},
		{"accept: module is 1", `{"module":1,"stdin":false,"stdin_from":0,"attached":false}`, KindAccept},
		{
			"accept: unknown member", `{"module":true,"stdin":false,"stdin_from":0,"attached":false,"slot":3}`,
			KindAccept,
		},
		{
			"accept: stdin_from without stdin", `{"module":false,"stdin":false,"stdin_from":1,"attached":true}`,
			KindAccept,
		},
		{
			"accept: stdin_from without attached", `{"module":false,"stdin":true,"stdin_from":1,"attached":false}`,
			KindAccept,
		},
		{"reject: no message", `{"code":"busy"}`, KindReject},
		{"reject: unknown code", `{"code":"tired","message":"m"}`, KindReject},
		{"reject: retry_after_ms is 0", `{"code":"busy","message":"m","retry_after_ms":0}`, KindReject},
	}
	for _, a := range answers {
		all = append(all, fault(RulePayload, a.name).say(inputOffer()).text(a.kind, a.payload))
	}
	return append(all,
		fault(RulePayload, "started: nothing in it").say(plainOffer(), needNone()).text(KindStarted, `{}`),
		fault(RulePayload, "started: more than seven days").say(plainOffer(), needNone()).text(KindStarted,
			`{"running_ms":604800001}`),
		fault(RulePayload, "cause: unknown code").say(plainOffer(), needNone(), &Started{}).text(KindCause,
			`{"code":"tired","message":"m"}`),
		fault(RulePayload, "trace: of nothing").say(plainOffer(), needNone(), &Started{}).text(KindTrace,
			`{"functions":[]}`),
		fault(RulePayload, "trace: an empty name").say(plainOffer(), needNone(), &Started{}).text(KindTrace,
			`{"functions":[""]}`),
		fault(RulePayload, "trace: a name of two lines").say(plainOffer(), needNone(), &Started{}).text(KindTrace,
			`{"functions":["a\nb"]}`),
		fault(RulePayload, "trace: a name of 129 bytes").say(plainOffer(), needNone(), &Started{}).
			text(KindTrace, `{"functions":["`+strings.Repeat("x", 129)+`"]}`),
		fault(RulePayload, "trace: 17 functions").say(plainOffer(), needNone(), &Started{}).
			text(KindTrace, `{"functions":["f"`+strings.Repeat(`,"f"`, 16)+`]}`),
		fault(RulePayload, "accept of a bad manifest").say(sampleOffer(1, nil), needNone()),
	)
}

func signatureCases() []*exchange {
	node, transport := nodeKey().PeerID(), transportKey().PeerID()
	signedFor := func(name, node, transport string) *exchange {
		o := plainOffer()
		o.Sign(requesterKey(), node, transport)
		return fault(RuleSignature, name).say(o)
	}
	changed := func(name string, change func(*Offer)) *exchange {
		o := plainOffer()
		change(o)
		return fault(RuleSignature, name).say(o)
	}
	return []*exchange{
		signedFor("signed for another node", otherKey().PeerID(), transport),
		signedFor("signed for another connection", node, otherKey().PeerID()),
		signedFor("signed with the two IDs exchanged", transport, node),
		changed("another requester's name", func(o *Offer) { o.Requester = otherKey().PeerID() }),
		changed("another manifest", func(o *Offer) { o.Manifest = append(o.Manifest, ' ') }),
		changed("a bit of the signature", func(o *Offer) { o.Signature[5] ^= 1 }),
		changed("signed without lengths", func(o *Offer) {
			o.Signature = requesterKey().Sign([]byte(signedPrefix + node + transport + string(o.Manifest)))
		}),
		changed("signed with the lengths big-endian", func(o *Offer) {
			b := []byte(signedPrefix)
			for _, part := range []string{node, transport, string(o.Manifest)} {
				b = append(b, 0, 0, 0, 0, 0, 0, byte(len(part)>>8), byte(len(part)))
				b = append(b, part...)
			}
			o.Signature = requesterKey().Sign(b)
		}),
		changed("the manifest alone is signed", func(o *Offer) { o.Signature = requesterKey().Sign(o.Manifest) }),
	}
}
