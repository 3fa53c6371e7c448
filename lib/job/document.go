package job

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
)

// A job document is {"manifest": …, "module": BASE64, "stdin": BASE64}, stdin
// optional. A result document is {"receipt": ENVELOPE, "stdout": BASE64,
// "stderr": BASE64}, with what else a Result has. Both may carry folders, as Carrier says. Both are read and written in
// constant memory, members in any order, at most MaxDocument bytes in all.
//
// Their functions return an *Error: CodeBadManifest for a document that breaks a
// rule, CodeIO when a stream can't be read or written.

// WriteJob writes the job document of m, which must be valid, of the bytes
// of module and stdin, both read to their end, and of folders; stdin nil leaves the
// member out.
// Bytes whose digest isn't the manifest's are an error, but noticed only after
// they were written.
func WriteJob(w io.Writer, m *Manifest, module, stdin io.Reader, folders *Carried) error {
	if err := m.Validate(); err != nil {
		return err
	}
	d := documentWriter{w: w, what: "job document", limit: MaxDocument}
	d.text(`{"manifest":`)
	d.text(string(m.Encode()))
	moduleSum, stdinSum := sha256.New(), sha256.New()
	d.base64("module", io.TeeReader(module, moduleSum))
	if stdin != nil {
		d.base64("stdin", io.TeeReader(stdin, stdinSum))
	}
	d.carried(folders)
	d.text("}\n")
	if d.err != nil {
		return badDocument(d.err)
	}
	return checkJob(m, moduleSum, stdinSum)
}

// Result is what a result document has beside outputs and folders.
type Result struct {
	Envelope []byte   // of the receipt: an object in the profile of 1 to MaxEnvelope bytes
	Trace    []string // of a trap: the functions that were running, as CheckTrace wants them; nobody has signed it
	Receipts [][]byte // envelopes of those that agree, that of Envelope among them; of --quorum
	Dissent  [][]byte // envelopes of the others that were asked
	Reused   bool     // whether it is of an earlier run of the same job
}

// WriteResult writes the result document of r, whose envelopes are written as they
// are, and of the bytes of stdout and stderr, both read to their end.
func WriteResult(w io.Writer, r *Result, stdout, stderr io.Reader, folders *Carried) error {
	return writeResult(w, "", r, stdout, stderr, folders, "\n")
}

// WriteItemResult is WriteResult of an item of a batch: {"index": …, "label": …,
// "result": …}, without the label when that is "".
func WriteItemResult(w io.Writer, index int64, label string, r *Result, stdout, stderr io.Reader,
	folders *Carried,
) error {
	return writeResult(w, itemHead(index, label)+`,"result":`, r, stdout, stderr, folders, "}\n")
}

// EncodeItemError writes e as what came of an item of a batch: {"index": …, "label": …,
// "error": …}, without the label when that is "". It ends with a newline.
func EncodeItemError(index int64, label string, e *Error) []byte {
	return append([]byte(itemHead(index, label)+","), EncodeError(e)[1:]...)
}

// itemHead is how a line about an item of a batch begins.
func itemHead(index int64, label string) string {
	head := encode(struct {
		Index int64  `json:"index"`
		Label string `json:"label,omitempty"`
	}{index, label})
	return string(head[:len(head)-1])
}

func writeResult(w io.Writer, head string, r *Result, stdout, stderr io.Reader, folders *Carried, tail string) error {
	envelope, err := checkEnvelope(r.Envelope, "result.receipt")
	if err != nil {
		return badDocument(err)
	}
	if len(r.Trace) > 0 {
		if err := CheckTrace("result.trace", r.Trace); err != nil {
			return badDocument(err)
		}
	}
	d := documentWriter{w: w, what: "result document", limit: MaxDocument}
	d.text(head + `{"receipt":`)
	d.text(string(envelope))
	d.base64("stdout", stdout)
	d.base64("stderr", stderr)
	d.carried(folders)
	if len(r.Trace) > 0 {
		d.text(`,"trace":` + string(encode(r.Trace)))
	}
	d.envelopes("receipts", r.Receipts)
	d.envelopes("dissent", r.Dissent)
	if r.Reused {
		d.text(`,"reused":true`)
	}
	d.text("}" + tail)
	if d.err != nil {
		return badDocument(d.err)
	}
	return nil
}

