package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"

	"plasm/lib/cli"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// verdict is the document that --json writes; schemas/verdict.schema.json.
type verdict struct {
	Index    int64          `json:"index,omitempty"` // of an item of a batch
	Label    string         `json:"label,omitempty"`
	Verified bool           `json:"verified"`
	Reason   receipt.Reason `json:"reason,omitempty"`
	Message  string         `json:"message,omitempty"`
	Hint     string         `json:"hint,omitempty"`
	Signer   string         `json:"signer,omitempty"` // once its signature was checked
	Checks   []checked      `json:"checks"`
}

// checked is what became of one check.
type checked struct {
	Check   receipt.Reason `json:"check"`
	Of      receipt.Part   `json:"of,omitempty"`
	Verdict string         `json:"verdict"`
}

// What may become of a check.
const (
	passed  = "passed"
	failed  = "failed"
	skipped = "skipped" // not asked for, or another had failed before
)

// judge comes to a verdict: refusal is nil when all checks have passed, and
// verified is nil when the signature was not even right.
func (o *options) judge(in *cli.Invocation,
	e *evidence,
) (verified *receipt.Verified, refusal *receipt.RefusalError, err error) {
	if e.received.refusal != nil {
		return nil, e.received.refusal, nil
	}
	verified, err = receipt.Verify(e.received.envelope, e.trusted)
	if err == nil {
		err = verified.Check(&e.expect)
	}
	if err == nil && o.print != "" && o.print != printStatement && e.printable == nil {
		return nil, nil,
			cli.Usage(name, "--print %s: a receipt has no output in it; give a result document, or --%s FILE", o.print,
				o.print)
	}
	if err == nil && o.quorum > 0 {
		err = o.agreement(e, verified)
	}
	if err == nil && o.rerun {
		err = o.repeat(in, e, verified)
	}
	if refusal, ok := errors.AsType[*receipt.RefusalError](err); ok {
		if verified != nil {
			e.explain(refusal, verified)
		}
		return verified, refusal, nil
	}
	return verified, nil, err
}

// asks reports which checks the command line asks for.
func (o *options) asks(e *evidence) func(receipt.Reason) bool {
	return func(reason receipt.Reason) bool {
		switch reason {
		case receipt.WrongModule, receipt.WrongManifest, receipt.WrongStdin, receipt.WrongStdout, receipt.WrongStderr,
			receipt.WrongDirs, receipt.MissingGuards, receipt.WrongOutcome:
			return e.expect.Asks(reason)
		case receipt.WrongQuorum:
			return o.quorum > 0
		case receipt.NotRepeatable, receipt.WrongRerun:
			return o.rerun
		default:
			return true
		}
	}
}

// become fills in what the checks have come to.
func (v *verdict) become(refusal *receipt.RefusalError, verified *receipt.Verified, asks func(receipt.Reason) bool) {
	v.Verified = refusal == nil
	if verified != nil {
		v.Signer = verified.Node.PeerID
	}
	if refusal != nil {
		v.Reason, v.Message = refusal.Reason, refusal.Detail
	}
	done := false
	for _, c := range receipt.Checks() {
		became := passed
		switch {
		case done || !asks(c.Reason):
			became = skipped
		case refusal != nil && c.Reason == refusal.Reason && c.Of == refusal.Of:
			became, done = failed, true
		}
		v.Checks = append(v.Checks, checked{Check: c.Reason, Of: c.Of, Verdict: became})
	}
}

// about is what messages about the verdict begin with.
func (v *verdict) about() string {
	switch {
	case v.Index == 0:
		return name
	case v.Label == "":
		return fmt.Sprintf("%s: item %d", name, v.Index)
	}
	return fmt.Sprintf("%s: item %d (%s)", name, v.Index, v.Label)
}

// explain adds what helps a person who meets a refusal.
func (o *options) explain(in *cli.Invocation, v *verdict, e *evidence) {
	switch {
	case e.received.failed != nil:
		v.Hint = e.received.failed.Hint
	case v.Reason == receipt.Untrusted && len(e.trusted) == 0:
		v.Message = "no trusted signer was given"
		v.Hint = o.claims(in.Stderr, v, e.received.envelope)
	case v.Reason == receipt.WrongOutcome && o.print != "" && len(o.expectExit) == 0:
		v.Hint = "--print expects exit code 0; --any-outcome prints whatever happened"
	}
	cli.Fail(in.Stderr, v.about(), &job.Error{
		Code: job.CodeUnverified, Message: fmt.Sprintf("not verified: %s: %s", v.Reason, v.Message), Hint: v.Hint,
	})
}

// tell writes what the command line asks for: data to stdout, or else a word of
// success to stderr.
func (o *options) tell(in *cli.Invocation, v *verdict, verified *receipt.Verified, e *evidence) error {
	var err error
	switch {
	case o.json:
		err = cli.WriteJSON(in.Stdout, v)
	case !v.Verified:
	case o.print == printStatement:
		_, err = in.Stdout.Write(verified.Payload)
	case o.show:
		err = o.showVerified(in.Stdout, v, verified.Statement)
	case o.print != "":
		err = printSpool(in.Stdout, e.printable)
	default:
		_, _ = fmt.Fprintf(in.Stderr, "%s: verified: job %s, %s, run by %s\n",
			v.about(), verified.Manifest.ID, receipt.Ending(verified.Outcome), o.names.Shown(v.Signer))
	}
	if err != nil {
		return fileError("standard output", err)
	}
	return nil
}

func printSpool(w io.Writer, s *cli.Spool) error {
	r, err := s.Reader()
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return err
}

// claims shows what an envelope says about itself to somebody who has not said
// whom to trust, and returns a hint: the flag that would do, when the node that
// it names really signed it.
func (o *options) claims(stderr io.Writer, v *verdict, envelope []byte) (hint string) {
	hint = "say whose word counts with --signer PEERID or --trust FILE"
	s, err := receipt.Claims(envelope)
	if err != nil {
		return hint
	}
	_, _ = fmt.Fprintf(stderr, "%s: it claims, and nothing of this is verified: job %s, module %s, %s, run by %s\n",
		name, s.Manifest.ID, s.Manifest.ModuleHash, receipt.Ending(s.Outcome), s.Node.PeerID)
	if o.show {
		o.showUnverified(stderr, v, s)
	}
	key, err := identity.ParsePeerID(s.Node.PeerID)
	if err != nil {
		return hint
	}
	if _, err := receipt.Verify(envelope, []ed25519.PublicKey{key}); err != nil {
		return "the node that it names did not sign it: trust nothing of it"
	}
	return "if you know that node and believe it, add --signer " + s.Node.PeerID
}
