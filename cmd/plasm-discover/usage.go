package main

import "plasm/lib/cli"

// doc is what the help and the manual page say beside the flags.
func doc() cli.Doc {
	return cli.Doc{
		Name: name, Section: 1, Level: "warn", Mixed: true,
		Summary:  "find nodes that can run a job",
		Synopsis: []string{"[flags]"},
		About: []string{
			"Finds nodes that can run a job, and prints each as it is found, nearest first within what has arrived: " +
				"as a line of JSON, and on a terminal as one of a table. With no flags it finds the nodes of the " +
				"local network and one on this machine; across networks it needs an address.",
			"It ends when every look-up and answer is through, at --limit or at --timeout.",
		},
		Exit: []cli.Term{
			{Name: "0", Text: "at least one node was found"},
			{Name: "125", Text: "plasm failed or was used wrongly"},
			{Name: "127", Text: "no node was found that fits"},
			{Name: "128+n", Text: "ended by signal n"},
			{Name: "141", Text: "stdout was closed"},
		},
		Environment: []cli.Term{{
			Name: cli.TrustVariable,
			Text: "the trust file whose names the table has; by default your own",
		}},
		Files: []cli.Term{
			{
				Name: "$XDG_CONFIG_HOME/plasm/trust",
				Text: "names of nodes, for the table; $XDG_CONFIG_HOME is by default ~/.config",
			},
			{
				Name: "$XDG_CACHE_HOME/plasm/peers",
				Text: "the peers that answered last time; $XDG_CACHE_HOME is by default ~/.cache",
			},
		},
		Examples: []string{
			"plasm-discover",
			"plasm-discover --bootstrap /dns4/node.example/tcp/7527/p2p/12D3KooW…",
			"plasm-discover --arch amd64 --min-memory 512 | plasm-submit --peers - job.wasm",
		},
		See: []string{"plasm-submit(1)", "plasmd(8)"},
	}
}
