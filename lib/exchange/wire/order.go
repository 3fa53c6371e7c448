package wire

import (
	"slices"

	"plasm/lib/job"
	"plasm/lib/tree"
)

// Order holds the turns of one exchange: it is told of each frame, of both
// directions, as this end sees them. An end that tells it of an Accept before
// sending that, or before acting on it, sees no frame of the other's too early.
// It is not safe for concurrent use. Its errors are *BreachErrors.
type Order struct {
	offer    *Offer
	manifest *job.Manifest // of the offer, from accept on
	accept   *Accept
	want     *Want

	trees               int64 // bytes of documents that are still to come
	blobs               int64 // bytes of contents that are still to come
	folders             int64 // bytes of what the job has left that are still allowed
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
	switch {
	case !o.flows(kind):
		return o.outOfTurn(kind)
	case kind == KindTree:
		return take(&o.trees, size, "more of the trees than their documents have")
	case kind == KindModule:
		return take(&o.module, size, "more of the module than the offer's %d bytes", o.offer.ModuleBytes)
	case kind == KindBlob:
		return take(&o.blobs, size, "more contents than the %d bytes that are wanted", o.want.Bytes)
	case kind == KindFolders:
		return take(&o.folders, size, "more in folders than the manifest allows")
	case kind == KindStdin:
		if limit := o.stdinLimit(); size > limit-o.stdin {
			return breach(RuleSize, "more of stdin than %d bytes", limit)
		}
		o.stdin += size
		return nil
	}
	return take(&o.output, size, "more output than the manifest allows")
}

// take takes size from what is left, or says what is wrong.
func take(left *int64, size int64, format string, args ...any) error {
	if size > *left {
		return breach(RuleSize, format, args...)
	}
	*left -= size
	return nil
}

// flows reports whether a stream may have pieces now.
func (o *Order) flows(kind Kind) bool {
	sends := o.accept != nil && !o.cancelled // the requester
	switch kind {
	case KindTree:
		return sends && len(o.accept.Trees) > 0
	case KindModule:
		return sends && o.accept.Module && o.trees == 0
	case KindBlob:
		return sends && o.want != nil && o.module+o.trees == 0
	case KindStdin:
		return o.takesStdin()
	case KindStdout, KindStderr, KindFolders:
		return o.started && o.told == 0 && !o.over
	default:
		return false
	}
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
	case *Want:
		if o.accept == nil || !o.accept.Want || o.want != nil || o.started {
			return false, nil
		}
		return true, o.wanted(m)
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
	if err := o.asked(a); err != nil {
		return err
	}
	if err := o.acceptedTrees(m.Trees(), a); err != nil {
		return err
	}
	o.accept, o.stdin, o.manifest = a, a.StdinFrom, m
	o.folders = FoldersMost(m)
	if a.Module {
		o.module = o.offer.ModuleBytes
	}
	o.output = m.OutputLimitBytes
	if a.Attached {
		o.output -= min(o.output, o.offer.StdoutFrom)
		o.output -= min(o.output, o.offer.StderrFrom)
		o.folders -= min(o.folders, o.offer.FoldersFrom)
	}
	return nil
}

// asked checks an accept against an offer to attach or to detach.
func (o *Order) asked(a *Accept) error {
	switch {
	case (a.State != "") != (o.offer.Attach || o.offer.Detach):
		return breach(RulePayload, "accept has a state exactly where the offer says attach or detach")
	case o.offer.Attach && !a.Attached:
		return breach(RulePayload, "accept begins a job anew, and the offer was to attach to it")
	case o.offer.Attach && (a.Module || a.Stdin || a.Want || len(a.Trees) > 0):
		return breach(RulePayload, "accept asks for a part of the job, and who attaches sends none")
	}
	return nil
}

// FoldersMost returns how many bytes can come of the folders that a job writes.
func FoldersMost(m *job.Manifest) int64 { return tree.MaxStream(len(m.Outputs()), m.DiskMB<<20) }

// acceptedTrees takes note of the documents that an accept asks for.
func (o *Order) acceptedTrees(trees []job.Digest, a *Accept) error {
	at := 0
	for _, d := range a.Trees {
		i := slices.Index(trees[at:], d)
		if i < 0 {
			return breach(RulePayload, "accept asks for %s, which is no tree of the manifest, or not in its turn", d)
		}
		o.trees += o.offer.Trees[at+i].DocumentBytes
		at += i + 1
	}
	return nil
}

// wanted takes note of the contents that a want asks for.
func (o *Order) wanted(w *Want) error {
	t := o.offer.Folders()
	if int64(len(w.Blobs)) > (t.Blobs+7)/8 || w.Bytes > t.Bytes || w.From > t.Bytes-w.Bytes {
		return breach(RuleSize, "want asks for more than the %d contents of %d bytes of the offer", t.Blobs, t.Bytes)
	}
	o.want, o.blobs = w, w.Bytes
	return nil
}

func (o *Order) takesStdin() bool {
	through := o.module+o.trees+o.blobs == 0 && (o.want != nil || o.accept != nil && !o.accept.Want)
	return o.accept != nil && o.accept.Stdin && through && !o.stdinEnd && !o.cancelled
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
