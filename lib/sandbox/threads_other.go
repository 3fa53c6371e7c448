//go:build unix && !linux

package sandbox

// threads does nothing where the limits of another process cannot be set.
type threads struct{ allowed uint64 }

func (*threads) bound(int) {}
