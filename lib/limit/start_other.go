//go:build unix && !linux

package limit

// lacksSystem finds nothing: there is no count of the user's threads to be had.
func (*Need) lacksSystem() lack { return lack{} }
