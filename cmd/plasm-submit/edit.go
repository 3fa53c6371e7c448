package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"plasm/lib/cli"
	"plasm/lib/identity"
	"plasm/lib/job"
)

// trustEdit are the flags that look after the user's own trust file.
type trustEdit struct {
	add, remove []string
	list        bool
}

// addTrustEdit adds them.
func (o *options) addTrustEdit(f *cli.Flags) {
	f.List(&o.edit.add, cli.Flag{
		Name: "trust-add", Category: whom, Value: "PEER[=NAME]",
		Usage: "add this node to your trust file, or give it a name there, and stop",
		More:  "A peer ID, or with a name an address that ends in `/p2p/PEERID`.",
	})
	f.List(&o.edit.remove, cli.Flag{
		Name: "trust-remove", Category: whom, Value: "PEER",
		Usage:    "remove this node, by its peer ID or name, and stop",
		Complete: cli.Completion{Peers: true},
	})
	f.Switch(&o.edit.list, cli.Flag{
		Name: "trust-list", Category: whom, Usage: "print whom your trust file names, as it does, and stop",
		More: "With `--json` a document: `any`, and `peers`, each with its `peer_id`, and where they are there " +
			"`name` and `addrs`.",
	})
}

// given reports whether the command is to look after the trust file.
func (e *trustEdit) given() bool { return e.list || len(e.add)+len(e.remove) > 0 }

// editTrust looks after the user's own trust file.
func (o *options) editTrust(in *cli.Invocation) error {
	e := &o.edit
	if args := o.flags.Args(); len(args) > 0 {
		return cli.Usage(name, "--trust-add, --trust-remove and --trust-list take no MODULE: %s", args[0])
	}
	if e.list && len(e.add)+len(e.remove) > 0 {
		return cli.Usage(name, "--trust-list changes nothing: leave out --trust-add and --trust-remove")
	}
	for _, flag := range []string{"trust", "peer", "peers", "signer", "job", "each", "batch"} {
		if o.flags.Changed(flag) {
			return cli.Usage(name, "--%s has no meaning where the trust file is edited or listed: %s", flag,
				"which is that of PLASM_TRUST or your own")
		}
	}
	file := cli.OwnTrust(in.Getenv)
	if in.Getenv(cli.TrustVariable) == cli.TrustAny {
		return &job.Error{
			Code: job.CodeUsage, Message: cli.TrustVariable + " is any: no file says whom to trust",
			Hint: "unset it, or let it name a file",
		}
	}
	if o.job.JSON && !e.list {
		return cli.Usage(name, "--json has no meaning where the trust file is edited: nothing is printed")
	}
	if file == "" {
		return &job.Error{
			Code:    job.CodeUsage,
			Message: "no place for a trust file: neither XDG_CONFIG_HOME nor HOME is an absolute path",
			Hint:    "say where it is with " + cli.TrustVariable,
		}
	}
	if e.list {
		return o.listTrust(in, file)
	}
	return e.change(in, file)
}

// change edits the file, and says what has become of it.
func (e *trustEdit) change(in *cli.Invocation, file string) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if len(e.add) > 0 {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("no folder for the trust file: %v", err), Err: err}
		}
	}
	for _, word := range e.add {
		p, err := identity.TrustFile.ParseWord(word)
		if err == nil && len(p.Addrs) > 0 {
			_, err = located(p.ID, p.Addrs)
		}
		if err != nil {
			return cli.AboutOrigin("--trust-add", err)
		}
	}
	for _, word := range e.remove {
		if _, notID := identity.ParsePeerID(word); notID != nil && !identity.IsName(word) && word != cli.TrustAny {
			return cli.Usage(name, "--trust-remove: %s is neither a peer ID nor a name", job.Quote(word))
		}
	}
	changed, err := identity.EditList(file, identity.ListEdit{Kind: identity.TrustFile, Add: e.add, Remove: e.remove})
	if errors.Is(err, fs.ErrNotExist) { // nor its folder: nobody is in it
		changed, err = nil, nil
	}
	if err != nil {
		return err
	}
	tell := func(words []string, did, had string) {
		for i, word := range words {
			switch {
			case slices.Contains(words[:i], word):
			case slices.Contains(changed, word):
				say(in.Stderr, "", file+": "+did+" "+word)
			default:
				say(in.Stderr, "", file+": "+word+" "+had)
			}
		}
	}
	tell(e.remove, "removed", "was not there")
	tell(e.add, "added", "was there already")
	return nil
}

// trusted is what --trust-list --json prints.
type trusted struct {
	Any   bool          `json:"any"` // everybody is trusted
	Peers []trustedPeer `json:"peers"`
}

type trustedPeer struct {
	PeerID string   `json:"peer_id"`
	Name   string   `json:"name,omitempty"`
	Addrs  []string `json:"addrs,omitempty"`
}

// listTrust prints whom a trust file names, in its own form or as a document. One that is not there names nobody.
func (o *options) listTrust(in *cli.Invocation, file string) error {
	listed, err := cli.ReadTrust(file, nil)
	if errors.Is(err, fs.ErrNotExist) {
		listed, err = &identity.List{}, nil
	}
	if err != nil {
		return err
	}
	if o.job.JSON {
		document := trusted{Any: listed.Any, Peers: []trustedPeer{}}
		for _, p := range listed.Peers {
			document.Peers = append(document.Peers, trustedPeer{p.ID, p.Name, p.Addrs})
		}
		var line bytes.Buffer
		if err := cli.WriteJSON(&line, document); err != nil {
			return err
		}
		return in.Print(line.Bytes())
	}
	var out []byte
	if listed.Any {
		out = append(out, cli.TrustAny+"\n"...)
	}
	for _, p := range listed.Peers {
		out = append(out, p.String()+"\n"...)
	}
	return in.Print(out)
}
