// Gate runs what is checked of this repository, stage by stage, and says what came of it.
//
//	gate test           everything that CI checks
//	gate check          what needs nothing but Go, for every day
//	gate go ARGUMENT…   go test with these arguments: failed tests whole, and how to run each of them again
//
// A stage says what it needs of the machine, and each need is tried by doing it. What
// this machine cannot do is left out, and named with its reason in the last lines; in
// gate test it is a failure where CI or STRICT is set.
//
// The stages run one after the other, all of them, whatever came of those before. What
// they print is in coverage/gate, a file for each; on failure the screen ends with what
// the failed tests themselves printed, the command that runs just each of them, and the
// names of the failed stages.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout))
}

// strict says whether leaving something out is a failure.
func strict(getenv func(string) string) bool {
	ci := getenv("CI")
	return ci != "" && ci != "false" && ci != "0" || getenv("STRICT") != ""
}

func run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) int {
	if len(args) > 0 && args[0] == "go" {
		return runGo(ctx, args[1:], getenv, stdout)
	}
	if len(args) == 1 {
		if list, ok := plans()[args[0]]; ok {
			g := gate{stages: list, strict: args[0] == "test" && strict(getenv), logs: "coverage/gate", out: stdout}
			return g.run(ctx)
		}
	}
	_, _ = fmt.Fprintln(stdout, "gate: want one of: test, check, go ARGUMENT…")
	return 2
}
