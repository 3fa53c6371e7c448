package job_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"plasm/lib/job"
)

// resultWith is a result document with one more member.
func resultWith(member string) io.Reader {
	return strings.NewReader(`{"receipt":{},"stdout":"","stderr":"",` + member + `}`)
}

// carry is one member that carries data.
func carry(name string, data []byte) string {
	return fmt.Sprintf(`%q:{%q:%q}`, name, job.Sum(data), base64.StdEncoding.EncodeToString(data))
}

var errCarrier = errors.New("no, thanks")

// refuser is a Carrier that takes nothing.
type refuser struct{ late bool }

func (refuser) Tree(job.Digest, []byte) error { return errCarrier }

func (r refuser) Blob(job.Digest) (io.WriteCloser, error) {
	if r.late {
		return lateRefuser{}, nil
	}
	return nil, errCarrier
}

type lateRefuser struct{}

func (lateRefuser) Write(p []byte) (int, error) { return len(p), nil }
func (lateRefuser) Close() error                { return errCarrier }

func TestCarrierRefuses(t *testing.T) {
	t.Parallel()
	for member, c := range map[string]job.Carrier{
		carry("trees", []byte("tree")): refuser{}, carry("blobs", []byte("early")): refuser{},
		carry("blobs", []byte("late")): refuser{late: true},
	} {
		if _, err := job.ReadResult(resultWith(member), io.Discard, io.Discard, c); !errors.Is(err, errCarrier) {
			t.Errorf("%s: %v", member, err)
		}
		if _, err := job.ReadResult(resultWith(member), io.Discard, io.Discard, nil); err != nil {
			t.Errorf("%s, and nobody who wants it: %v", member, err)
		}
	}
}

// closed counts the contents that were whole.
type closed struct{ n int }

func (c *closed) Tree(job.Digest, []byte) error           { return nil }
func (c *closed) Blob(job.Digest) (io.WriteCloser, error) { return c, nil }
func (c *closed) Write(p []byte) (int, error)             { return len(p), nil }
func (c *closed) Close() error                            { c.n++; return nil }

func TestCarriedMustHaveItsDigest(t *testing.T) {
	t.Parallel()
	good := carry("blobs", []byte("content"))
	bad := strings.Replace(good, job.Sum([]byte("content")).Hex(), job.Sum([]byte("another")).Hex(), 1)
	c := &closed{}
	if _, err := job.ReadResult(resultWith(bad), io.Discard, io.Discard, c); err == nil || c.n != 0 {
		t.Errorf("%v, closed %d times", err, c.n)
	}
	if _, err := job.ReadResult(resultWith(good), io.Discard, io.Discard, c); err != nil || c.n != 1 {
		t.Errorf("%v, closed %d times", err, c.n)
	}
}

func TestMaxTree(t *testing.T) {
	t.Parallel()
	tree := bytes.Repeat([]byte(" "), job.MaxTree+1)
	if _, err := job.ReadResult(resultWith(carry("trees", tree[1:])), io.Discard, io.Discard, nil); err != nil {
		t.Errorf("the largest: %v", err)
	}
	_, err := job.ReadResult(resultWith(carry("trees", tree)), io.Discard, io.Discard, nil)
	if err == nil || !strings.Contains(err.Error(), "more than the 67108864 bytes allowed") {
		t.Errorf("a larger one: %v", err)
	}
}
