package cli

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/wasm"
)

// MaxModule is the longest module that the commands read, in bytes.
const MaxModule = 64 << 20

// errIsDirectory marks the error of reading or writing a folder.
var errIsDirectory = errors.New("is a directory")

// ReadFile reads a file of at most limit bytes, or standard input for "-".
func ReadFile(name string, stdin io.Reader, limit int64) ([]byte, error) {
	f, err := open(name, stdin)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fileError(name, err)
	}
	if int64(len(data)) > limit {
		return nil, &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("%s: longer than %d bytes", shown(name), limit)}
	}
	return data, nil
}

// open opens a file to read, or standard input for "-".
func open(name string, stdin io.Reader) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(stdin), nil
	}
	return openFile(name)
}

// openFile opens a file to read.
func openFile(name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fileError(name, err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errIsDirectory
	}
	if err != nil {
		_ = f.Close() // it was only read
		return nil, fileError(name, err)
	}
	return f, nil
}

// readModule reads a module, and returns its digest too. What can never be one has
// the code that says so.
func readModule(name string, stdin io.Reader) ([]byte, job.Digest, error) {
	f, err := open(name, stdin)
	if errors.Is(err, errIsDirectory) {
		return nil, "", &job.Error{
			Code: job.CodeBadModule, Message: AsError(err).Message, Hint: "name a .wasm file",
			Err: err,
		}
	}
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = f.Close() }() // it was only read
	var module moduleBuffer
	digest, err := module.fill(f)
	if err != nil {
		if e, ok := errors.AsType[*job.Error](err); ok {
			return nil, "", about(name, e)
		}
		return nil, "", fileError(name, err)
	}
	if err := engine.CheckHeader(module.Bytes()); err != nil {
		return nil, "", about(name, err) // and nothing of it has gone anywhere
	}
	return module.Bytes(), digest, nil
}

// AboutModule names the file that holds the module in an error that blames the
// module; any other error is returned as it is.
func (j *JobFlags) AboutModule(operands []string, err error) error {
	switch AsError(err).Code {
	case job.CodeBadModule, job.CodeModuleRefused, job.CodeCompileLimit:
		name := j.Job
		if name == "" {
			name = operands[0]
		}
		return about(name, err)
	default:
		return err
	}
}

// moduleBuffer holds a module while it is read, and refuses one that is too long.
type moduleBuffer struct{ bytes.Buffer }

func (b *moduleBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > MaxModule {
		return 0, b.tooLong()
	}
	return b.Buffer.Write(p)
}

// fill reads all of r, without copying where r is a file, and digests it meanwhile;
// of one that is too long, no more than it takes to say what it is.
func (b *moduleBuffer) fill(r io.Reader) (job.Digest, error) {
	limit := int64(MaxModule + 1)
	if f, ok := r.(*os.File); ok {
		info, err := f.Stat()
		switch {
		case err != nil:
			return "", err
		case info.Size() > MaxModule:
			limit = int64(wasm.HeaderSize)
		default:
			if info.Size() >= largeModule {
				collectLate()
			}
			b.Buffer = *bytes.NewBuffer(engine.Room(int(info.Size()) + bytes.MinRead)) // Grow would clear it
		}
	}
	d := newDigester(io.LimitReader(r, limit))
	n, err := b.ReadFrom(d)
	digest := d.end()
	if err == nil && n == limit {
		err = b.tooLong()
	}
	return digest, err
}

// digester digests what is read through it, piece by piece beside, in the memory that
// it is read into: reading a file takes as long as digesting it.
type digester struct {
	r      io.Reader
	pieces chan []byte
	digest chan job.Digest
}

// digestPiece is how much is read at a time, in bytes, at most.
const digestPiece = 256 << 10

func newDigester(r io.Reader) *digester {
	d := &digester{r: r, pieces: make(chan []byte, MaxModule/digestPiece), digest: make(chan job.Digest, 1)}
	go func() {
		sum := sha256.New()
		for p := range d.pieces {
			sum.Write(p)
		}
		d.digest <- job.DigestOf(sum.Sum(nil))
	}()
	return d
}

// Read reads into memory that nobody may write to afterwards.
func (d *digester) Read(p []byte) (int, error) {
	n, err := d.r.Read(p[:min(len(p), digestPiece)])
	if n > 0 {
		d.pieces <- p[:n]
	}
	return n, err
}

// end returns the digest of all that was read.
func (d *digester) end() job.Digest {
	close(d.pieces)
	return <-d.digest
}

func (b *moduleBuffer) tooLong() error {
	if err := engine.CheckHeader(b.Bytes()); err != nil {
		return err
	}
	return &job.Error{
		Code:    job.CodeModuleRefused,
		Message: fmt.Sprintf("the module is longer than %d bytes, the most that one may be", int64(MaxModule)),
	}
}

// fileError says what is wrong with a file, by its name.
func fileError(name string, err error) error {
	code := job.CodeIO
	if errors.Is(err, fs.ErrNotExist) {
		code = job.CodeNotFound
	}
	return &job.Error{Code: code, Message: fmt.Sprintf("%s: %v", shown(name), cause(err)), Err: err}
}

// inputError says what is wrong with the guest's input.
func inputError(err error) error {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return e
	}
	return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("reading the input: %v", cause(err)), Err: err}
}

// cause is err without the operation and the path that package os puts before
// it.
func cause(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	if linkErr, ok := errors.AsType[*os.LinkError](err); ok {
		return linkErr.Err
	}
	if callErr, ok := errors.AsType[*os.SyscallError](err); ok {
		return callErr.Err
	}
	return err
}

// shown is what messages call a file to read.
func shown(name string) string {
	switch name {
	case "-":
		return standardInput
	case "":
		return strconv.Quote(name)
	}
	return name
}
