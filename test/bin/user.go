package bin

import (
	"os"
	"runtime"
)

// AsUser returns a command that runs another one as a user without root's rights, for
// whom what pages show is: where root runs the tests, one who owns what root does, in a
// user namespace. Else it is the command itself.
func AsUser(command ...string) []string {
	if os.Geteuid() != 0 || runtime.GOOS != "linux" {
		return command
	}
	return append([]string{"unshare", "--user", "--map-user=1000", "--map-group=1000"}, command...)
}
