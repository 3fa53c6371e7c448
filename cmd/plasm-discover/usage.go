package main

const usage = `Usage: plasm-discover [flags]

Finds nodes that can run a job, and prints a line of JSON for each as it is
found, nearest first within what has arrived. With no flags it finds the nodes
of the local network and one on this machine; across networks it needs an
address.

Where to look:
  --bootstrap ADDR       a node's address, /ip4/…/p2p/12D3…; may be repeated
                         (PLASM_BOOTSTRAP, several separated by white space)
  --mdns=false           do not ask the local network
  --network-key FILE     the key of a private network, in the swarm.key format
                         of libp2p (PLASM_NETWORK_KEY)

What a node must be or have:
  --arch ARCH            amd64, arm64…
  --os OS                linux, darwin…
  --engine NAME          such as wazero
  --min-memory MB        for one job, in units of 2^20 bytes
  --min-cores N          cores
  --require-guards LIST  what confines its jobs: process, rlimits, nodump,
                         pdeathsig, nofds, nnp, landlock, seccomp (default none)
  --free                 a free slot now

How long, how many:
  --timeout DUR          look for this long at most (default 5s)
  --limit N              stop after N nodes (default: all)

What is printed:
  --table                a table for people instead of JSON
  --all                  tell on stderr of the others, too: those that do not
                         fit or did not answer, and why
  --json                 the lines that are the default; an error, too, is then
                         one document on stdout
  --log-level LEVEL      debug, info, warn (default) or error (PLASM_LOG_LEVEL)
  --log-format FORMAT    text (default) or json (PLASM_LOG_FORMAT)
  -h, --help             show this
  --version              show the version

It ends when every look-up and answer is through, at --limit or at --timeout.

Exit codes: 0 at least one node was found; 125 plasm failed or was used wrongly;
127 no node was found that fits; 128+n ended by signal n; 141 stdout was closed.

Examples:
  plasm-discover --table
  plasm-discover --bootstrap /dns4/node.example/tcp/7527/p2p/12D3KooW…
  plasm-discover --arch amd64 --min-memory 512 | plasm-submit --peers - job.wasm
`
