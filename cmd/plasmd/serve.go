package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/cli"
	"plasm/lib/cli/config"
	"plasm/lib/cli/version"
	"plasm/lib/control"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/limit"
	"plasm/lib/network"
	"plasm/lib/node"
	"plasm/lib/sandbox"
	"plasm/lib/store"
)

// run is plasmd serve.
func (s *serve) run(ctx context.Context, in *cli.Invocation) error {
	if err := noArgument(s.flags); err != nil {
		return err
	}
	cfg, err := s.prepare(in)
	if err != nil {
		return err
	}
	if s.printConfig {
		text, err := settings().Print(s.flags)
		if err != nil {
			return err
		}
		return in.Print(text)
	}
	if err := s.checkLimits(); err != nil {
		return err
	}
	ctx, reload, release := signals(ctx)
	defer release()
	in.Until(ctx)
	defer cli.Suspend(sandbox.Pause, sandbox.Resume)()
	cli.CollectOften()
	cfg.Reload = reload
	cfg.Ready = func(addrs []string) error { return in.Print(lines(addrs)) }
	return node.Run(ctx, *cfg)
}

// prepare settles the flags and returns what they say of the node, once all is well with
// it that can be found out without touching the node's folders and ports.
func (s *serve) prepare(in *cli.Invocation) (*node.Config, error) {
	if !given(s.config) {
		if err := s.checkHands("configuration file", s.config); err != nil {
			return nil, err
		}
	}
	if err := s.settle(in); err != nil {
		return nil, err
	}
	log, err := s.flags.Logger(in.Stderr)
	if err != nil {
		return nil, err
	}
	for _, flag := range []string{"allow-file", "network-key", "worker"} {
		if err := s.checkHands(strings.ReplaceAll(flag, "-", " "), s.named(flag)); err != nil {
			return nil, err
		}
	}
	cfg, err := s.nodeConfig()
	if err != nil {
		return nil, err
	}
	cfg.Log = log
	return cfg, nil
}

// checkHands keeps root from a node that does what is said in another user's file.
func (s *serve) checkHands(what, path string) error {
	if path == "" {
		return nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("%s: %v", path, err), Err: err}
	}
	return control.CheckHands(what, abs, "")
}

// named is the path that a flag was given, and "" for a default: an allow file in the
// data folder and a worker beside plasmd are in the same hands as these.
func (s *serve) named(flag string) string {
	if !s.flags.Changed(flag) {
		return ""
	}
	return s.flags.Lookup(flag).ValueText()
}

// checkLimits tells which resource limit is too low for a node: it is there for as long
// as the machine is, and holds connections beside what its workers take.
func (s *serve) checkLimits() error {
	need := cli.Limits()
	need.CPU = limit.Unlimited
	need.Files = 256
	need.Threads += workerThreads * uint64(s.slots)
	return need.Check(name)
}

// workerThreads is how many threads a slot's worker may take, and the one that is kept
// ready for the next job.
const workerThreads = 64

// nodeConfig checks the flags and returns what they say of the node.
func (s *serve) nodeConfig() (*node.Config, error) {
	guards, err := s.flags.Guards(s.requireGuards)
	if err != nil {
		return nil, err
	}
	for _, word := range s.allow {
		if _, err := identity.ParsePeerID(word); err != nil && word != "any" {
			return nil, cli.Usage(serveName, "%s: %v, or any", s.from("allow"), err)
		}
	}
	if s.metrics != "" {
		if err := node.CheckMetrics(s.metrics); err != nil {
			return nil, cli.Usage(serveName, "%s: %v", s.from("metrics"), err)
		}
	}
	if err := s.checkStorage(); err != nil {
		return nil, err
	}
	net, err := s.network()
	if err != nil {
		return nil, err
	}
	return &node.Config{
		Version: version.String(), User: s.user, DataDir: s.dataDir, RuntimeDir: s.runtimeDir,
		Network: *net, Machine: s.machine, Slots: s.slots, Spare: s.spare,
		Limits: job.NodeLimits{
			MemoryMB: s.machine.MaxJobMemoryMB(), TimeoutMS: s.maxTimeout,
			ModuleBytes: s.maxModule, InputBytes: s.maxInput, OutputBytes: s.maxOutput, TreeBytes: s.maxTree,
			DiskMB: s.maxDisk,
		},
		Keep: time.Duration(s.keep) * time.Millisecond, ContentBytes: s.keepContent, JobBytes: s.keepJobs,
		Worker: s.worker, Engines: s.engines, RequireGuards: guards, Drain: time.Duration(s.drain) * time.Millisecond,
		AllowFile: s.allowFile, Given: s.allow, GivenBy: s.from("allow"), Metrics: s.metrics,
	}, nil
}

