package main

const usage = `Usage: plasm-verify [flags] [RECEIPT|RESULT|-]

Checks a receipt, or a result document with its outputs, as plasm-run writes
them; the command's own stdin when none is named. Nothing is sent anywhere.

Whose word counts:
  --signer PEERID|FILE   trust this node, by its peer ID or by a PEM file of its
                         public key; may be repeated
  --trust FILE           trust the nodes in this file, one peer ID a line
                         (PLASM_TRUST, where neither --signer nor --trust is given)

  Without a trusted signer nothing is verified: whoever made a receipt could have
  put any key into it.

What it must be about:
  --module FILE          this module
  --manifest FILE        this manifest, field by field
  --stdin FILE           this input
  --stdout FILE          this output
  --stderr FILE          these diagnostics
  --expect-exit N        the program ended by itself with exit code N; may be
                         repeated for several that will do
  --any-outcome          however it ended, although --print is given
  --require-guards LIST  these guards confined the program: process, rlimits,
                         nodump, pdeathsig, nofds, nnp, landlock, seccomp

  One of these files, or the receipt, may be -, the command's own stdin.

What it gives:
  --print WHAT           once verified, write the job's stdout, its stderr, or the
                         statement that was signed; implies --expect-exit 0
  --json                 write the verdict as a document: each check, and whether
                         it passed

Running the job again:
  --rerun                run it here with plasm-run, and compare digests, exit code
                         and fuel; needs --module and, if there was input, --stdin
  --memory MB            give it no more linear memory than this (default 1024)
  --timeout DUR          give it no more time than this, as 500ms, 5s, 2m
                         (default 10m)

  --log-level LEVEL      debug, info, warn or error (PLASM_LOG_LEVEL; default warn)
  --log-format FORMAT    text or json (PLASM_LOG_FORMAT; default text)
  -h, --help             show this
  --version              show the version

Exit codes: 0 verified; 1 not verified; 125 wrong use, or a file that cannot be
read; 128+n ended by signal n; 141 stdout was closed.

The first check that fails is the reason, in this order: too_large, bad_json,
bad_payload_type, bad_base64, signature_count, duplicate_signature, untrusted,
bad_json (of what was signed), bad_statement, wrong_signer, module, manifest,
stdin, stdout, stderr, guards, outcome, not_repeatable, rerun.

Examples:
  plasm-verify --signer "$(plasm-run --identity)" --stdout out.txt receipt.json
  plasm-run --json job.wasm | plasm-verify --trust nodes.txt --print stdout
  plasm-verify --signer node.pem --json receipt.json
  plasm-verify --signer node.pem --rerun --module job.wasm --stdin in.txt receipt.json
`
