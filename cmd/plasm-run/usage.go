package main

import (
	"plasm/lib/cli"
	"plasm/lib/cli/bulk"
)

// doc is what the help and the manual page say beside the flags.
func doc() cli.Doc {
	notes := cli.JobNotes()
	notes[bulk.Category] = bulk.Notes(", --in, --out")
	return cli.Doc{
		Name: name, Section: 1, Level: "warn",
		Summary: "run a WebAssembly program as a job on this machine",
		Synopsis: []string{
			"[flags] MODULE.wasm [ARG...]", "[flags] --job FILE|-",
			"[flags] --each FILE|- MODULE.wasm [ARG...]", "[flags] --batch FILE|- MODULE.wasm [ARG...]",
		},
		About: []string{
			"Runs a WebAssembly (WASI preview 1) program as a job on this machine. Its input, output and exit code " +
				"are the command's own; a signed receipt says what ran.",
		},
		Notes:   notes,
		Exit:    cli.JobExits("file not found"),
		Closing: []string{"The codes may also be the program's own: the receipt tells them apart."},
		Files: []cli.Term{
			{
				Name: "$XDG_DATA_HOME/plasm/key.pem",
				Text: "the key that signs, mode 0600; $XDG_DATA_HOME is by default ~/.local/share",
			},
			{Name: "$XDG_CACHE_HOME/plasm/modules", Text: "compiled modules; $XDG_CACHE_HOME is by default ~/.cache"},
		},
		Examples: []string{
			"echo -n hello | plasm-run examples/hello/hello.wasm",
			"plasm-run --stdin in.txt --receipt receipt.json job.wasm > out.txt",
			"seq 3 | plasm-run --each - --joblog jobs.log job.wasm",
			`plasm-verify --signer "$(plasm-run --identity)" --stdout out.txt receipt.json`,
		},
		See:      []string{"plasm-submit(1)", "plasm-verify(1)"},
		Operands: cli.ModuleCompletion(),
	}
}
