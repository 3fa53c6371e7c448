// Package version has the version of this build. It is apart from package cli so that
// a worker of another engine, which says it, does not start the parser of a command line.
package version

// version is set by the linker: -X plasm/lib/cli/version.version=….
var version = "dev"

// String returns the version of this build, as --version prints it and receipts carry
// it: "dev" where the linker was told none.
func String() string { return version }
