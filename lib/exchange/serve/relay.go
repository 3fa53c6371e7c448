package serve

import (
	"plasm/lib/exchange/wire"
	"plasm/lib/job"
)

// What a piece of output, however small, takes of a relay besides: the headers of the
// frame, of the stream and of the encrypted record.
const relayFrame = 64 // bytes

// overRelay says whether what a job still needs is too much for the connection.
// What it will write is not known; sendOutput looks to that. It is called once.
func (x *session) overRelay(a *wire.Accept) (r *job.Rejection) {
	x.budget, r = x.offer.OverRelay(x.budget, a)
	return r
}
