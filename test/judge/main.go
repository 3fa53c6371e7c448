// Command judge tells what lib/receipt makes of each of a stream of receipts, so
// that an implementation in another language can be held against it.
//
// A line of its input is {"envelope": BASE64, "trusted": [PEERID…], "expect": {…}},
// where expect is that of schemas/vectors/RECEIPTS.md. For each it writes a line:
// "verified", or the reason and, for bad_json, what of the receipt it is about.
package main

import (
	"bufio"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

func main() {
	if err := judge(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}

// line is a receipt, and what a caller knows.
type line struct {
	Envelope []byte   `json:"envelope"`
	Trusted  []string `json:"trusted"`
	Expect   expect   `json:"expect"`
}

type expect struct {
	Module    *[]byte               `json:"module"`
	Manifest  *string               `json:"manifest"`
	Stdin     *[]byte               `json:"stdin"`
	Stdout    *[]byte               `json:"stdout"`
	Stderr    *[]byte               `json:"stderr"`
	In        map[string]job.Digest `json:"in"`
	Out       map[string]job.Digest `json:"out"`
	Guards    []string              `json:"guards"`
	ExitCodes []uint32              `json:"exit_codes"`
}

func judge(in io.Reader, out io.Writer) error {
	lines := json.NewDecoder(in)
	lines.DisallowUnknownFields()
	w := bufio.NewWriter(out)
	for n := 1; ; n++ {
		var l line
		err := lines.Decode(&l)
		if errors.Is(err, io.EOF) {
			return w.Flush()
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		said, err := l.verdict()
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if _, err = fmt.Fprintln(w, said); err != nil {
			return err
		}
	}
}

// verdict verifies a receipt. An error is about the line and not about the receipt.
func (l *line) verdict() (string, error) {
	keys := make([]ed25519.PublicKey, 0, len(l.Trusted))
	for _, id := range l.Trusted {
		key, err := identity.ParsePeerID(id)
		if err != nil {
			return "", err
		}
		keys = append(keys, key)
	}
	wanted, err := l.Expect.wanted()
	if err != nil {
		return "", err
	}
	v, err := receipt.Verify(l.Envelope, keys)
	if err == nil {
		err = v.Check(wanted)
	}
	if err == nil {
		return "verified", nil
	}
	refusal, ok := errors.AsType[*receipt.RefusalError](err)
	if !ok {
		return "", err
	}
	if refusal.Of != "" {
		return fmt.Sprintf("%s %s", refusal.Reason, refusal.Of), nil
	}
	return string(refusal.Reason), nil
}

func (e *expect) wanted() (*receipt.Expect, error) {
	x := &receipt.Expect{
		Stdin: content(e.Stdin), Stdout: content(e.Stdout), Stderr: content(e.Stderr),
		In: folders(e.In), Out: folders(e.Out), Guards: e.Guards, ExitCodes: e.ExitCodes,
	}
	if e.Module != nil {
		x.Module = job.Sum(*e.Module)
	}
	if e.Manifest != nil {
		m, err := job.DecodeManifest([]byte(*e.Manifest))
		if err != nil {
			return nil, err
		}
		x.Manifest = m
	}
	return x, nil
}

func folders(byGuest map[string]job.Digest) []receipt.Folder {
	list := make([]receipt.Folder, 0, len(byGuest))
	for guest, digest := range byGuest {
		list = append(list, receipt.Folder{Guest: guest, Tree: digest})
	}
	return list
}

func content(data *[]byte) []receipt.Content {
	if data == nil {
		return nil
	}
	return []receipt.Content{{Digest: job.Sum(*data), Bytes: int64(len(*data))}}
}
