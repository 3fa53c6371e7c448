package serve

import (
	"crypto/ed25519"
	"errors"

	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// Sound returns the store.Config.Sound of a node: a result is sound when the node's
// key signed its receipt, for that requester and that manifest.
func Sound(key *identity.Key) func(requester string, manifest, envelope []byte) (stdout, stderr job.Digest, err error) {
	return func(requester string, manifest, envelope []byte) (stdout, stderr job.Digest, err error) {
		v, err := receipt.Verify(envelope, []ed25519.PublicKey{key.Public()})
		if err != nil {
			return "", "", err
		}
		m, err := job.DecodeManifest(manifest)
		switch {
		case err != nil:
			return "", "", err
		case v.Requester != requester:
			return "", "", errors.New("the receipt is another requester's")
		case !v.Manifest.Equal(m):
			return "", "", errors.New("the receipt is for another manifest")
		}
		return v.Stdout, v.Stderr, nil
	}
}
