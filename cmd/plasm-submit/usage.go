package main

import (
	"plasm/lib/cli"
	"plasm/lib/cli/bulk"
)

// doc is what the help and the manual page say beside the flags.
func doc() cli.Doc {
	notes := cli.JobNotes()
	notes[bulk.Category] = bulk.Notes("")
	notes[whichNode] = "With --peer or --peers no other node is looked for."
	notes[whom] = "Without --peer, --signer and --trust: the file PLASM_TRUST, by default $XDG_CONFIG_HOME/plasm/trust."
	return cli.Doc{
		Name: name, Section: 1, Level: "warn",
		Summary: "run a WebAssembly program as a job on a node",
		Synopsis: []string{
			"[flags] MODULE.wasm [ARG...]", "[flags] --job FILE|-", "[flags] --each FILE|- MODULE.wasm [ARG...]",
			"[flags] --batch FILE|- MODULE.wasm [ARG...]", "--detach [flags] MODULE.wasm [ARG...]",
			"--attach TICKET|- [flags]", "--trust-add PEER[=NAME]", "--trust-remove PEER", "--trust-list",
		},
		About: []string{
			"Runs a WebAssembly (WASI preview 1) program as a job on a node, with the same words as plasm-run. " +
				"Output is written when the node's signed receipt for it has been verified. Nothing of a job goes " +
				"to a node that you have not named.",
		},
		Notes: notes,
		Instead: map[string]string{
			"dir": "a node has no live folders of this machine; --in PATH::GUEST sends one with the job, " +
				"--out GUEST::PATH brings one back;",
		},
		Exit:    cli.JobExits("file not found, or no node that is trusted and fits"),
		Closing: []string{"The codes may also be the program's own: the receipt tells them apart."},
		Files: []cli.Term{
			{
				Name: "$XDG_CONFIG_HOME/plasm/trust",
				Text: "the nodes that may have jobs, and their names; $XDG_CONFIG_HOME is by default ~/.config",
			},
			{
				Name: "$XDG_DATA_HOME/plasm/key.pem",
				Text: "the key that asks, mode 0600; $XDG_DATA_HOME is by default ~/.local/share",
			},
			{
				Name: "$XDG_CACHE_HOME/plasm/peers",
				Text: "the peers that answered last time; $XDG_CACHE_HOME is by default ~/.cache",
			},
		},
		Environment: []cli.Term{{
			Name: cli.TrustVariable,
			Text: "the trust file, where none of --peer, --signer and --trust is given",
		}},
		Examples: []string{
			"echo -n hello | plasm-submit --peer 12D3KooW… examples/hello/hello.wasm",
			"plasm-submit --trust-add /ip4/192.0.2.7/udp/7527/quic-v1/p2p/12D3KooW…=gpu",
			"plasm-discover --arch amd64 | plasm-submit --peers - --stdin in.txt job.wasm",
			"plasm-run --print-job --stdin in.txt job.wasm | plasm-submit --job -",
			"plasm-submit --dry-run --in photos::/in --stdin in.txt job.wasm",
			"plasm-submit --detach --stdin in.txt job.wasm > ticket.json",
			"plasm-submit --attach ticket.json > out.txt",
		},
		See:      []string{"plasm-run(1)", "plasm-discover(1)", "plasm-verify(1)", "plasmd(8)"},
		Operands: cli.ModuleCompletion(),
	}
}
