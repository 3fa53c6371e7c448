//go:build unix && !linux

package limit

// checkSystem checks nothing: there is no count of the user's threads to be had.
func (Need) checkSystem(string) error { return nil }
