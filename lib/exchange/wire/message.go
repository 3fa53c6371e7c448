package wire

import (
	"bytes"
	"encoding/json"
	"errors"

	"plasm/lib/job"
)

// Message is what a frame says that carries no piece of a stream: *Offer,
// *Queued, *Accept, *Want, *Reject, *Started, *Cause, *Trace, *Result, StdinEnd, Cancel or Ping.
type Message interface {
	Kind() Kind
}

// Queued says that a node has no room at the moment and keeps the offer in its
// queue. It may come again as the place changes.
type Queued struct {
	Position int64 `json:"position"` // 1 to MaxPosition: 1 is the next to be accepted
	WaitMS   int64 `json:"wait_ms"`  // 0 to job.MaxTimeout milliseconds that the node expects it to take
}

// MaxPosition is the highest place in a queue.
const MaxPosition = 1_000_000

// Accept says that a node holds a slot for the job, and what it still needs of it.
type Accept struct {
	Module    bool  `json:"module"`     // whether the module must be sent: all of it
	Stdin     bool  `json:"stdin"`      // whether input must be sent
	StdinFrom int64 `json:"stdin_from"` // the byte from which: more than 0 only with Stdin and Attached
	Attached  bool  `json:"attached"`   // whether the node has known the job before: it waits, runs, or has ended

	Want  bool         `json:"want,omitempty"`  // whether a want follows, which says what contents must be sent
	Trees []job.Digest `json:"trees,omitempty"` // whose documents must be sent, in the order of the manifest's Trees

	State State `json:"state,omitempty"` // there exactly when the offer says attach or detach
	// 1 to MaxKeep: how long the result is kept at most, from now on if the job has ended, else
	// from its end on; 0: not told
	KeepMS int64 `json:"keep_ms,omitempty"`
}

// State is how far a job has come at a node.
type State string

// The states, a closed set.
const (
	Waiting State = "waiting" // for a slot, or to be started
	Running State = "running"
	Ended   State = "ended"
)

// MaxKeep is the longest that a node says it keeps a result: 100 years in milliseconds.
const MaxKeep = 100 * 365 * 24 * 3_600_000

// Want says which contents of a job's trees a node still needs.
type Want struct {
	// at most 200,000 bytes: a bit for each content, the lowest bit of the first byte first; those
	// that aren't there are 0
	Blobs []byte
	From  int64 // 0 to job.MaxSafeInt: bytes of the first that the node has already
	Bytes int64 // 0 to job.MaxSafeInt: how much is to come
}

// wantDocument is a Want as it is written.
type wantDocument struct {
	Blobs []byte `json:"blobs"`
	From  int64  `json:"from"`
	Bytes int64  `json:"bytes"`
}

// maxBits is how many bytes have a bit for each content that a job can have.
const maxBits = job.MaxDirs * job.MaxEntries / 8

// Wants reports whether the content of that place is wanted.
func (w *Want) Wants(i int) bool { return i/8 < len(w.Blobs) && w.Blobs[i/8]&(1<<(i%8)) != 0 }

// Reject says that a node doesn't take the job, or gives it up.
type Reject struct {
	job.Rejection
}

// Started says that the guest's first instruction may have run.
type Started struct {
	RunningMS int64 `json:"running_ms"` // 0 to job.MaxTimeout: for how long; of a job that has ended, how long it ran
}

// Cause says why the node has ended a job that had started: its disk is full, its memory,
// it shuts down. Nothing signs it: the status is in the receipt.
type Cause struct {
	job.Rejection
}

// Trace says in which functions a program has trapped, the innermost first, as job.CheckTrace
// wants them and at least one. Nothing signs it: it is the word of the node's worker.
type Trace struct {
	Functions []string `json:"functions"`
}

// Result is the end of a job that started.
type Result struct {
	Receipt []byte // the envelope, 1 to job.MaxEnvelope bytes; nothing about it has been checked
}

// StdinEnd is the end of the input.
type StdinEnd struct{}

// Cancel ends the job, however far it has come.
type Cancel struct{}

// Ping says that an end is alive.
type Ping struct{}

// Kind returns KindOffer.
func (*Offer) Kind() Kind { return KindOffer }

// Kind returns KindQueued.
func (*Queued) Kind() Kind { return KindQueued }

// Kind returns KindAccept.
func (*Accept) Kind() Kind { return KindAccept }

// Kind returns KindWant.
func (*Want) Kind() Kind { return KindWant }

// Kind returns KindReject.
func (*Reject) Kind() Kind { return KindReject }

// Kind returns KindStarted.
func (*Started) Kind() Kind { return KindStarted }

// Kind returns KindCause.
func (*Cause) Kind() Kind { return KindCause }

// Kind returns KindTrace.
func (*Trace) Kind() Kind { return KindTrace }

// Kind returns KindResult.
func (*Result) Kind() Kind { return KindResult }

// Kind returns KindStdinEnd.
func (StdinEnd) Kind() Kind { return KindStdinEnd }

