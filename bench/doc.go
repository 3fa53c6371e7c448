// Package bench holds the benchmarks of the commands as their users run them:
// each figure is a ratio against something measured in the same run, or a bound
// that does not depend on how fast the machine is. A figure that misses its
// target fails its benchmark. docs/performance.md explains the results.
package bench
