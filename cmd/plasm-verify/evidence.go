package main

import (
	"bufio"
	"crypto/ed25519"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"plasm/lib/cli"
	"plasm/lib/job"
	"plasm/lib/receipt"
	"plasm/lib/tree"
)

// evidence is all that a verdict is made from, read once: what is printed or
// run again is what was compared, whatever happens to the files meanwhile.
type evidence struct {
	log      *slog.Logger
	trusted  []ed25519.PublicKey
	received *received
	expect   receipt.Expect
	more     [][]byte              // receipts of others, with --quorum
	left     map[string]*tree.Tree // what --out names, by path in the guest

	printable *cli.Spool // what --print writes of the job's output, or nil
	lines     *lines     // of a batch, in place of received
	folder    string     // of the job's module and input, with --rerun
	hasModule bool
	hasStdin  bool
}

// The names in evidence.folder.
const (
	moduleFile = "module.wasm"
	stdinFile  = "stdin"
)

func (e *evidence) close() {
	if e.printable != nil {
		_ = e.printable.Close() // it was only read
	}
	if e.lines != nil {
		_ = e.lines.file.Close() // it was only read
	}
	if e.folder != "" {
		if err := os.RemoveAll(e.folder); err != nil {
			e.log.Warn("a temporary folder is left behind", "folder", e.folder, "error", err)
		}
	}
}

// gather reads everything that the command line names.
func (o *options) gather(in *cli.Invocation, e *evidence) error {
	var err error
	if e.trusted, err = o.trusted(in); err != nil {
		return err
	}
	e.expect.Guards, e.expect.ExitCodes = o.guards, o.exitCodes
	if o.rerun {
		if e.folder, err = os.MkdirTemp("", "plasm-verify-"); err != nil {
			return fileError("temporary folder", err)
		}
	}
	if o.manifest != "" {
		if e.expect.Manifest, err = readManifest(in, o.manifest); err != nil {
			return o.flags.About("manifest", err)
		}
	}
	if err := o.gatherJob(in, e); err != nil {
		return err
	}
	if err := o.gatherOutput(in, e); err != nil {
		return err
	}
	if err := o.gatherFolders(e); err != nil {
		return err
	}
	return o.gatherReceipt(in, e)
}

// gatherJob reads what went into the job.
func (o *options) gatherJob(in *cli.Invocation, e *evidence) error {
	if o.module != "" {
		module, err := e.keep(in, o.module, moduleFile)
		if err != nil {
			return o.flags.About("module", err)
		}
		e.expect.Module, e.hasModule = module.Digest, true
	}
	if o.stdin != "" {
		stdin, err := e.keep(in, o.stdin, stdinFile)
		if err != nil {
			return o.flags.About("stdin", err)
		}
		e.expect.Stdin, e.hasStdin = []receipt.Content{stdin}, true
	}
	return nil
}

// keep reads a file and, when the job may be run again, keeps a copy.
func (e *evidence) keep(in *cli.Invocation, file, as string) (receipt.Content, error) {
	if e.folder == "" {
		return digestFile(in, file, io.Discard)
	}
	copied, err := os.OpenFile(filepath.Join(e.folder, as), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return receipt.Content{}, fileError("temporary file", err)
	}
	content, err := digestFile(in, file, copied)
	if closed := copied.Close(); err == nil && closed != nil {
		err = fileError("temporary file", closed)
	}
	return content, err
}

// gatherOutput reads what the caller has of the job's output.
func (o *options) gatherOutput(in *cli.Invocation, e *evidence) error {
	for _, f := range []struct {
		name, file string
		into       *[]receipt.Content
	}{{printStdout, o.stdout, &e.expect.Stdout}, {printStderr, o.stderr, &e.expect.Stderr}} {
		if f.file == "" {
			continue
		}
		content, err := digestFile(in, f.file, e.spool(o.print == f.name))
		if err != nil {
			return o.flags.About(f.name, err)
		}
		*f.into = append(*f.into, content)
	}
	return nil
}

// spool returns where a stream goes that may be printed later: nowhere, unless
// it is wanted and not there already.
func (e *evidence) spool(wanted bool) io.Writer {
	if !wanted || e.printable != nil {
		return io.Discard
	}
	e.printable = &cli.Spool{}
	return e.printable
}

// gatherReceipt reads the receipt, and the outputs in a result document.
func (o *options) gatherReceipt(in *cli.Invocation, e *evidence) error {
	if f, ok := in.Stdin.(*os.File); ok && len(o.flags.Args()) == 0 && isTerminal(f) {
		return cli.Usage(name, "no receipt: name a file, or pipe one in")
	}
	f, err := openFile(in, o.receipt)
	if err != nil {
		return err
	}
	b := bufio.NewReaderSize(f, job.MaxEnvelope+1)
	if isBatch(b) {
		e.lines = &lines{r: b, file: f}
		return o.checkLines()
	}
	defer func() { _ = f.Close() }()
	for _, file := range o.more {
		other, err := cli.ReadFile(file, nil, job.MaxEnvelope)
		if err != nil {
			return err
		}
		e.more = append(e.more, other)
	}
	stdout, stderr := newDigester(io.Discard), newDigester(io.Discard)
	e.received, err = read(b, func() (io.Writer, io.Writer) {
		stdout.to, stderr.to = e.spool(o.print == printStdout), e.spool(o.print == printStderr)
		return stdout, stderr
	})
	if err != nil {
		return fileError(o.receipt, err)
	}
	if e.received.outputs {
		e.expect.Stdout = append(e.expect.Stdout, stdout.content())
		e.expect.Stderr = append(e.expect.Stderr, stderr.content())
		e.expect.Carried = slices.Sorted(maps.Keys(e.received.trees))
	}
	return nil
}

// readManifest reads the manifest that a receipt must be about, with its id or without.
func readManifest(in *cli.Invocation, file string) (*job.Manifest, error) {
	data, err := cli.ReadFile(file, in.Stdin, job.MaxManifest)
	if err != nil {
		return nil, err
	}
	m, err := job.DecodeDraft(data)
	if err == nil && m.ModuleHash == "" {
		err = &job.FieldError{Path: "manifest.module_hash", Problem: "missing"}
	}
	if err != nil {
		return nil, &job.Error{Code: job.CodeBadManifest, Message: fmt.Sprintf("%s: %v", file, err), Err: err}
	}
	return m, nil
}
