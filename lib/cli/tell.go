package cli

import (
	"fmt"
	"io"
	"time"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// Report tells an error the way that the command line asks for: in words, and
// with --json as the one document on stdout. It returns the exit code.
func Report(in *Invocation, name string, err error) int {
	code := Fail(in.Stderr, name, err)
	if WantsJSON(in.Args) {
		if _, werr := in.Stdout.Write(append(job.EncodeError(AsError(err)), '\n')); werr != nil {
			_, _ = fmt.Fprintf(in.Stderr, "%s: writing the error document: %v\n", name, werr)
		}
	}
	return code
}

// TellOutcome says in words how a job ended that did not end by itself.
func TellOutcome(stderr io.Writer, name string, m *job.Manifest, o *job.Outcome, cause error) {
	say := func(format string, args ...any) {
		_, _ = fmt.Fprintf(stderr, name+": "+format+"\n", args...)
	}
	switch o.Status {
	case job.Exit:
	case job.Trap:
		say("the guest trapped: %s", o.Trap)
	case job.Timeout:
		say("the job ran out of time: %v", time.Duration(m.TimeoutMS)*time.Millisecond)
		say("hint: allow it more with --timeout")
	case job.OutOfFuel:
		say("the job ran out of fuel: %d", m.Fuel)
		say("hint: allow it more with --fuel")
	case job.OutOfMemory:
		say("the job ran out of memory: %d MB", m.MemoryMB)
		say("hint: allow it more with --memory")
	case job.OutputLimit:
		say("the job wrote too much: more than %d bytes", m.OutputLimitBytes)
		say("hint: allow it more with --output-limit")
	case job.Cancelled:
		say("the job was cancelled: %s", oneLine(fmt.Sprint(cause)))
		if e := AsError(cause); e.Hint != "" {
			say("hint: %s", oneLine(e.Hint))
		}
	case job.EngineFailed:
		say("the engine failed: %s", oneLine(fmt.Sprint(cause)))
	}
}

// LoadKey returns the user's key, which is made on first use.
func (j *JobFlags) LoadKey(in *Invocation) (*identity.Key, error) {
	path := j.Key
	if path == "" {
		var err error
		if path, err = identity.DefaultPath(in.Getenv); err != nil {
			return nil, err
		}
	}
	key, _, err := identity.LoadOrCreate(path, in.Getenv("CREDENTIALS_DIRECTORY"))
	return key, err
}