// Kind returns KindCancel.
func (Cancel) Kind() Kind { return KindCancel }

// Kind returns KindPing.
func (Ping) Kind() Kind { return KindPing }

// Encode returns the payload of m's frame: JSON on one line. It refuses what
// Decode would refuse to read.
func Encode(m Message) ([]byte, error) {
	var payload []byte
	switch m := m.(type) {
	case *Result:
		payload = m.Receipt
	case StdinEnd, Cancel, Ping:
	case *Offer:
		payload = compact(m.document())
	case *Want:
		payload = compact(wantDocument{append([]byte{}, m.Blobs...), m.From, m.Bytes}) // never null
	default:
		payload = compact(m)
	}
	r, ok := m.Kind().rule()
	if !ok || len(payload) < r.min || len(payload) > r.max {
		return nil, breach(RuleLength, "%s of %d bytes, not %d to %d", m.Kind(), len(payload), r.min, r.max)
	}
	if _, err := Decode(m.Kind(), payload); err != nil {
		return nil, err
	}
	return payload, nil
}

// compact writes v as one line of JSON without an end of line.
func compact(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil // a need or have that is of no type of a document's; refused as too short
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Decode reads the payload of a frame that carries a message. An error is a
// *BreachError.
func Decode(kind Kind, payload []byte) (Message, error) {
	m, err := decode(kind, payload)
	if _, ok := errors.AsType[*BreachError](err); err != nil && !ok {
		err = breach(RulePayload, "%s: %v", kind, err)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

func decode(kind Kind, payload []byte) (Message, error) {
	r, ok := kind.rule()
	switch {
	case !ok || kind.IsData():
		return nil, breach(RuleKind, "%s carries no message", kind)
	case len(payload) < r.min || len(payload) > r.max:
		return nil, breach(RuleLength, "%s of %d bytes, not %d to %d", kind, len(payload), r.min, r.max)
	}
	switch kind {
	case KindStdinEnd:
		return StdinEnd{}, nil
	case KindCancel:
		return Cancel{}, nil
	case KindPing:
		return Ping{}, nil
	case KindResult:
		return &Result{Receipt: payload}, nil
	case KindReject, KindCause:
		rejection, err := job.DecodeRemoteRejection(payload)
		if err != nil {
			return nil, err
		}
		if kind == KindCause {
			return &Cause{*rejection}, nil
		}
		return &Reject{*rejection}, nil
	default:
		return decodeObject(kind, payload)
	}
}

// decodeObject reads the messages whose members are all known.
func decodeObject(kind Kind, payload []byte) (Message, error) {
	v, err := job.Parse(payload)
	if err != nil {
		return nil, err
	}
	f := job.NewFields(v, kind.String())
	var m Message
	switch kind {
	case KindOffer:
		m = offerFrom(f)
	case KindQueued:
		m = &Queued{Position: f.Int("position", 1, MaxPosition), WaitMS: f.Int("wait_ms", 0, job.MaxTimeout)}
	case KindAccept:
		m = acceptFrom(f)
	case KindTrace:
		m = traceFrom(f)
	case KindWant:
		m = wantFrom(f)
	default:
		m = &Started{RunningMS: f.Int("running_ms", 0, job.MaxTimeout)}
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return m, nil
}

func acceptFrom(f *job.Fields) *Accept {
	a := &Accept{
		Module: f.Bool("module"), Stdin: f.Bool("stdin"), Want: f.BoolOr("want", false),
		StdinFrom: f.Int("stdin_from", 0, job.MaxSafeInt), Attached: f.Bool("attached"),
		KeepMS: f.IntOr("keep_ms", 0, 1, MaxKeep),
	}
	if f.Has("state") {
		a.State = State(f.OneOf("state", string(Waiting), string(Running), string(Ended)))
	}
	for i, d := range f.OptStrs("trees") {
		if !job.Digest(d).Valid() || i == job.MaxDirs {
			f.Fail("trees", "%d of them, %s among them", i+1, job.Quote(d))
			break
		}
		a.Trees = append(a.Trees, job.Digest(d))
	}
	if a.StdinFrom > 0 && (!a.Stdin || !a.Attached) {
		f.Fail("stdin_from", "%d goes with stdin and attached", a.StdinFrom)
	}
	return a
}

// traceFrom reads a Trace.
func traceFrom(f *job.Fields) *Trace {
	t := &Trace{Functions: f.Strs("functions")}
	if e, ok := errors.AsType[*job.FieldError](job.CheckTrace("functions", t.Functions)); ok {
		f.Fail(e.Path, "%s", e.Problem)
	}
	return t
}

func wantFrom(f *job.Fields) *Want {
	return &Want{
		Blobs: binaryFrom(f, "blobs", 0, maxBits), From: f.Int("from", 0, job.MaxSafeInt),
		Bytes: f.Int("bytes", 0, job.MaxSafeInt),
	}
}