// checkEnvelope returns an envelope without the white space around it, if it can be written
// as the member at path.
func checkEnvelope(envelope []byte, path string) ([]byte, error) {
	envelope = bytes.Trim(envelope, " \t\r\n")
	if len(envelope) > MaxEnvelope {
		return nil, tooLarge(path, len(envelope), MaxEnvelope)
	}
	v, err := Parse(envelope)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := NewFields(v, path).Err(); err != nil {
		return nil, err
	}
	return envelope, nil
}

// documentWriter writes pieces until something goes wrong.
type documentWriter struct {
	w     io.Writer
	what  string
	limit int64 // bytes that may be written
	n     int64
	err   error
}

func (d *documentWriter) text(s string) {
	if d.err == nil {
		_, d.err = d.Write([]byte(s))
	}
}

// envelopes writes a member with those, or nothing where there are none.
func (d *documentWriter) envelopes(name string, list [][]byte) {
	for i, envelope := range list {
		envelope, err := checkEnvelope(envelope, element("result."+name, i))
		if err != nil {
			d.err = errors.Join(d.err, err)
			return
		}
		if i == 0 {
			d.text(`,"` + name + `":[`)
		} else {
			d.text(",")
		}
		d.text(string(envelope))
	}
	if len(list) > 0 {
		d.text("]")
	}
}

// base64 writes a comma and a member.
func (d *documentWriter) base64(name string, r io.Reader) {
	d.text(`,"` + name + `":"`)
	if d.err == nil {
		d.err = copyBase64(d, r, name)
	}
	d.text(`"`)
}

// Write counts what goes to w.
func (d *documentWriter) Write(b []byte) (int, error) {
	if d.n += int64(len(b)); d.n > d.limit {
		return 0, tooMuch(d.what, d.limit)
	}
	n, err := d.w.Write(b)
	if err != nil {
		return n, ioError("writing the "+d.what, err)
	}
	return n, nil
}

// ReadJob reads a job document, writes its module and its stdin to the writers
// as they come, hands folders to carrier, which may be nil, and says whether there
// was a stdin. Manifest, module digest and,
// where the manifest has one, stdin digest are checked: after an error what was
// written must not be used.
func ReadJob(r io.Reader, module, stdin io.Writer, carrier Carrier) (m *Manifest, hasStdin bool, err error) {
	d := documentReader{s: newStream(r, "job document", MaxDocument), what: "job"}
	moduleSum, stdinSum := sha256.New(), sha256.New()
	err = d.read([]string{"manifest", "module"}, d.carried(map[string]func() error{
		"manifest": func() error {
			v, _, err := d.captured("manifest", MaxManifest)
			if err == nil {
				m, err = ManifestFromValue(v, "job.manifest")
			}
			return err
		},
		"module": func() error { return d.base64("module", io.MultiWriter(moduleSum, module)) },
		"stdin": func() error {
			hasStdin = true
			return d.base64("stdin", io.MultiWriter(stdinSum, stdin))
		},
	}, carrier))
	if err == nil {
		err = checkJob(m, moduleSum, stdinSum)
	}
	if err != nil {
		return nil, false, badDocument(err)
	}
	return m, hasStdin, nil
}

// checkJob compares the digests of a job's bytes with its manifest.
func checkJob(m *Manifest, module, stdin hash.Hash) error {
	if d := DigestOf(module.Sum(nil)); d != m.ModuleHash {
		return badDocument(mismatch("module", d, "module_hash", m.ModuleHash))
	}
	if d := DigestOf(stdin.Sum(nil)); m.StdinHash != "" && d != m.StdinHash {
		return badDocument(mismatch("stdin", d, "stdin_hash", m.StdinHash))
	}
	return nil
}

func mismatch(member string, is Digest, field string, want Digest) error {
	return &FieldError{Path: "job." + member, Problem: fmt.Sprintf("is %s, but manifest.%s is %s", is, field, want)}
}

