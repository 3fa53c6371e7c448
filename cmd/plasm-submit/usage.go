package main

const usage = `Usage: plasm-submit [flags] MODULE.wasm [ARG...]
       plasm-submit [flags] --job FILE|-

Runs a WebAssembly (WASI preview 1) program as a job on a node, with the same
words as plasm-run. Output is written when the node's signed receipt for it has
been verified. Nothing of a job goes to a node that you have not named.

The job:
  --manifest FILE        take the job from this manifest; flags override it
  --job FILE|-           take manifest, module and input from this job document
  --memory MB            linear memory, in units of 2^20 bytes (default 256)
  --timeout DUR          wall time of the program, as 500ms, 5s, 2m (default 1m)
  --fuel N               stop when this much is used (plasm-fuel/1, about one
                         an instruction)
  --output-limit BYTES   stdout and stderr together (default 16777216)
  --env NAME=VALUE       set a variable, beside the manifest's; may be repeated
  --deterministic=false  real clock, sleep and random numbers. By default random
                         numbers are predictable: make no keys or tokens
  --seed N               of the predictable random numbers (default 0)
  --canonical-nan        the same NaN bits everywhere, at a cost

  ARG and --env are written into the receipt: pass secrets on stdin, of which
  only a digest is kept.

Input and output:
  --stdin FILE           input, instead of the command's own stdin
  -n, --no-stdin         no input
  --stdout FILE          where output goes, instead of the command's own stdout
  --stderr FILE          the same for stderr
  --receipt FILE|-       write the receipt (- needs --stdout FILE)
  --json                 write one document: receipt and output, or the error
  --stream               pass input and output on as they come: one node, no
                         second attempt, and verified only at the end (default
                         where input is typed; else input is read to its end)
  --print-manifest       write the manifest and stop
  --print-job            write the job document and stop

Which node:
  --peer ADDR|PEERID     this node, and trust it; may be repeated
  --peers FILE|-         these nodes: lines of plasm-discover
  --bootstrap ADDR       where to begin to look, /ip4/…/p2p/12D3…; may be
                         repeated (PLASM_BOOTSTRAP, separated by white space)
  --mdns=false           do not ask the local network
  --network-key FILE     the key of a private network, in the swarm.key format
                         of libp2p (PLASM_NETWORK_KEY)
  --arch ARCH            amd64, arm64…; written into the manifest
  --engine NAME|auto     such as wazero; written into the manifest
  --min-cores N          cores; written into the manifest
  --min-memory MB        what a job may have there, if more than --memory
  --require-guards LIST  what must confine the program: process, rlimits,
                         nodump, pdeathsig, nofds, nnp, landlock, seccomp
                         (default none)
  With --peer or --peers no other node is looked for.

Whom to trust:
  --trust FILE|any       the nodes in this file, one peer ID a line, or all
  --signer PEERID        this node; may be repeated
  Without --peer, --signer and --trust: the file PLASM_TRUST, by default
  $XDG_CONFIG_HOME/plasm/trust.

How long, how often:
  --retries N            new attempts after one that was accepted (default 3)
  --attempt-timeout DUR  from the offer to a node to the program's start
                         (default 2m, and 1s for each 256 KiB to send)
  --deadline DUR         for the whole command (default 10m and --timeout)

This machine:
  --key FILE             the key that asks, made if it is not there
                         (PLASM_KEY; default $XDG_DATA_HOME/plasm/key.pem)
  --identity             print the key's peer ID and stop
  --verbose              tell on stderr what is tried
  --log-level LEVEL      debug, info, warn (default) or error (PLASM_LOG_LEVEL)
  --log-format FORMAT    text (default) or json (PLASM_LOG_FORMAT)
  -h, --help             show this
  --version              show the version

Exit codes: the program's own (255 when it is above 255); 124 out of time;
125 plasm failed, was refused or used wrongly; 126 not a module that can be run;
127 file not found, or no node that is trusted and fits; 132 the program
trapped; 137 out of memory, fuel or output; 128+n ended by signal n; 141 stdout
was closed. The receipt tells them apart.

Examples:
  echo -n hello | plasm-submit --peer 12D3KooW… examples/hello/hello.wasm
  plasm-discover --arch amd64 | plasm-submit --peers - --stdin in.txt job.wasm
  plasm-run --print-job --stdin in.txt job.wasm | plasm-submit --job -
`
