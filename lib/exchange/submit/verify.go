package submit

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// errAgain says that output which was put together from several connections isn't
// what the receipt says: all of it is to be asked for again.
var errAgain = &failure{}

// verify checks all that there is to check of a result, before anything of it is
// released.
func (a *attempt) verify(envelope []byte) (*receipt.Verified, *failure) {
	v, err := a.check(envelope)
	if err == nil {
		return v, nil
	}
	if own, ok := errors.AsType[*job.Error](err); ok {
		return nil, local(own)
	}
	if refusal, ok := errors.AsType[*receipt.RefusalError](err); ok && a.resumed && !a.outputs.live &&
		(refusal.Reason == receipt.WrongStdout || refusal.Reason == receipt.WrongStderr) {
		return nil, errAgain
	}
	if _, ok := errors.AsType[*foldersError](err); ok && a.resumed {
		return nil, errAgain
	}
	f := failed(tryOther, job.CodeUnverified, "its result does not verify: %s", oneLine(err))
	f.leave = true
	return nil, f
}

// check returns the verified statement, or why it isn't one. An error that is a
// *job.Error is about this side.
func (a *attempt) check(envelope []byte) (*receipt.Verified, error) {
	key, err := identity.ParsePeerID(a.c.id)
	if err != nil {
		return nil, err
	}
	v, err := receipt.Verify(envelope, []ed25519.PublicKey{key}) // and so by the node that was dialled
	if err != nil {
		return nil, err
	}
	m := a.job.Manifest
	if err := v.Check(&receipt.Expect{Manifest: m}); err != nil {
		return nil, err
	}
	if me := a.cfg.Key.PeerID(); v.Requester != me {
		return nil, fmt.Errorf("requester: the receipt is about a job of %s, not of %s", orNobody(v.Requester), me)
	}
	if err := a.checkInput(v); err != nil {
		return nil, err
	}
	err = v.Check(&receipt.Expect{
		Stdout: []receipt.Content{a.outputs.stdout.content()},
		Stderr: []receipt.Content{a.outputs.stderr.content()},
		Guards: a.cfg.Guards,
	})
	if err != nil {
		return nil, err
	}
	if err := a.outputs.left.check(v.Outcome.Dirs); err != nil {
		return nil, err
	}
	switch {
	case m.Arch != "" && v.Node.Arch != m.Arch:
		return nil, fmt.Errorf("arch: it ran on %s, not %s", v.Node.Arch, m.Arch)
	case m.Engine != "" && v.Node.Engine.Name != m.Engine:
		return nil, fmt.Errorf("engine: it ran on %s, not %s", v.Node.Engine.Name, m.Engine)
	}
	return v, nil
}

// checkInput compares what the program is said to have been given with what was
// sent: all of it, or the beginning where the job was cut short or its input was
// not known before.
func (a *attempt) checkInput(v *receipt.Verified) error {
	o := v.Outcome
	cut := !a.job.inputKnown() || slices.Contains([]job.Status{job.Timeout, job.Cancelled, job.EngineFailed}, o.Status)
	if a.cfg.only == attach { // how much it is nobody knows, but for its digest
		if !cut && (o.StdinHash != a.job.Manifest.StdinHash || !o.StdinComplete) {
			return fmt.Errorf("stdin: the program was given %s, %d bytes, which is not all of its input", o.StdinHash,
				o.StdinBytes)
		}
		return nil
	}
	if !cut && (o.StdinBytes != a.job.StdinBytes || !o.StdinComplete) {
		return fmt.Errorf("stdin: the program was given %d bytes of %d", o.StdinBytes, a.job.StdinBytes)
	}
	digest, can, err := a.p.input.digest(o.StdinBytes)
	if err != nil {
		return err
	}
	if can && digest != o.StdinHash {
		return fmt.Errorf("stdin: the receipt is about %s, %d bytes, and that was not sent", o.StdinHash, o.StdinBytes)
	}
	return nil
}

func orNobody(id string) string {
	if id == "" {
		return "nobody"
	}
	return id
}
