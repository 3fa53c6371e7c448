package cli

import (
	"fmt"

	"plasm/lib/identity"
)

// LoadKey returns the user's key, which is made on first use. That one is made which the
// command line names is said: it may be mistyped.
func (j *JobFlags) LoadKey(in *Invocation) (*identity.Key, error) {
	path := j.Key
	if path == "" {
		var err error
		if path, err = identity.DefaultPath(in.Getenv); err != nil {
			return nil, err
		}
	}
	key, made, err := identity.LoadOrCreate(path, in.Getenv("CREDENTIALS_DIRECTORY"))
	if made && j.flags.Origin("key") == "--key" && j.flags.Changed("key") { // which may be mistyped
		_, _ = fmt.Fprintf(in.Stderr, "%s: made a new key: %s\n", j.flags.program(), OneLine(path))
	}
	return key, err
}
