package main

const usage = `Usage: plasmd serve [flags]
       plasmd identity [flags]
       plasmd status [flags]
       plasmd allow [flags] PEERID...|any
       plasmd doctor [flags]

The node: it is found by plasm-discover, says what it can do, and runs jobs for
those who may submit, each in a worker (plasm-run) that is locked down.

  serve      run a node in the foreground; logs go to stderr
  identity   print the node's peer ID
  status     ask the running node how it is
  allow      say who may submit jobs to it
  doctor     look for what usually goes wrong, and say what to do

  plasmd SUBCOMMAND --help lists the flags of each.

  --log-level LEVEL      debug, info (default), warn or error (PLASM_LOG_LEVEL)
  --log-format FORMAT    text (default) or json (PLASM_LOG_FORMAT)
  -h, --help             show this
  --version              show the version

Exit codes: 0 done, a node that was stopped by a signal too; 125 plasm failed or
was used wrongly; 127 file not found, or no node is running; 141 stdout was closed.

Examples:
  plasmd serve
  plasmd serve --bootstrap /ip4/192.0.2.1/tcp/7527/p2p/12D3KooW...
  plasmd allow 12D3KooW...
  plasmd status --json
`

const serveUsage = `Usage: plasmd serve [flags]

Runs a node until it is told to stop (SIGTERM, SIGINT). When it is ready, and not
before, its addresses are on stdout, one a line. SIGHUP has it read the allow file
again. Every flag may also come from a variable (--max-timeout: PLASMD_MAX_TIMEOUT;
lists separated by white space) or from the configuration file (max-timeout = "1h");
a flag wins over a variable, and that over the file.

The network:
  --listen ADDR          listen at this multiaddress; may be repeated (default port
                         7527, TCP and QUIC, on every IPv4 and IPv6 address)
  --bootstrap ADDR       a first contact, a multiaddress ending in /p2p/PEERID; may
                         be repeated (also PLASM_BOOTSTRAP)
  --mdns=false           neither look for nodes in the local network nor be found
  --network-key FILE     be in a private network, TCP only; the file has libp2p's
                         swarm.key format (also PLASM_NETWORK_KEY)
  --reachability WHAT    can others dial this machine? auto finds out (default);
                         public; private: hold a place at a relay from the start
  --relay                be a relay for nodes that cannot be dialled; implies
                         --reachability public
  --relay-data BYTES     for each direction of a relayed connection (default 16777216)
  --relay-duration DUR   how long a relayed connection may last (default 10m)
  --relay-allow PEERID   relay for this node only; may be repeated

What jobs get:
  --slots N              jobs at a time (default: the cores of this machine)
  --memory MB            for all jobs together, no more than can be had (default:
                         that)
  --max-timeout DUR      the longest that a job may ask for (default 1h)
  --max-module BYTES     the longest module (default 67108864)
  --max-input BYTES      the most input of a job (default 1073741824)
  --max-output BYTES     the most output that a job may ask for (default 1073741824)
  --keep DUR             how long results are kept at most (default 24h)
  --keep-jobs BYTES      of results, and for what running jobs read and write; the
                         oldest results make room (default 8589934592)
  --keep-modules BYTES   of modules; the least used make room (default 2147483648)
  --worker PATH          the plasm-run that runs jobs (default: the one beside plasmd)
  --engines DIR          where other engines are, beside the worker's own folder
                         (also PLASM_ENGINES)
  --require-guards LIST  what must confine jobs, else the node does not start:
                         process, rlimits, nodump, pdeathsig, nofds, nnp, landlock,
                         seccomp, or none (default rlimits,landlock,seccomp; rlimits
                         where there is no Linux)

Who may submit:
  --allow PEERID|any     besides those in the allow file; may be repeated
  --allow-file FILE      one peer ID a line, or any (default allow in the data folder)

This machine:
  --data-dir DIR         key, peers, allow file (default $STATE_DIRECTORY, for root
                         /var/lib/plasmd, else $XDG_DATA_HOME/plasmd)
  --runtime-dir DIR      addresses and control socket (default $RUNTIME_DIRECTORY, for
                         root /run/plasmd, else $XDG_RUNTIME_DIR/plasmd, else run in
                         the data folder)
  --metrics ADDR         serve Prometheus metrics at this loopback address, such as
                         127.0.0.1:9464 (default: no)
  --drain DUR            how long running jobs may go on after SIGTERM (default 30s)
  --config FILE          read flags from this TOML file (PLASMD_CONFIG)
  --print-config         print what all this comes to, as such a file, and stop
  --log-level LEVEL      debug, info (default), warn or error (also PLASM_LOG_LEVEL)
  --log-format FORMAT    text (default) or json (also PLASM_LOG_FORMAT)
  -h, --help             show this
  --version              show the version

Exit codes: 0 stopped by a signal; 125 it could not start, or was used wrongly;
127 file not found; 141 stdout was closed.

Examples:
  plasmd serve --slots 2 --memory 2048
  plasmd serve --relay --listen /ip4/0.0.0.0/tcp/7527
  plasmd serve --max-timeout 10m --print-config > plasmd.toml
  plasmd serve --config plasmd.toml
`

