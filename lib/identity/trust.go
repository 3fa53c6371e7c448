package identity

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"

	"plasm/lib/job"
)

// maxTrust is the most that a trust file may hold, in bytes: some 20,000 peers.
const maxTrust = 1 << 20

// Trust is what a trust file says.
type Trust struct {
	Keys []ed25519.PublicKey // in the file's order, none twice
	Any  bool                // whether the word "any" is there: everybody
}

// ParseTrust reads a trust file: one peer ID or the word "any" a line. Blank
// lines count for nothing, nor does what follows a "#" that begins a line or
// stands after white space. name is the file's, for messages. Errors are of
// job.CodeUsage and say name:line.
func ParseTrust(data []byte, name string) (*Trust, error) {
	if len(data) > maxTrust {
		return nil, trustError(name, "is too large for a list of peers: more than %d bytes", maxTrust)
	}
	if !utf8.Valid(data) {
		return nil, trustError(name, "is not a text file")
	}
	t := &Trust{}
	seen := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, maxTrust+1)
	for n := 1; lines.Scan(); n++ {
		word := firstWord(lines.Text())
		if word == "" || seen[word] {
			continue
		}
		seen[word] = true
		if word == "any" {
			t.Any = true
			continue
		}
		key, err := ParsePeerID(word)
		if err != nil {
			return nil, trustError(fmt.Sprintf("%s:%d", name, n), "%v", err)
		}
		t.Keys = append(t.Keys, key)
	}
	return t, nil
}

// firstWord returns what a line of a trust file says, without its comment.
func firstWord(line string) string {
	for i, r := range line {
		if r == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			line = line[:i]
			break
		}
	}
	return strings.Trim(line, " \t\r")
}

func trustError(where, format string, args ...any) error {
	return &job.Error{
		Code:    job.CodeUsage,
		Message: where + ": " + fmt.Sprintf(format, args...),
		Hint:    "a trust file has one peer ID (12D3KooW…) a line",
	}
}

// ParseSigner returns the key that arg names: a peer ID, or else a PEM file of a
// public key, which readFile reads.
func ParseSigner(arg string, readFile func(string) ([]byte, error)) (ed25519.PublicKey, error) {
	key, notID := ParsePeerID(arg)
	if notID == nil {
		return key, nil
	}
	data, err := readFile(arg)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENAMETOOLONG) {
		return nil, &job.Error{
			Code:    job.CodeUsage,
			Message: "neither a peer ID nor a file: " + job.Quote(arg),
			Hint:    "a peer ID begins with 12D3KooW; plasm-run --identity prints yours",
			Err:     err,
		}
	}
	if err != nil {
		return nil, &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("%s: %v", arg, cause(err)), Err: err}
	}
	key, err = ParsePublicPEM(data)
	if err != nil {
		return nil, &job.Error{Code: job.CodeBadKey, Message: fmt.Sprintf("key file %v: %s", err, arg), Err: err}
	}
	return key, nil
}

// ReadFile reads a small file, such as a trust file or a public key; one of more
// than a megabyte is an error.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readSmall(f)
}

// ReadRegular is ReadFile for a path at which another user may have put something:
// what is no regular file is an error, and keeps nobody waiting.
func ReadRegular(path string) ([]byte, error) {
	f, _, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return readSmall(f)
}

// readSmall reads a file that may not be larger than a list of peers.
func readSmall(f *os.File) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(f, maxTrust+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxTrust {
		return nil, fmt.Errorf("larger than %d bytes", maxTrust)
	}
	return data, nil
}
