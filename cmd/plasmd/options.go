package main

import (
	"os"
	"path/filepath"
	"runtime"
	"time"

	"plasm/lib/capability"
	"plasm/lib/cli"
	"plasm/lib/cli/config"
	"plasm/lib/control"
	"plasm/lib/job"
	"plasm/lib/network"
	"plasm/lib/node"
)

// serveName is what the subcommand calls itself.
const serveName = name + " serve"

// What a node gives to jobs, where no flag says so.
const (
	defaultTimeoutMS   = int64(time.Hour / time.Millisecond)
	defaultDrainMS     = int64(30 * time.Second / time.Millisecond)
	defaultInput       = int64(1 << 30) // bytes
	defaultOutput      = int64(1 << 30) // bytes
	defaultKeepMS      = int64(24 * time.Hour / time.Millisecond)
	defaultTree        = int64(1 << 30) // bytes
	defaultDisk        = int64(1 << 10) // units of 2^20 bytes
	defaultKeepContent = int64(4 << 30) // bytes
	defaultKeepJobs    = int64(8 << 30) // bytes
)

// settings say where the flags of plasmd serve get their values from.
func settings() config.Settings {
	return config.Settings{Prefix: "PLASMD_", Not: []string{"config", "print-config"}}
}

// The categories of plasmd's flags, beside those that several commands have.
const (
	theNetwork = "The network"
	jobsGet    = "What jobs get"
	mayAsk     = "Who may submit"
	theNode    = "Which node"
	does       = "What it does"
)

// serve are the flags of plasmd serve.
type serve struct {
	flags *cli.Flags
	user  control.User // whose node it is

	listen, bootstrap, allow    []string
	slots, memory, maxTimeout   int64
	maxModule                   int64
	maxInput, maxOutput         int64
	maxTree, maxDisk            int64
	keep, keepContent, keepJobs int64
	allowFile                   string
	dataDir, runtimeDir         string
	reachability                string
	relay                       bool
	relayData, relayDuration    int64
	relayAllow                  []string
	mdns                        bool
	networkKey, worker, engines string
	requireGuards               string
	metrics                     string
	drain                       int64
	config                      string
	printConfig                 bool
	machine                     capability.Machine
	spare                       int64
}

// newServe is plasmd serve.
func newServe(in *cli.Invocation) *command {
	s := newServeFlags(in)
	return &command{s.flags, s.run}
}

// newServeFlags returns the flags of plasmd serve, with their defaults.
func newServeFlags(in *cli.Invocation) *serve {
	f := cli.NewFlags(serveDoc(), in.Getenv)
	s := &serve{
		flags: f, user: user(in), listen: defaultListen(), mdns: true, reachability: network.ReachabilityAuto.String(),
		relayData: network.DefaultRelayData, relayDuration: network.DefaultRelayDuration.Milliseconds(),
		maxTimeout: defaultTimeoutMS, maxModule: cli.MaxModule, maxInput: defaultInput, maxOutput: defaultOutput,
		maxTree: defaultTree, maxDisk: defaultDisk, keep: defaultKeepMS, keepContent: defaultKeepContent,
		keepJobs:      defaultKeepJobs,
		requireGuards: defaultGuards(), drain: defaultDrainMS,
	}
	s.addNetwork(f)
	s.addJobs(f)
	s.addMachine(f)
	settings().Declare(f)
	return s
}

// addNetwork adds the flags about the network, and about who may use the node.
func (s *serve) addNetwork(f *cli.Flags) {
	f.List(&s.listen, cli.Flag{
		Name: "listen", Category: theNetwork, Value: "ADDR",
		Default: "port 7527, TCP and QUIC, on every IPv4 and IPv6 address",
		Usage:   "listen at this multiaddress",
	})
	f.List(&s.bootstrap, cli.Flag{
		Name: "bootstrap", Category: theNetwork, Value: "ADDR", Variables: []string{"PLASM_BOOTSTRAP"},
		Usage: "a first contact, a multiaddress ending in /p2p/PEERID",
	})
	f.Switch(&s.mdns, cli.Flag{
		Name: "mdns", Category: theNetwork, Usage: "neither look for nodes in the local network nor be found",
	})
	f.Path(&s.networkKey, cli.Flag{
		Name: "network-key", Category: theNetwork, Value: "FILE", Variables: []string{"PLASM_NETWORK_KEY"},
		Usage:    "be in a private network, TCP only; the file has libp2p's swarm.key format",
		Complete: cli.FileLike(".key"),
	})
	f.Text(&s.reachability, cli.Flag{
		Name: "reachability", Category: theNetwork, Value: "WHAT",
		Usage: "can others dial this machine? auto finds out; public; private: hold a place at a relay from " +
			"the start",
		Complete: cli.Completion{Words: []string{"auto", "public", "private"}},
	})
	f.Switch(&s.relay, cli.Flag{
		Name: "relay", Category: theNetwork,
		Usage: "be a relay for nodes that cannot be dialled; implies --reachability public",
	})
	f.Amount(&s.relayData, cli.Byte, 1, job.MaxSafeInt, cli.Flag{
		Name: "relay-data", Category: theNetwork, Value: "BYTES", Usage: "for each direction of a relayed connection",
	})
	f.Millis(&s.relayDuration, job.MaxTimeout, cli.Flag{
		Name: "relay-duration", Category: theNetwork, Value: "DUR", Usage: "how long a relayed connection may last",
	})
	f.List(&s.relayAllow, cli.Flag{
		Name: "relay-allow", Category: theNetwork, Value: "PEERID", Default: "everybody",
		Usage: "relay for this node only",
	})
	f.List(&s.allow, cli.Flag{
		Name: "allow", Category: mayAsk, Value: "PEERID|any", Usage: "besides those in the allow file",
	})
	f.Path(&s.allowFile, cli.Flag{
		Name: "allow-file", Category: mayAsk, Value: "FILE", Default: "allow in the data folder",
		Usage:    "PEERID [NAME] a line, or any",
		Complete: cli.AnyFile(),
	})
}

