package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/cli"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/network"
)

// trustVariable names the trust file where no flag says whom to trust.
const trustVariable = "PLASM_TRUST"

// trustAny is the word that trusts everybody.
const trustAny = "any"

// trust is to which nodes the job may go.
type trust struct {
	ids  map[string]bool
	any  bool
	file string // where a line admits a node; "" where a flag does
}

// trusts reports whether a job may go to a node.
func (t *trust) trusts(id string) bool { return t.any || t.ids[id] }

// admit returns the line that admits a node.
func (t *trust) admit(id string) string {
	if t.file == "" {
		return "--signer " + id
	}
	_ = os.MkdirAll(filepath.Dir(t.file), 0o700) // so that the line works; where it can't, the shell says it
	return "echo " + id + " >> " + quoted(t.file)
}

// quoted is a file's name as a shell takes it.
func quoted(file string) string {
	plain := strings.Trim(file, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,@%")
	if plain == "" && file[0] != '-' {
		return file
	}
	return "'" + strings.ReplaceAll(file, "'", `'\''`) + "'"
}

// readTrust puts together whom --peer, --signer and --trust name. Where none of
// them is given, the user's own trust file counts, if there is one.
func (o *options) readTrust(in *cli.Invocation, peers []peer.AddrInfo) (*trust, error) {
	t := &trust{ids: map[string]bool{}}
	for _, p := range peers {
		t.ids[p.ID.String()] = true
	}
	for _, s := range o.signers {
		key, err := identity.ParseSigner(s, identity.ReadFile)
		if err != nil {
			return nil, &job.Error{Code: job.CodeUsage, Message: fmt.Sprintf("--signer: %v", err), Hint: cli.AsError(err).Hint, Err: err}
		}
		t.ids[identity.PeerIDOf(key)] = true
	}
	file, origin, mustBe := o.trust, o.flags.Origin("trust"), true
	if file == "" && len(peers)+len(o.signers) == 0 {
		file, origin = in.Getenv(trustVariable), trustVariable
	}
	if file == "" {
		t.file, mustBe = defaultTrust(in.Getenv), false
		if len(peers)+len(o.signers) > 0 {
			t.file = "" // it would not count
			return t, nil
		}
		file = t.file
	}
	switch file {
	case "":
		return t, nil
	case trustAny:
		t.any = true
		return t, nil
	case "-":
	default:
		t.file = file
	}
	if err := t.read(in, file, mustBe); err != nil && mustBe {
		return nil, cli.AboutOrigin(origin, err)
	} else if err != nil {
		return nil, err
	}
	return t, nil
}

// read adds the peers of a trust file.
func (t *trust) read(in *cli.Invocation, file string, mustBe bool) error {
	data, err := cli.ReadFile(file, in.Stdin, 1<<20)
	if errors.Is(err, fs.ErrNotExist) && !mustBe {
		return nil
	}
	if err != nil {
		return err
	}
	listed, err := identity.ParseTrust(data, file)
	if err != nil {
		return err
	}
	for _, key := range listed.Keys {
		t.ids[identity.PeerIDOf(key)] = true
	}
	t.any = t.any || listed.Any
	return nil
}

// defaultTrust returns where a user's trust file is, or "" where there is no home.
func defaultTrust(getenv func(string) string) string {
	base := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(base) {
		home := getenv("HOME")
		if !filepath.IsAbs(home) {
			return ""
		}
		base = filepath.Join(home, ".config")
	}
	return filepath.Join(base, "plasm", "trust")
}

// parsePeers reads --peer MULTIADDR|PEERID.
func parsePeers(values []string) ([]peer.AddrInfo, error) {
	var infos []peer.AddrInfo
	var addrs []string
	for _, value := range values {
		if strings.HasPrefix(value, "/") {
			addrs = append(addrs, value)
			continue
		}
		if _, err := identity.ParsePeerID(value); err != nil {
			return nil, cli.Usage(name, "--peer: %v, or an address that ends in /p2p/ and one", err)
		}
		id, err := peer.Decode(value)
		if err != nil {
			return nil, cli.Usage(name, "--peer: %v", err)
		}
		infos = append(infos, peer.AddrInfo{ID: id})
	}
	named, err := network.ParseAddrs(addrs)
	if err != nil {
		e := *cli.AsError(err)
		e.Message = "--peer: " + e.Message
		return nil, &e
	}
	for _, p := range named {
		if _, err := identity.ParsePeerID(p.ID.String()); err != nil {
			return nil, cli.Usage(name, "--peer: %v", err)
		}
		if i := slices.IndexFunc(infos, func(known peer.AddrInfo) bool { return known.ID == p.ID }); i >= 0 {
			infos[i].Addrs = append(infos[i].Addrs, p.Addrs...)
			continue
		}
		infos = append(infos, p)
	}
	return infos, nil
}
