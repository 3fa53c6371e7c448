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

// trust is to which nodes the job may go.
type trust struct {
	ids  map[string]bool
	any  bool
	file string          // where a line admits a node; "" where a flag does
	near []peer.AddrInfo // where those of them are that a file says it of
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

// whom puts together the nodes that --peer names, and whom --peer, --signer and --trust
// trust. Where none of them is given, the user's own trust file counts, if there is one.
func (o *options) whom(in *cli.Invocation) ([]peer.AddrInfo, *trust, error) {
	t := &trust{ids: map[string]bool{}}
	o.names = cli.OwnNames(in.Getenv)
	if err := o.readTrust(in, t); err != nil {
		return nil, nil, err
	}
	peers, err := parsePeers(o.peers, o.names)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range peers {
		t.ids[p.ID.String()] = true
	}
	for _, s := range o.signers {
		key, err := o.names.Signer(s, identity.ReadFile)
		if err != nil {
			return nil, nil, &job.Error{
				Code: job.CodeUsage, Message: fmt.Sprintf("--signer: %v", err),
				Hint: cli.AsError(err).Hint, Err: err,
			}
		}
		t.ids[identity.PeerIDOf(key)] = true
	}
	if len(o.peers) == 0 && o.peersFile == "" {
		o.where.Know(t.near)
	}
	return peers, t, nil
}

// readTrust reads the trust file that counts, if there is one.
func (o *options) readTrust(in *cli.Invocation, t *trust) error {
	named := len(o.peers)+len(o.signers) > 0
	file, origin, mustBe := o.trust, o.flags.Origin("trust"), true
	if file == "" && !named {
		file, origin = in.Getenv(cli.TrustVariable), cli.TrustVariable
	}
	if file == "" && !named {
		file, mustBe = cli.DefaultTrust(in.Getenv), false
	}
	switch file {
	case "":
		return nil
	case cli.TrustAny:
		t.any = true
		return nil
	case "-":
	default:
		t.file = file
	}
	err := o.readList(in, t, file, mustBe)
	if err != nil && mustBe {
		return cli.AboutOrigin(origin, err)
	}
	return err
}

// readList adds the peers of a trust file.
func (o *options) readList(in *cli.Invocation, t *trust, file string, mustBe bool) error {
	listed, err := cli.ReadTrust(file, in.Stdin)
	if errors.Is(err, fs.ErrNotExist) && !mustBe {
		return nil
	}
	if err != nil {
		return err
	}
	o.names.Add(listed)
	t.any = t.any || listed.Any
	for _, p := range listed.Peers {
		t.ids[p.ID] = true
		if len(p.Addrs) == 0 {
			continue
		}
		near, err := located(p.ID, p.Addrs)
		if err != nil {
			return cli.AboutOrigin(file, err)
		}
		t.near = append(t.near, near)
	}
	return nil
}

// located is a peer at addresses, which may leave its ID out.
func located(id string, addrs []string) (peer.AddrInfo, error) {
	info := peer.AddrInfo{}
	for _, addr := range addrs {
		if !strings.HasSuffix(addr, "/p2p/"+id) {
			addr += "/p2p/" + id
		}
		at, err := network.ParseAddrs([]string{addr})
		if err != nil {
			return info, err
		}
		info.ID, info.Addrs = at[0].ID, append(info.Addrs, at[0].Addrs...)
	}
	if len(addrs) > 0 {
		return info, nil
	}
	var err error
	info.ID, err = peer.Decode(id)
	return info, err
}

// parsePeers reads --peer MULTIADDR|PEERID|NAME.
func parsePeers(values []string, names *cli.Names) ([]peer.AddrInfo, error) {
	var infos []peer.AddrInfo
	for _, value := range values {
		info, err := parsePeer(value, names)
		if err != nil {
			e := *cli.AsError(err)
			e.Code, e.Message = job.CodeUsage, "--peer: "+e.Message
			return nil, &e
		}
		if i := slices.IndexFunc(infos, func(known peer.AddrInfo) bool { return known.ID == info.ID }); i >= 0 {
			infos[i].Addrs = append(infos[i].Addrs, info.Addrs...)
			continue
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// parsePeer reads one of them.
func parsePeer(value string, names *cli.Names) (info peer.AddrInfo, err error) {
	if strings.HasPrefix(value, "/") {
		named, err := network.ParseAddrs([]string{value})
		if err != nil {
			return info, err
		}
		_, err = identity.ParsePeerID(named[0].ID.String())
		return named[0], err
	}
	p, err := names.Find(value)
	if err != nil {
		return info, err
	}
	if p != nil {
		return located(p.ID, p.Addrs)
	}
	if _, err := identity.ParsePeerID(value); err != nil {
		return info, &job.Error{
			Code: job.CodeUsage, Message: err.Error(), Err: err,
			Hint: "name a peer ID, an address that ends in /p2p/ and one, or a name of your trust file",
		}
	}
	return located(value, names.Addrs(value))
}