// addJobs adds the flags that say what jobs get.
func (s *serve) addJobs(f *cli.Flags) {
	f.Whole(&s.slots, 1, job.MaxSlots, cli.Flag{
		Name: "slots", Category: jobsGet, Value: "N", Default: "the cores of this machine", Usage: "jobs at a time",
	})
	f.Amount(&s.memory, cli.MiB, 1, job.MaxNodeMemoryMB, cli.Flag{
		Name: "memory", Category: jobsGet, Value: "MB", Default: "what can be had",
		Usage: "for all jobs together; no more than can be had",
	})
	f.Millis(&s.maxTimeout, job.MaxTimeout, cli.Flag{
		Name: "max-timeout", Category: jobsGet, Value: "DUR", Usage: "the longest that a job may ask for",
		More: "Its `timeout_ms`.",
	})
	f.Amount(&s.maxModule, cli.Byte, 1, cli.MaxModule, cli.Flag{
		Name: "max-module", Category: jobsGet, Value: "BYTES", Usage: "the longest module",
	})
	f.Amount(&s.maxInput, cli.Byte, 0, job.MaxSafeInt/4, cli.Flag{
		Name: "max-input", Category: jobsGet, Value: "BYTES", Usage: "the most input of a job",
	})
	f.Amount(&s.maxOutput, cli.Byte, 0, job.MaxSafeInt/4, cli.Flag{
		Name: "max-output", Category: jobsGet, Value: "BYTES", Usage: "the most output that a job may ask for",
		More: "Its `output_limit_bytes`.",
	})
	f.Amount(&s.maxTree, cli.Byte, 0, job.MaxSafeInt/4, cli.Flag{
		Name: "max-tree", Category: jobsGet, Value: "BYTES", Usage: "the most that a job's folders may begin with",
		More: "Of files, each name counted.",
	})
	f.Amount(&s.maxDisk, cli.MiB, 0, job.MaxDiskMB, cli.Flag{
		Name: "max-disk", Category: jobsGet, Value: "MB", Usage: "the most that a job may ask to write to folders",
		More: "Its `disk_mb`.",
	})
	f.Millis(&s.keep, job.MaxTimeout, cli.Flag{
		Name: "keep", Category: jobsGet, Value: "DUR", Usage: "how long results are kept at most",
	})
	f.Amount(&s.keepJobs, cli.Byte, 1, job.MaxSafeInt, cli.Flag{
		Name: "keep-jobs", Category: jobsGet, Value: "BYTES",
		Usage: "of results, and for what running jobs read and write; the oldest results make room",
	})
	f.Amount(&s.keepContent, cli.Byte, 1, job.MaxSafeInt, cli.Flag{
		Name: "keep-content", Category: jobsGet, Value: "BYTES",
		Usage: "of modules and of the folders that jobs begin with; the least used make room",
	})
	f.Path(&s.worker, cli.Flag{
		Name: "worker", Category: jobsGet, Value: "PATH", Default: "the one beside plasmd",
		Usage:    "the plasm-run that runs jobs",
		Complete: cli.AnyFile(),
	})
	f.Path(&s.engines, cli.Flag{
		Name: "engines", Category: jobsGet, Value: "DIR", Variables: []string{"PLASM_ENGINES"},
		Usage:    "where other engines are, beside the worker's own folder",
		More:     "A job that names none gets the fastest.",
		Complete: cli.Completion{Folders: true},
	})
	f.Text(&s.requireGuards, cli.Flag{
		Name: "require-guards", Category: jobsGet, Value: "LIST",
		Default:  "rlimits,landlock,seccomp; rlimits where there is no Linux",
		Usage:    "what must confine jobs, else the node does not start: " + cli.GuardNames() + ", or none",
		Complete: cli.GuardCompletion(),
	})
}

