package bulk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"plasm/lib/batch"
	"plasm/lib/cli"
	"plasm/lib/cli/reuse"
	"plasm/lib/job"
)

// Command is a command's batch.
type Command struct {
	Name  string
	Flags *Flags
	Job   *cli.JobFlags
	Fleet *batch.Fleet

	Retries  int
	Patience time.Duration                     // as batch.Config has it
	Expired  error                             // as batch.Config has it
	Outrun   error                             // as batch.Config has it
	Hedge    time.Duration                     // as batch.Config has it
	Deadline func(*job.Manifest) time.Duration // of a job, from its first attempt on; 0: any time
	Nowhere  func(error) error                 // the error for a batch without places; nil: as it is
	Where    func(*batch.Summary) string       // goes into the closing line, such as "on 3 nodes"; nil: nothing
	Verbose  bool                              // tell of each place at the end
	Called   func(place string) string         // what words for people call a place; nil: as it is
	Shelf    *reuse.Shelf                      // of --results; nil: none

	// Attempt runs a task once, as batch.Job has it. Its manifest has its ID.
	Attempt func(ctx context.Context, t *Task, a batch.Attempt, started func()) (*batch.Result, *batch.Failure)

	shared *cli.Shared
}

// Plan is a batch whose list, log and module can be used.
type Plan struct {
	c    *Command
	in   *cli.Invocation
	list list
	file io.Closer
	size int64 // of the list, 0 where that is not known
	log  *batch.Log
}

// list is a batch.List that says how far it has been read.
type list interface {
	batch.List
	Read() int64
}

// Prepare reads what all items have in common and opens list and log, before any job.
// The flags must have passed Check. stdin is the command's own, nil where something
// else reads it. Close must follow.
func (c *Command) Prepare(in *cli.Invocation, operands []string, dirs []job.Dir,
	place func(*job.Manifest) error,
) (*Plan, error) {
	if err := c.Flags.checkTemplate(); err != nil {
		return nil, err
	}
	own := *in
	if c.Flags.list() == "-" {
		own.Stdin = nil
	}
	var err error
	if c.shared, err = c.Job.DescribeShared(&own, operands, dirs, c.Flags.folders, c.Flags.Each != "",
		place); err != nil {
		return nil, err
	}
	p := &Plan{c: c, in: in}
	if err := p.open(in, operands); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Shared returns what the jobs have in common.
func (p *Plan) Shared() *cli.Shared { return p.c.shared }

// open opens the list and the log.
func (p *Plan) open(in *cli.Invocation, operands []string) error {
	f := p.c.Flags
	r, err := p.openList(in)
	if err != nil {
		return err
	}
	targets := newTargets()
	if f.Each != "" {
		end, t := byte('\n'), f.template(operands)
		if f.nul {
			end = 0
		}
		p.list = batch.NewLines(r, end, func(text string, number int64) (*batch.Item, error) {
			line, err := t.Fill(text, number)
			if err != nil {
				return nil, err
			}
			return p.item(targets, line, number)
		})
	} else {
		p.list = batch.NewObjects(r, func(line *batch.Line, number int64) (*batch.Item, error) {
			return p.item(targets, line, number)
		})
	}
	if f.joblog != "" {
		p.log, err = batch.OpenLog(f.joblog, f.resume)
	}
	return err
}

// openList opens the file with the list, or standard input.
func (p *Plan) openList(in *cli.Invocation) (io.Reader, error) {
	name := p.c.Flags.list()
	if name == "-" {
		if f, ok := in.Stdin.(*os.File); ok {
			p.size = sizeOf(f)
		}
		return in.Stdin, nil
	}
	f, err := os.Open(name)
	if err == nil {
		p.file = f
		var info fs.FileInfo
		if info, err = f.Stat(); err == nil && info.IsDir() {
			err = errors.New("is a directory")
		}
	}
	if err != nil {
		code := job.CodeIO
		if errors.Is(err, fs.ErrNotExist) {
			code = job.CodeNotFound
		}
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err
		}
		return nil, &job.Error{Code: code, Message: fmt.Sprintf("%s %s: %v", p.c.Flags.flag(), name, err), Err: err}
	}
	p.size = sizeOf(f)
	return f, nil
}

// sizeOf is how many bytes there are to read of a file, 0 where that is not known.
func sizeOf(f *os.File) int64 {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return max(info.Size()-at, 0)
}

// item makes the item of a line.
func (p *Plan) item(all *targets, line *batch.Line, number int64) (*batch.Item, error) {
	it := &batch.Item{Index: number, Label: line.Label, Line: line, Filed: p.c.shared.Filed(line)}
	if p.c.Job.JSON && (line.Stdout != "" || line.Stderr != "") {
		return it, &job.Error{
			Code:    job.CodeUsage,
			Message: "--json puts output into the line about the item: leave out stdout_file and stderr_file",
		}
	}
	own, err := p.c.shared.Targets(line)
	if err != nil {
		return it, err
	}
	return it, all.add(own, number)
}

// targets are what the outputs of all items so far lead to.
type targets struct {
	all     paths
	folders paths // those that are made as a whole
	around  paths // the folders that outputs are in, of any depth
}

func newTargets() *targets { return &targets{paths{}, paths{}, paths{}} }

// paths are paths by the beginning of their digest: there may be millions.
type paths map[[16]byte]struct{}

func (p paths) add(path string) { p[keyOf(path)] = struct{}{} }

func (p paths) has(path string) bool {
	_, ok := p[keyOf(path)]
	return ok
}

