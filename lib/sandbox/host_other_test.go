//go:build !linux

package sandbox

// noCode cannot keep a program from making memory executable.
func noCode([]string) int { return 1 }
