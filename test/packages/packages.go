// Package packages tests what `make package` builds: what is in the packages, and
// their life on machines, from installation to purge. scripts/test-package builds
// what it needs and runs the tests; without that there is nothing to test here.
package packages