const whereUsage = `  --data-dir DIR         the node with this data folder, also when it is not running
                         (PLASMD_DATA_DIR)
  --runtime-dir DIR      the node in this runtime folder (PLASMD_RUNTIME_DIR)

  Without these the running node is looked for in the default runtime folders.

  --log-level LEVEL      debug, info (default), warn or error (PLASM_LOG_LEVEL)
  --log-format FORMAT    text (default) or json (PLASM_LOG_FORMAT)
  -h, --help             show this
  --version              show the version
`

const identityUsage = `Usage: plasmd identity [flags]

Prints the peer ID of the running node; when none is running, of the key in the
data folder, which plasmd serve makes. It is no secret: any user may ask for it.

` + whereUsage + `
Exit codes: 0 printed; 125 plasm failed or was used wrongly; 127 there is no key.

Examples:
  plasmd identity
  plasm-verify --signer "$(plasmd identity)" receipt.json
`

const statusUsage = `Usage: plasmd status [flags]

Asks the running node how it is: its addresses, peers and announcements, what it
gives to jobs, who may submit. A user who may not ask it (root, the node's user, and
the group that its socket belongs to may) sees its peer ID and addresses, which are
public.

  --json                 write it as a document
` + whereUsage + `
Exit codes: 0 it answered, or its public part was shown; 125 it could not be asked; 127 no node is running.

Examples:
  plasmd status
  plasmd status --json
`

const allowUsage = `Usage: plasmd allow [flags] PEERID...|any
       plasmd allow --list

Adds peers to the allow file of the running node and has it read the file again:
they may submit jobs. The word any stands for everybody. When no node is running,
the file named allow in the data folder is edited. Comments stay as they are. Root
edits it as the user in whose hands the node is.

  --remove               remove them instead, and the comments on their lines
  --list                 print who is in the file, one a line
` + whereUsage + `
Exit codes: 0 done; 125 plasm failed or was used wrongly; 127 no node is running in
the folder that was named, or none has run here.

Examples:
  plasmd allow 12D3KooW...
  plasmd allow --remove any
  plasmd allow --list
`

const doctorUsage = `Usage: plasmd doctor [flags]

Looks for what usually keeps a node from its work, and says what to do: settings,
key, allow file, worker, guards, memory, disk, clock, ports, peers, reachability,
relay. It looks at the running node; where none runs, at what plasmd serve would
find. It changes nothing. What it cannot see as the user who runs it is unknown, and
not failed; run it as root to have all checked: it becomes the user in whose hands the
node is first, and starts and reads nothing of it as root.

  --config FILE          the node's configuration file (PLASMD_CONFIG; default that of
                         the packaged service, where it is about that)
  --json                 write a document: the worst state, and each check
` + whereUsage + `
Exit codes: 0 nothing has failed; 1 a check failed; 125 plasm failed or was used
wrongly.

Examples:
  sudo plasmd doctor
  plasmd doctor --json
`
