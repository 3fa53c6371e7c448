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
	defaultKeepModules = int64(2 << 30) // bytes
	defaultKeepJobs    = int64(8 << 30) // bytes
)

// settings say where the flags of plasmd serve get their values from.
func settings() config.Settings {
	return config.Settings{
		Prefix: "PLASMD_",
		Also: map[string]string{
			"bootstrap": "PLASM_BOOTSTRAP", "network-key": "PLASM_NETWORK_KEY", "engines": "PLASM_ENGINES",
			"log-level": "PLASM_LOG_LEVEL", "log-format": "PLASM_LOG_FORMAT",
		},
		Not: []string{"config", "print-config"},
	}
}

// serve are the flags of plasmd serve.
type serve struct {
	flags *cli.Flags
	user  control.User // whose node it is

	listen, bootstrap, allow    []string
	slots, memory, maxTimeout   int64
	maxModule                   int64
	maxInput, maxOutput         int64
	keep, keepModules, keepJobs int64
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
	f := cli.NewFlags(serveName, serveUsage, "info", in.Getenv)
	s := &serve{flags: f, user: user(in)}
	f.StringArrayVar(&s.listen, "listen", defaultListen(), "")
	f.StringArrayVar(&s.bootstrap, "bootstrap", nil, "")
	f.Whole(&s.slots, "slots", 1, job.MaxSlots)
	f.Whole(&s.memory, "memory", 1, job.MaxNodeMemoryMB)
	s.maxTimeout = defaultTimeoutMS
	f.Millis(&s.maxTimeout, "max-timeout", job.MaxTimeout)
	s.maxModule = cli.MaxModule
	f.Whole(&s.maxModule, "max-module", 1, cli.MaxModule)
	s.maxInput, s.maxOutput = defaultInput, defaultOutput
	f.Whole(&s.maxInput, "max-input", 0, job.MaxSafeInt/4)
	f.Whole(&s.maxOutput, "max-output", 0, job.MaxSafeInt/4)
	s.keep, s.keepModules, s.keepJobs = defaultKeepMS, defaultKeepModules, defaultKeepJobs
	f.Millis(&s.keep, "keep", job.MaxTimeout)
	f.Whole(&s.keepModules, "keep-modules", 1, job.MaxSafeInt)
	f.Whole(&s.keepJobs, "keep-jobs", 1, job.MaxSafeInt)
	f.StringArrayVar(&s.allow, "allow", nil, "")
	f.Path(&s.allowFile, "allow-file", "")
	f.Path(&s.dataDir, "data-dir", "")
	f.Path(&s.runtimeDir, "runtime-dir", "")
	f.StringVar(&s.reachability, "reachability", network.ReachabilityAuto.String(), "")
	f.BoolVar(&s.relay, "relay", false, "")
	s.relayData, s.relayDuration = network.DefaultRelayData, network.DefaultRelayDuration.Milliseconds()
	f.Whole(&s.relayData, "relay-data", 1, job.MaxSafeInt)
	f.Millis(&s.relayDuration, "relay-duration", job.MaxTimeout)
	f.StringArrayVar(&s.relayAllow, "relay-allow", nil, "")
	f.BoolVar(&s.mdns, "mdns", true, "")
	f.Path(&s.networkKey, "network-key", "")
	f.Path(&s.worker, "worker", "")
	f.Path(&s.engines, "engines", "")
	f.StringVar(&s.requireGuards, "require-guards", defaultGuards(), "")
	f.StringVar(&s.metrics, "metrics", "", "")
	s.drain = defaultDrainMS
	f.Millis(&s.drain, "drain", job.MaxTimeout)
	f.Path(&s.config, "config", in.Getenv("PLASMD_CONFIG"))
	f.BoolVar(&s.printConfig, "print-config", false, "")
	return s
}

// defaultListen is every address of this machine, on the port of Plasm.
func defaultListen() []string {
	return []string{"/ip4/0.0.0.0/tcp/7527", "/ip4/0.0.0.0/udp/7527/quic-v1", "/ip6/::/tcp/7527", "/ip6/::/udp/7527/quic-v1"}
}

// defaultGuards are those without which no stranger's job should run.
func defaultGuards() string {
	if runtime.GOOS == "linux" {
		return "rlimits,landlock,seccomp"
	}
	return "rlimits"
}

// settle gives every flag its value: from a variable, the configuration file, or a
// default that depends on this machine and on who runs the node.
func (s *serve) settle(in *cli.Invocation) error {
	var file []byte
	if s.config != "" {
		var err error
		if file, err = cli.ReadFile(s.config, in.Stdin, config.MaxBytes); err != nil {
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
		return s.about("memory", err)
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

// about is err with the place that its value comes from in front.
func (s *serve) about(flag string, err error) error {
	e := *cli.AsError(err)
	e.Message = s.flags.Origin(flag, settings().Variable(flag)) + ": " + e.Message
	return &e
}
