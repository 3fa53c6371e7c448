package network

import (
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// Key is something that hosts announce themselves for in the DHT, such as
// "arch=amd64". Any string may be a key; lib/capability has those in use.
type Key string

// keyPrefix keeps our keys apart from anything else that is hashed.
const keyPrefix = "plasm-capability/1 "

// CID returns the name of k in the DHT; the package comment says how it is made.
func (k Key) CID() (cid.Cid, error) {
	digest, err := multihash.Sum([]byte(keyPrefix+string(k)), multihash.SHA2_256, -1)
	if err != nil {
		return cid.Undef, err
	}
	return cid.NewCidV1(cid.Raw, digest), nil
}
