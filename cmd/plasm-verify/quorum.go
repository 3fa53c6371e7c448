package main

import (
	"plasm/lib/receipt"
)

// agreement holds the receipt against those of others: enough that are trusted must have
// signed the same. One that is not trusted, or that verifies otherwise, does not count.
func (o *options) agreement(e *evidence, verified *receipt.Verified) error {
	var others []*receipt.Verified
	for _, envelope := range append(e.received.others, e.more...) {
		one, err := receipt.Verify(envelope, e.trusted)
		if err != nil {
			continue
		}
		if err := one.Check(&receipt.Expect{Guards: e.expect.Guards}); err != nil {
			return err
		}
		others = append(others, one)
	}
	return verified.CheckQuorum(int(o.quorum), others)
}