// addMachine adds the flags about this machine.
func (s *serve) addMachine(f *cli.Flags) {
	f.Path(&s.dataDir, cli.Flag{
		Name: "data-dir", Category: cli.ThisMachine, Value: "DIR",
		Default:  "$STATE_DIRECTORY, for root /var/lib/plasmd, else $XDG_DATA_HOME/plasmd",
		Usage:    "key, peers, allow file",
		Complete: cli.Completion{Folders: true},
	})
	f.Path(&s.runtimeDir, cli.Flag{
		Name: "runtime-dir", Category: cli.ThisMachine, Value: "DIR",
		Default: "$RUNTIME_DIRECTORY, for root /run/plasmd, else $XDG_RUNTIME_DIR/plasmd, else run in the data folder",
		Usage:   "addresses and control socket", Complete: cli.Completion{Folders: true},
	})
	f.Text(&s.metrics, cli.Flag{
		Name: "metrics", Category: cli.ThisMachine, Value: "ADDR", Default: "no",
		Usage: "serve a status page, and Prometheus metrics, at this loopback address, such as 127.0.0.1:9464",
		More:  "Any user of this machine can read them.",
	})
	f.Millis(&s.drain, job.MaxTimeout, cli.Flag{
		Name: "drain", Category: cli.ThisMachine, Value: "DUR", Usage: "how long running jobs may go on after SIGTERM",
	})
	f.Path(&s.config, cli.Flag{
		Name: "config", Category: cli.ThisMachine, Value: "FILE", Variables: []string{"PLASMD_CONFIG"},
		Usage:    "read flags from this TOML file",
		Complete: cli.FileLike(".toml"),
	})
	f.Switch(&s.printConfig, cli.Flag{
		Name: "print-config", Category: cli.ThisMachine, Usage: "print what is set, as such a file, and stop",
		More: "The rest is in it as comments, with the values that it has now.",
	})
}

// defaultListen is every address of this machine, on the port of Plasm.
func defaultListen() []string {
	return []string{
		"/ip4/0.0.0.0/tcp/7527", "/ip4/0.0.0.0/udp/7527/quic-v1", "/ip6/::/tcp/7527",
		"/ip6/::/udp/7527/quic-v1",
	}
}

// defaultGuards are those without which no stranger's job should run.
func defaultGuards() string {
	if runtime.GOOS == "linux" {
		return "rlimits,landlock,seccomp"
	}
	return "rlimits"
}

// settle gives every flag without a value that of the configuration file, or a default
// that depends on this machine and on who runs the node.
func (s *serve) settle(in *cli.Invocation) error {
	var file []byte
	if s.config != "" {
		var err error
		if file, err = cli.ReadFile(s.config, in.Stdin, config.MaxBytes); err != nil {
			if s.flags.Changed("config") { // and not the packaged service's, which plasmd doctor finds
				err = s.flags.About("config", err)
			}
			return err
		}
	}
	if err := settings().Settle(s.flags, s.config, file); err != nil {
		return err
	}
	if err := s.measure(); err != nil {
		return err
	}
	if s.relay && s.reachability == network.ReachabilityAuto.String() {
		s.reachability = network.ReachabilityPublic.String()
	}
	return s.settlePaths()
}

// measure finds out what this machine can give, and lowers it to what the flags
// allow.
func (s *serve) measure() error {
	measured, err := capability.Measure()
	if err != nil {
		return err
	}
	if s.slots == 0 {
		s.slots = measured.Cores
	}
	var take int64
	s.spare, take = node.SpareWorkers(s.slots, measured.MemoryMB)
	measured.MemoryMB -= take
	if s.machine, err = measured.Lower(s.memory); err != nil {
		return s.flags.About("memory", err)
	}
	s.memory = s.machine.MemoryMB
	return nil
}

// settlePaths fills in the paths that were not given and makes all absolute.
func (s *serve) settlePaths() error {
	var err error
	if s.dataDir == "" {
		if s.dataDir, err = s.user.DataDir(); err != nil {
			return err
		}
	}
	if s.dataDir, err = filepath.Abs(s.dataDir); err != nil {
		return err
	}
	if s.runtimeDir == "" {
		s.runtimeDir = s.user.RuntimeDir(s.dataDir)
	}
	if s.allowFile == "" {
		s.allowFile = filepath.Join(s.dataDir, node.AllowName)
	}
	if s.worker == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		s.worker = filepath.Join(filepath.Dir(self), "plasm-run")
	}
	for _, path := range []*string{&s.runtimeDir, &s.allowFile, &s.worker, &s.engines, &s.networkKey} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	return nil
}