// checkStorage refuses to promise what the node could never keep.
func (s *serve) checkStorage() error {
	disk := s.maxDisk << 20
	if need := s.maxInput + s.maxOutput + store.FolderRoom(disk) + store.JobOverhead; s.keepJobs < need {
		return &job.Error{
			Code: job.CodeUsage,
			Message: fmt.Sprintf("%s: %s is not enough for one job, which may have %s of input, %s of output and %s "+
				"of folders",
				s.from("keep-jobs"), job.Amount(s.keepJobs), job.Amount(s.maxInput), job.Amount(s.maxOutput),
				job.Amount(disk)),
			Hint: "lower --max-input, --max-output and --max-disk too, or keep " + job.Amount(need),
		}
	}
	if need := max(s.maxModule, s.maxTree) + store.ContentOverhead; s.keepContent < need {
		return &job.Error{
			Code: job.CodeUsage,
			Message: fmt.Sprintf("%s: %s is not enough for one job, whose module may have %s, and its folders %s",
				s.from("keep-content"), job.Amount(s.keepContent), job.Amount(s.maxModule), job.Amount(s.maxTree)),
			Hint: "lower --max-module and --max-tree too, or keep " + job.Amount(need),
		}
	}
	return nil
}

// network returns what the flags say of the network.
func (s *serve) network() (*network.Config, error) {
	cfg := &network.Config{Listen: s.listen, MDNS: s.mdns}
	var ok bool
	if cfg.Reachability, ok = network.ParseReachability(s.reachability); !ok {
		return nil, cli.Usage(serveName, "%s: %s is not one of auto, public, private", s.from("reachability"),
			job.Quote(s.reachability))
	}
	if len(s.listen) == 0 {
		return nil, cli.Usage(serveName, "%s: an address to listen at is missing", s.from("listen"))
	}
	for _, addr := range s.listen {
		if _, err := ma.NewMultiaddr(addr); err != nil {
			return nil, cli.Usage(serveName, "%s: not an address to listen at: %s", s.from("listen"), job.Quote(addr))
		}
	}
	var err error
	if cfg.Bootstrap, err = network.ParseAddrs(s.bootstrap); err != nil {
		return nil, s.flags.About("bootstrap", err)
	}
	if s.networkKey != "" {
		if cfg.NetworkKey, err = s.readNetworkKey(); err != nil {
			return nil, err
		}
	}
	if cfg.Relay, err = s.relayService(cfg.Reachability); err != nil {
		return nil, err
	}
	return cfg, nil
}

// readNetworkKey reads the key of the private network.
func (s *serve) readNetworkKey() ([]byte, error) {
	data, err := cli.ReadFile(s.networkKey, strings.NewReader(""), config.MaxBytes)
	if err != nil {
		return nil, s.flags.About("network-key", err)
	}
	key, err := network.ReadNetworkKey(data)
	if err != nil {
		named := *cli.AsError(err)
		named.Message = s.networkKey + ": " + named.Message
		return nil, s.flags.About("network-key", &named)
	}
	return key, nil
}

// relayService returns what the node relays for others, or nil.
func (s *serve) relayService(reachability network.Reachability) (*network.Relay, error) {
	if !s.relay {
		for _, flag := range []string{"relay-data", "relay-duration", "relay-allow"} {
			if s.from(flag) == "--"+flag && s.flags.Changed(flag) { // a file, such as one that was printed, has it all
				return nil, cli.Usage(serveName, "%s says what a relay does, and --relay is missing", s.from(flag))
			}
		}
		return nil, nil
	}
	if reachability != network.ReachabilityPublic {
		return nil, cli.Usage(serveName, "%s: a relay must be public, not %s", s.from("reachability"), reachability)
	}
	r := &network.Relay{Data: s.relayData, Duration: time.Duration(s.relayDuration) * time.Millisecond}
	for _, id := range s.relayAllow {
		if _, err := identity.ParsePeerID(id); err != nil {
			return nil, cli.Usage(serveName, "%s: %v", s.from("relay-allow"), err)
		}
		decoded, err := peer.Decode(id)
		if err != nil {
			return nil, cli.Usage(serveName, "%s: %v", s.from("relay-allow"), err)
		}
		r.Allow = append(r.Allow, decoded)
	}
	return r, nil
}

// from says where the value of a flag comes from.
func (s *serve) from(flag string) string { return s.flags.Origin(flag) }

// lines puts each value on a line; a machine without a network has no addresses.
func lines(values []string) []byte {
	var out []byte
	for _, v := range values {
		out = append(out, v+"\n"...)
	}
	return out
}
