package cli

import "plasm/lib/identity"

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
