package wire

import (
	"encoding/base64"

	"plasm/lib/job"
)

// ticketOffer is an offer to attach to the sample, or to detach from it.
func ticketOffer(attach bool) *Offer {
	o := plainOffer()
	o.Attach, o.Detach = attach, !attach
	if attach {
		o.ModuleBytes, o.StdinBytes = 0, StdinUnknown
	}
	return o
}

// ticketCases are exchanges of requesters that leave their job at the node, and come back.
func ticketCases() []*exchange {
	there := func(s State) *Accept { return &Accept{Attached: true, State: s, KeepMS: 86_400_000} }
	rest := ticketOffer(true)
	rest.StdoutFrom = 1
	anew, greedy := there(Running), there(Waiting)
	anew.Attached, greedy.Module = false, true
	sized := `{"requester":"` + requesterKey().PeerID() + `","manifest":"e30=","signature":"` +
		base64.StdEncoding.EncodeToString(plainOffer().Signature) + `","attach":true,"module_bytes":1}`
	return []*exchange{
		valid("left to the node").say(ticketOffer(false), &Accept{Module: true, State: Waiting, KeepMS: 86_400_000}).
			data(KindModule, sampleModule).say(&Started{}),
		valid("attached with a ticket").say(ticketOffer(true), there(Running), &Started{RunningMS: 1200}).
			data(KindStdout, sampleStdout).say(anyResult()),
		valid("attached with a ticket to what had ended, from a byte on").say(rest, there(Ended),
			&Started{RunningMS: 2}).
			data(KindStdout, "i\n").say(anyResult()),
		valid("attached with a ticket to a job that is queued").say(ticketOffer(true), &Queued{Position: 1},
			there(Waiting), &Started{}, anyResult()),
		valid("a ticket's job that the node does not know").say(ticketOffer(true),
			&Reject{job.Rejection{Code: job.RejectUnknownJob, Message: "no such job"}}),
		fault(RulePayload, "offer: attach and a size").text(KindOffer, sized),
		fault(RulePayload, "accept begins a job anew that is to be attached to").say(ticketOffer(true), anew),
		fault(RulePayload, "accept asks for the module of such a job").say(ticketOffer(true), greedy),
		fault(RulePayload, "accept tells such a requester no state").say(ticketOffer(true), attached()),
		fault(RulePayload, "accept tells a state that was not asked for").say(plainOffer(), there(Ended)),
		fault(RulePayload, "accept: unknown state").say(ticketOffer(true)).
			text(KindAccept, `{"module":false,"stdin":false,"stdin_from":0,"attached":true,"state":"lost"}`),
	}
}
