package main

const usage = `Usage: plasm-run [flags] MODULE.wasm [ARG...]
       plasm-run [flags] --job FILE|-

Runs a WebAssembly (WASI preview 1) program as a job on this machine. Its input,
output and exit code are the command's own; a signed receipt says what ran.

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
  --dir HOST::GUEST[:ro] let the program use a folder; may be repeated

  ARG and --env are written into the receipt: pass secrets on stdin, of which
  only a digest is kept.

Input and output:
  --stdin FILE           input, instead of the command's own stdin
  -n, --no-stdin         no input
  --stdout FILE          where output goes, instead of the command's own stdout
  --stderr FILE          the same for stderr
  --receipt FILE|-       write the receipt (- needs --stdout FILE)
  --json                 write one document: receipt and output, or the error
  --print-manifest       write the manifest and stop
  --print-job            write the job document and stop

This machine:
  --key FILE             the key that signs, made if it is not there
                         (PLASM_KEY; default $XDG_DATA_HOME/plasm/key.pem)
  --identity             print the key's peer ID and stop
  --engine NAME|auto     what executes the module: wasmtime, wazero, or (auto,
                         the default) the first of them that is here
  --engines DIR          where engines are, beside this command's own folder
                         (PLASM_ENGINES)
  --cache-dir DIR        compiled modules (PLASM_CACHE_DIR; default
                         $XDG_CACHE_HOME/plasm/modules)
  --no-cache             compile the module anew
  --require-guards LIST  what must confine the program, else it does not run:
                         process, rlimits, nodump, pdeathsig, nofds, nnp,
                         landlock, seccomp (default none)
  --log-level LEVEL      debug, info, warn (default) or error (PLASM_LOG_LEVEL)
  --log-format FORMAT    text (default) or json (PLASM_LOG_FORMAT)
  -h, --help             show this
  --version              show the version

Exit codes: the program's own (255 when it is above 255); 124 out of time;
125 plasm failed or was used wrongly; 126 not a module that can be run; 127 file
not found; 132 the program trapped; 137 out of memory, fuel or output; 128+n
ended by signal n; 141 stdout was closed. The receipt tells them apart.

Examples:
  echo -n hello | plasm-run examples/hello/hello.wasm
  plasm-run --stdin in.txt --receipt receipt.json job.wasm > out.txt
  plasm-verify --signer "$(plasm-run --identity)" --stdout out.txt receipt.json
`
