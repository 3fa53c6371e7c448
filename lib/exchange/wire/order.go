package wire

import "plasm/lib/job"

// Order holds the turns of one exchange: it is told of each frame, of both
// directions, as this end sees them. An end that tells it of an Accept before
// sending that, or before acting on it, sees no frame of the other's too early.
// It is not safe for concurrent use. Its errors are *BreachErrors.
type Order struct {
	offer  *Offer
	accept *Accept

	module              int64 // bytes of the module that are still to come
	stdin               int64 // bytes of the input that have come, with those before stdin_from
	stdinEnd, cancelled bool

	started bool
	told    Kind  // cause or trace, which has come: result is next
	output  int64 // bytes of stdout and stderr that are still allowed
	over    bool  // result or reject has come
}

// Over reports whether the node has said its last word.
func (o *Order) Over() bool { return o.over }

// Cancelled reports whether the requester has cancelled.
func (o *Order) Cancelled() bool { return o.cancelled }

// Data takes note of a piece of n bytes of a stream.
func (o *Order) Data(kind Kind, n int) error {
	size := int64(n)
	switch kind {
	case KindModule:
		if o.accept == nil || !o.accept.Module || o.cancelled {
			return o.outOfTurn(kind)
		}
		if size > o.module {
			return breach(RuleSize, "more of the module than the offer's %d bytes", o.offer.ModuleBytes)
		}
		o.module -= size
	case KindStdin:
		if !o.takesStdin() {
			return o.outOfTurn(kind)
		}
		if limit := o.stdinLimit(); size > limit-o.stdin {
			return breach(RuleSize, "more of stdin than %d bytes", limit)
		}
		o.stdin += size
	case KindStdout, KindStderr:
		if !o.started || o.told != 0 || o.over {
			return o.outOfTurn(kind)
		}
		if size > o.output {
			return breach(RuleSize, "more output than the manifest allows")
		}
		o.output -= size
	default:
		return o.outOfTurn(kind)
	}
	return nil
}

// Message takes note of a message.
func (o *Order) Message(m Message) error {
	ok, err := false, error(nil)
	switch m := m.(type) {
	case Ping:
		ok = true
	case *Offer, StdinEnd, Cancel:
		ok, err = o.fromRequester(m)
	default:
		if o.offer != nil && !o.over {
			ok, err = o.fromNode(m)
		}
	}
	if !ok {
		return o.outOfTurn(m.Kind())
	}
	return err
}

// fromRequester reports whether it is the turn of m, and what else is wrong.
func (o *Order) fromRequester(m Message) (bool, error) {
	switch m := m.(type) {
	case *Offer:
		if o.offer != nil {
			return false, nil
		}
		o.offer = m
	case Cancel:
		if o.offer == nil || o.cancelled {
			return false, nil
		}
		o.cancelled = true
	default: // StdinEnd
		if !o.takesStdin() {
			return false, nil
		}
		return true, o.endStdin()
	}
	return true, nil
}

// fromNode is fromRequester for what answers an offer.
func (o *Order) fromNode(m Message) (bool, error) {
	switch m := m.(type) {
	case *Queued:
		return o.accept == nil, nil
	case *Accept:
		if o.accept != nil {
			return false, nil
		}
		return true, o.accepted(m)
	case *Started:
		if o.accept == nil || o.started {
			return false, nil
		}
		o.started = true
	case *Cause, *Trace:
		first := o.started && o.told == 0
		if first {
			o.told = m.Kind()
		}
		return first, nil
	case *Result:
		o.over = o.started
		return o.started, nil
	default: // *Reject
		o.over = true
	}
	return true, nil
}

// accepted takes note of what an accept asks for.
func (o *Order) accepted(a *Accept) error {
	m, err := o.offer.DecodeManifest()
	if err != nil {
		return breach(RulePayload, "accept for a bad manifest: %v", err)
	}
	if n := o.offer.StdinBytes; n != StdinUnknown && a.Stdin && a.StdinFrom >= n {
		return breach(RuleSize, "accept asks for stdin from byte %d of %d", a.StdinFrom, n)
	}
	o.accept, o.stdin = a, a.StdinFrom
	if a.Module {
		o.module = o.offer.ModuleBytes
	}
	o.output = m.OutputLimitBytes
	if a.Attached {
		o.output -= min(o.output, o.offer.StdoutFrom)
		o.output -= min(o.output, o.offer.StderrFrom)
	}
	return nil
}

func (o *Order) takesStdin() bool {
	return o.accept != nil && o.accept.Stdin && o.module == 0 && !o.stdinEnd && !o.cancelled
}

// stdinLimit is how long the whole input may be.
func (o *Order) stdinLimit() int64 {
	if o.offer.StdinBytes == StdinUnknown {
		return job.MaxSafeInt
	}
	return o.offer.StdinBytes
}

func (o *Order) endStdin() error {
	if n := o.offer.StdinBytes; n != StdinUnknown && o.stdin != n {
		return breach(RuleSize, "stdin ends after %d bytes of %d", o.stdin, n)
	}
	o.stdinEnd = true
	return nil
}

// outOfTurn makes the error for a frame that may not come now.
func (o *Order) outOfTurn(kind Kind) error {
	after := "before the offer"
	switch {
	case o.over:
		after = "after the last frame"
	case o.cancelled:
		after = "after cancel"
	case o.told != 0:
		after = "after " + o.told.String()
	case o.started:
		after = "after started"
	case o.accept != nil:
		after = "after accept"
	case o.offer != nil:
		after = "before accept"
	}
	return breach(RuleTurn, "%s %s", kind, after)
}