// ReadResult reads a result document, writes its stdout and stderr to the
// writers as they come, hands folders to carrier, which may be nil, and returns the
// rest, with the bytes of its receipt as they stand in the document, without the white
// space around them. It checks that they are an object in the profile of at most MaxEnvelope
// bytes, and nothing else about them: nothing that it wrote is verified.
func ReadResult(r io.Reader, stdout, stderr io.Writer, carrier Carrier) (*Result, error) {
	d := documentReader{s: newStream(r, "result document", MaxDocument), what: "result"}
	result := &Result{}
	if err := d.read(resultMembers, d.result(result, stdout, stderr, carrier)); err != nil {
		return nil, badDocument(err)
	}
	return result, nil
}

// ItemResult is what came of an item of a batch.
type ItemResult struct {
	Index  int64
	Label  string
	Result        // as ReadResult has it
	Failed *Error // instead of that
}

// ReadItemResult is ReadResult of a line about an item of a batch, as WriteItemResult
// and EncodeItemError write one.
func ReadItemResult(r io.Reader, stdout, stderr io.Writer, carrier Carrier) (*ItemResult, error) {
	it := &ItemResult{}
	d := documentReader{s: newStream(r, "line", MaxDocument), what: "item"}
	scalar := func(name string, take func(*Fields)) func() error {
		return func() error { return d.member(name, MaxManifest, take) }
	}
	err := d.read([]string{"index"}, map[string]func() error{
		"index": scalar("index", func(f *Fields) { it.Index = f.Int("index", 1, MaxSafeInt) }),
		"label": scalar("label", func(f *Fields) { it.Label = f.nonEmpty("label") }),
		"result": func() error {
			inner := documentReader{s: d.s, what: "item.result"}
			return inner.members(resultMembers, inner.result(&it.Result, stdout, stderr, carrier))
		},
		"error": func() (err error) {
			_, raw, err := d.captured("error", MaxErrorDoc)
			if err == nil {
				it.Failed, err = DecodeError(slices.Concat([]byte(`{"error":`), raw, []byte("}")))
			}
			return err
		},
	})
	if err == nil && (it.Envelope == nil) == (it.Failed == nil) {
		err = &FieldError{Path: "item", Problem: "has either a result or an error"}
	}
	if err != nil {
		return nil, badDocument(err)
	}
	return it, nil
}

// documentReader reads one object whose members are consumed as they come.
type documentReader struct {
	s    *scanner
	what string // the path of the document
}

var resultMembers = []string{"receipt", "stdout", "stderr"}

// result returns what reads the members of a result document.
func (d *documentReader) result(r *Result, stdout, stderr io.Writer, carrier Carrier) map[string]func() error {
	return d.carried(map[string]func() error{
		"receipt": func() error {
			v, raw, err := d.captured("receipt", MaxEnvelope)
			if err == nil {
				r.Envelope, err = raw, NewFields(v, d.what+".receipt").Err()
			}
			return err
		},
		"trace":    func() error { return d.trace(&r.Trace) },
		"receipts": func() error { return d.envelopes("receipts", &r.Receipts) },
		"dissent":  func() error { return d.envelopes("dissent", &r.Dissent) },
		"reused": func() error {
			return d.member("reused", maxScalar, func(f *Fields) { r.Reused = f.Bool("reused") })
		},
		"stdout": func() error { return d.base64("stdout", stdout) },
		"stderr": func() error { return d.base64("stderr", stderr) },
	}, carrier)
}

// trace reads the functions of a trap.
func (d *documentReader) trace(into *[]string) error {
	if err := d.member("trace", maxTraceDocument, func(f *Fields) { *into = f.Strs("trace") }); err != nil {
		return err
	}
	return CheckTrace(d.what+".trace", *into)
}

// maxEnvelopes is how many envelopes a list of them has at most: twice a quorum and less.
const maxEnvelopes = 31

