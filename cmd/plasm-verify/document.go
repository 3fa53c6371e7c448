package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"plasm/lib/job"
	"plasm/lib/receipt"
	"plasm/lib/tree"
)

// received is what came as a receipt.
type received struct {
	envelope []byte
	others   [][]byte              // receipts of others that agree
	outputs  bool                  // whether it came with outputs: a result document
	trees    carried               // those that came with it
	refusal  *receipt.RefusalError // what is wrong with the document around it
	failed   *job.Error            // what is said instead of a receipt: an error document
}

// errTooLarge is the error of a document of more than job.MaxDocument bytes.
var errTooLarge = errors.New("larger than 1 GiB")

// read reads an envelope or a result document. Only for the latter is outputs
// called, which says where its outputs go; memory stays bounded whatever comes.
// What is wrong with the document is in received, so an error is one of reading
// or of writing outputs.
func read(r io.Reader, outputs func() (stdout, stderr io.Writer)) (*received, error) {
	b := bufio.NewReaderSize(r, job.MaxEnvelope+1)
	head, err := b.Peek(job.MaxEnvelope + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch firstMember(head) {
	case "receipt", "stdout", "stderr", "trees", "blobs", "trace", "reused", "receipts", "dissent":
		return readResult(b, job.MaxDocument, outputs)
	case "error":
		if e, err := job.DecodeError(head); err == nil {
			return &received{failed: e, refusal: &receipt.RefusalError{
				Reason: receipt.BadJSON, Of: receipt.Envelope, Detail: "an error document, no receipt: " + e.Message,
			}}, nil
		}
	}
	return &received{envelope: bytes.Clone(head)}, nil
}

// firstMember returns the name of the first member of the object in data, or "".
// It is a guess at what a document is; who reads the document checks it.
func firstMember(data []byte) string {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return ""
	}
	t, err := d.Token()
	if err != nil {
		return ""
	}
	member, ok := t.(string)
	if !ok {
		return ""
	}
	return member
}

// readResult reads a result document of at most limit bytes.
func readResult(r io.Reader, limit int64, outputs func() (stdout, stderr io.Writer)) (*received, error) {
	stdout, stderr := outputs()
	trees := carried{}
	result, err := job.ReadResult(&capped{r: r, left: limit}, stdout, stderr, trees)
	if err == nil {
		return &received{envelope: result.Envelope, others: result.Receipts, outputs: true, trees: trees}, nil
	}
	refusal, err := refused(err)
	if err != nil {
		return nil, err
	}
	return &received{refusal: refusal}, nil
}

// refused says what is wrong with a result document that could not be read. An error is
// one of reading it, or of writing outputs.
func refused(err error) (*receipt.RefusalError, error) {
	refusal := &receipt.RefusalError{Reason: receipt.BadJSON, Of: receipt.Envelope, Detail: err.Error()}
	field, isField := errors.AsType[*job.FieldError](err)
	e, _ := errors.AsType[*job.Error](err)
	switch {
	case errors.Is(err, errTooLarge), isField && strings.HasPrefix(field.Problem, "more than the "):
		refusal.Reason, refusal.Of = receipt.TooLarge, ""
	case isField && strings.HasPrefix(field.Problem, "not base64"):
		refusal.Reason, refusal.Of = receipt.BadBase64, ""
	case e != nil && e.Code == job.CodeIO:
		return nil, err
	}
	return refusal, nil
}

// carried are the trees of a document, by digest.
type carried map[job.Digest]*tree.Tree

// Tree implements job.Carrier.
func (c carried) Tree(d job.Digest, document []byte) error {
	t, err := tree.Decode(document)
	c[d] = t
	return err
}

// Blob implements job.Carrier. That a content has its digest is all that is asked.
func (c carried) Blob(job.Digest) (io.WriteCloser, error) { return discard{}, nil }

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }

// capped reads at most left bytes; one more is errTooLarge.
type capped struct {
	r    io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return n - 1, errTooLarge
	}
	return n, err
}
