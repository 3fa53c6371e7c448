package main

import (
	"plasm/lib/cli"
	"plasm/lib/cli/version"
	"plasm/lib/sandbox"
)

// engineInfoFlag makes the command say, in one line of JSON, which build it is and
// which engines its workers have. It is for plasmd, which links none.
const engineInfoFlag = "--engine-info"

// engineInfo writes {"version":…,"engines":[{"name","version","features"}]}.
func engineInfo(in *cli.Invocation) int {
	err := cli.WriteJSON(in.Stdout, sandbox.Build{
		Version: version.String(),
		Engines: []sandbox.EngineInfo{engineOfWorkers()},
	})
	if err != nil {
		return cli.Fail(in.Stderr, name, err)
	}
	return 0
}
