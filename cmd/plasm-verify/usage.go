package main

import "plasm/lib/cli"

// doc is what the help and the manual page say beside the flags.
func doc() cli.Doc {
	return cli.Doc{
		Name: name, Section: 1, Level: "warn", Mixed: true,
		Summary:  "check the signed receipt of a job, offline",
		Synopsis: []string{"[flags] [RECEIPT|RESULT|-]", "--quorum N [flags] RECEIPT..."},
		About: []string{
			"Checks a receipt, or a result document with its outputs, as plasm-run writes them; the command's own " +
				"stdin when none is named. Nothing is sent anywhere.",
		},
		Notes: map[string]string{
			whose: "Without a trusted signer nothing is verified: whoever made a receipt could have put any key " +
				"into it.",
			subject: "One of these files, or the receipt, may be -, the command's own stdin.",
		},
		Exit: []cli.Term{
			{Name: "0", Text: "verified"},
			{Name: "1", Text: "not verified"},
			{Name: "125", Text: "wrong use, or a file that cannot be read"},
			{Name: "128+n", Text: "ended by signal n"},
			{Name: "141", Text: "stdout was closed"},
		},
		Closing: []string{
			"The first check that fails is the reason, in this order: too_large, bad_json, bad_payload_type, " +
				"bad_base64, signature_count, duplicate_signature, untrusted, bad_json (of what was signed), " +
				"bad_statement, wrong_signer, module, manifest, stdin, stdout, stderr, guards, outcome, " +
				"not_repeatable, rerun.",
		},
		Environment: []cli.Term{{
			Name: cli.TrustVariable,
			Text: "the file for --trust, where neither --signer nor --trust is given",
		}},
		Examples: []string{
			`plasm-verify --signer "$(plasm-run --identity)" --stdout out.txt receipt.json`,
			"plasm-run --json job.wasm | plasm-verify --trust nodes.txt --print stdout",
			"plasm-verify --signer node.pem --json receipt.json",
			"plasm-verify --signer node.pem --show receipt.json",
			"plasm-verify --signer node.pem --rerun --module job.wasm --stdin in.txt receipt.json",
		},
		See:      []string{"plasm-run(1)", "plasm-submit(1)"},
		Operands: cli.FileLike(".json"),
	}
}
