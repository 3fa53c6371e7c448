package job

import "slices"

// Guards returns what can confine a worker, a closed set, in its order:
// a process of its own; resource limits; a process that nobody can attach to or
// dump; death with its parent; no inherited descriptors; no new privileges;
// Landlock; a system-call filter.
func Guards() []string { return Names(GuardWords()) }

// ValidGuard reports whether g is one of Guards.
func ValidGuard(g string) bool { return slices.Contains(Guards(), g) }