// envelopes reads a list of 1 to maxEnvelopes envelopes.
func (d *documentReader) envelopes(name string, into *[][]byte) error {
	c, err := d.s.next("a value")
	if err != nil {
		return err
	}
	path := d.what + "." + name
	if c != '[' {
		v, err := d.s.value()
		if err == nil {
			err = &FieldError{Path: path, Problem: "must be an array, not " + describe(v)}
		}
		return err
	}
	_, err = d.s.array(func() (Value, error) {
		at := element(path, len(*into))
		if len(*into) == maxEnvelopes {
			return nil, &FieldError{Path: path, Problem: fmt.Sprintf("more than the %d allowed", maxEnvelopes)}
		}
		v, raw, err := d.s.captured(MaxEnvelope)
		if errors.Is(err, errCapture) {
			err = tooMuch(at, MaxEnvelope)
		}
		if err == nil {
			err = NewFields(v, at).Err()
		}
		*into = append(*into, raw)
		return v, err
	})
	if err == nil && len(*into) == 0 {
		err = &FieldError{Path: path, Problem: "is empty"}
	}
	return err
}

// member reads a member that is small, of at most limit bytes.
func (d *documentReader) member(name string, limit int, take func(*Fields)) error {
	v, _, err := d.captured(name, limit)
	if err != nil {
		return err
	}
	f := NewFields(&Object{members: []Member{{name, v}}}, d.what)
	take(f)
	return f.Close()
}

// maxScalar is how long a value of one word is at most, with what stands for it wrongly.
const maxScalar = 1 << 10

// maxTraceDocument is how long a trace is at most in JSON, each byte of it escaped.
const maxTraceDocument = MaxTrace * (6*MaxTraceName + 8)

// read reads the document; members has what reads each member's value.
func (d *documentReader) read(required []string, members map[string]func() error) error {
	if err := d.s.begin(); err != nil {
		return d.named(err)
	}
	if err := d.members(required, members); err != nil {
		return err
	}
	return d.named(d.s.finish())
}

// members reads the object that comes next.
func (d *documentReader) members(required []string, members map[string]func() error) error {
	c, err := d.s.next("a value")
	if err != nil {
		return d.named(err)
	}
	if c != '{' {
		v, err := d.s.value()
		if err == nil {
			err = NewFields(v, d.what).Err()
		}
		return d.named(err)
	}
	v, err := d.s.object(func(name string) (Value, error) {
		read, ok := members[name]
		if !ok {
			return nil, &FieldError{Path: member(d.what, name), Problem: "unknown member"}
		}
		return nil, read()
	})
	if err != nil {
		return d.named(err)
	}
	f := NewFields(v, d.what)
	for _, name := range required {
		f.Value(name)
	}
	return f.Err()
}

// named puts the document's name before a syntax error.
func (d *documentReader) named(err error) error {
	if _, ok := errors.AsType[*SyntaxError](err); ok {
		return fmt.Errorf("%s document: %w", d.what, err)
	}
	return err
}

// captured reads a member that is kept whole, at most limit bytes of it.
func (d *documentReader) captured(name string, limit int) (Value, []byte, error) {
	v, raw, err := d.s.captured(limit)
	if errors.Is(err, errCapture) {
		err = tooMuch(d.what+"."+name, int64(limit))
	}
	return v, raw, err
}

// base64 reads a member that is base64 and writes what it stands for to w.
func (d *documentReader) base64(name string, w io.Writer) error {
	return d.base64At(d.what+"."+name, name, w)
}

// base64At is base64 of a value at a path, whose bytes messages call name.
func (d *documentReader) base64At(path, name string, w io.Writer) error {
	c, err := d.s.next("a value")
	if err != nil {
		return err
	}
	if c != '"' {
		v, err := d.s.value()
		if err != nil {
			return err
		}
		return &FieldError{Path: path, Problem: "must be a string, not " + describe(v)}
	}
	b := newBase64Writer(w, name)
	err = d.s.pieces(func(piece []byte) error {
		_, err := b.Write(piece)
		return err
	})
	if err == nil {
		err = b.Close()
	}
	if errors.Is(err, errNotBase64) {
		return &FieldError{Path: path, Problem: fmt.Sprintf("%v (before byte %d)", err, d.s.offset())}
	}
	return err
}
