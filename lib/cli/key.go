package cli

import (
	"fmt"

	"plasm/lib/identity"
)

// LoadKey returns the user's key, which is made on first use. Where --key or PLASM_KEY names
// the file, stderr is told of a new one: the name may be mistyped.
func (j *JobFlags) LoadKey(in *Invocation) (*identity.Key, error) {
	path := j.Key
	if path == "" {
		var err error
		if path, err = identity.DefaultPath(in.Getenv); err != nil {
			return nil, err
		}
	}
	key, made, err := identity.LoadOrCreate(path, in.Getenv("CREDENTIALS_DIRECTORY"))
	if made && j.Key != "" {
		_, _ = fmt.Fprintf(in.Stderr, "%s: made a new key: %s\n", j.flags.program(), OneLine(path))
	}
	if err != nil && j.Key != "" {
		err = j.flags.About("key", err)
	}
	return key, err
}