// add adds the outputs of an item, and refuses one that another has, or that is in a
// folder of another or around an output of another.
func (t *targets) add(own []cli.Target, number int64) error {
	for _, target := range own {
		if t.all.has(target.Path) || target.Folder && t.around.has(target.Path) ||
			slices.ContainsFunc(around(target.Path), t.folders.has) {
			return &job.Error{
				Code: job.CodeUsage, Message: target.Name + " is the output of an item before it, too",
				Hint: fmt.Sprintf("{#}, here %d, makes names that differ", number),
			}
		}
	}
	for _, target := range own {
		t.all.add(target.Path)
		if target.Folder {
			t.folders.add(target.Path)
		}
		for _, folder := range around(target.Path) {
			t.around.add(folder)
		}
	}
	return nil
}

// around returns the folders that an absolute path is in.
func around(path string) []string {
	var all []string
	for at := strings.LastIndexByte(path, '/'); at > 0; at = strings.LastIndexByte(path, '/') {
		path = path[:at]
		all = append(all, path)
	}
	return all
}

func keyOf(target string) (key [16]byte) {
	sum := sha256.Sum256([]byte(target))
	copy(key[:], sum[:])
	return key
}

// Close lets go of list and log.
func (p *Plan) Close() {
	if p.file != nil {
		_ = p.file.Close() // it was only read
	}
	_ = p.log.Close() // what was wrong with it is known
}

// Run runs the batch, and returns the exit code of the command where the error is nil.
func (p *Plan) Run(ctx context.Context) (int, error) {
	f := p.c.Flags
	out := newTerminal(p.in)
	b := batch.New(batch.Config{
		Runner: runner{p.c}, Fleet: p.c.Fleet, Log: p.log,
		Parallel: int(f.Parallel), Retries: p.c.Retries, Unordered: f.unordered, Halt: f.halt,
		Patience: p.c.Patience, Expired: p.c.Expired, Outrun: p.c.Outrun, Hedge: p.c.Hedge, Stdout: out.stdout,
		Stderr: out.stderr,
		Note:   func(text string) { _, _ = fmt.Fprintf(out.stderr, "%s: %s\n", p.c.Name, cli.OneLine(text)) },
	})
	stop := out.show(p.status(b))
	s, err := b.Run(ctx, p.list)
	stop()
	if err != nil {
		return 0, p.broken(s, err)
	}
	p.close(s)
	if s.Failed > 0 {
		return cli.ExitBatch, nil
	}
	return 0, nil
}

// close tells what came of the batch.
func (p *Plan) close(s *batch.Summary) {
	p.places(s)
	if p.c.Job.Quiet {
		return
	}
	_, _ = fmt.Fprintf(p.in.Stderr, "%s: %s\n", p.c.Name, p.sum(s))
}

// sum says what came of the batch in a line.
func (p *Plan) sum(s *batch.Summary) string {
	text := fmt.Sprintf("%d of %d exited 0", s.Succeeded, s.Items)
	if s.Resumed > 0 {
		text += fmt.Sprintf(" (%d had ended before)", s.Resumed)
	}
	if p.c.Where != nil {
		text += ", " + p.c.Where(s)
	}
	return text + ", in " + shown(s.Took)
}

// shown is a time as people read it.
func shown(d time.Duration) string {
	unit := time.Millisecond
	if d >= 10*time.Second {
		unit = 100 * time.Millisecond
	}
	return d.Round(unit).String()
}

// places tells of places that have failed, and with Verbose of all.
func (p *Plan) places(s *batch.Summary) {
	if p.c.Where == nil {
		return
	}
	for _, place := range s.Places {
		if place.Failures == 0 && !p.c.Verbose {
			continue
		}
		text := fmt.Sprintf("%s: %s: %d jobs in %s, %d failures", p.c.Name, p.c.called(place.Name), place.Jobs,
			shown(place.Busy), place.Failures)
		if place.Last != nil {
			text += ": " + cli.OneLine(place.Last.Error())
		}
		_, _ = fmt.Fprintln(p.in.Stderr, text)
	}
}

// broken is the error of a batch that was broken off.
func (p *Plan) broken(s *batch.Summary, err error) error {
	if p.c.Nowhere != nil && (errors.Is(err, batch.ErrNoPlace) || errors.Is(err, batch.ErrStarved)) {
		err = p.c.Nowhere(err)
	}
	if err = p.c.Job.AboutModule(p.c.shared.Operands(), err); s.Succeeded+s.Failed == 0 && s.Running == 0 &&
		cli.ExitCode(err) < cli.ExitSignal {
		return err
	}
	p.places(s)
	e := *cli.AsError(err)
	if _, ok := errors.AsType[*cli.SignalError](err); ok {
		e.Code, e.Message = job.CodeCancelled, err.Error()
	}
	e.Message += fmt.Sprintf("; until then %s", p.sum(s))
	e.Hint = strings.TrimSpace(cmp.Or(e.Hint, p.goOn()))
	e.Err = err
	return &e
}

// goOn is the hint for who wants to go on where the batch was broken off.
func (p *Plan) goOn() string {
	name := p.c.Flags.joblog
	switch {
	case name == "":
		return "with --joblog FILE a batch that was stopped can be resumed"
	case p.c.Flags.list() == "-":
		return "the same command with the same list and --resume goes on from here"
	case p.c.Flags.resume:
		return "the same command goes on from here"
	}
	return "the same command with --resume goes on from here"
}
