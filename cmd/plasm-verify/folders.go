package main

import (
	"context"

	"plasm/lib/cli"
	"plasm/lib/job"
	"plasm/lib/receipt"
	"plasm/lib/tree"
)

// explain adds the first path that differs to the refusal of a folder, where the tree that
// was signed came with the receipt.
func (e *evidence) explain(refusal *receipt.RefusalError, verified *receipt.Verified) {
	if refusal.Reason != receipt.WrongDirs {
		return
	}
	for _, d := range verified.Outcome.Dirs {
		signed, here := e.received.trees[d.Tree], e.left[d.Guest]
		if signed == nil || here == nil {
			continue
		}
		if path, what := tree.Difference(signed, here); path != "" {
			refusal.Detail += ": " + job.Quote(path) + " " + what
			return
		}
	}
}

// gatherFolders reads the folders that the job began with, and those that it has left.
func (o *options) gatherFolders(e *evidence) error {
	x, err := tree.NewExclude(o.excludes)
	if err != nil {
		return cli.Usage(name, "--exclude: %v", err)
	}
	ctx := context.Background() // plasm-verify ends by signals at once
	var sources []tree.Source
	for _, in := range o.ins {
		path, guest, ok := job.CutSource(in)
		if !ok {
			return cli.Usage(name, "--in: %q is not PATH::GUEST", in)
		}
		sources = append(sources, tree.Source{Path: path, Guest: guest})
	}
	var written []string
	for _, out := range o.outs {
		guest, path, ok := job.CutTarget(out)
		if !ok {
			return cli.Usage(name, "--out: %q is not GUEST::PATH", out)
		}
		b := tree.NewBuilder(tree.Discard, nil)
		if err := b.Add(ctx, path, ""); err != nil {
			return cli.AboutOrigin("--out", err)
		}
		t, err := b.Tree()
		if err != nil {
			return err
		}
		written = append(written, guest)
		if e.left == nil {
			e.left = map[string]*tree.Tree{}
		}
		e.left[guest] = t
		e.expect.Out = append(e.expect.Out, receipt.Folder{Guest: guest, Tree: t.Digest()})
	}
	folders, err := tree.Gather(ctx, sources, written, tree.Discard, x)
	if err != nil && len(o.ins) > 0 {
		return cli.AboutOrigin("--in", err)
	}
	if err != nil {
		return err
	}
	for _, f := range folders {
		if f.ReadOnly || len(f.Tree.Entries) > 0 { // what only --out names is not asked about
			e.expect.In = append(e.expect.In, receipt.Folder{Guest: f.Guest, Tree: f.Tree.Digest()})
		}
	}
	return nil
}
