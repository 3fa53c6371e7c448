package receipt

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// The vectors that other languages check themselves against. RECEIPTS.md beside
// the file describes it.
const vectorsFile = "../../schemas/vectors/receipts.json"

var update = flag.Bool("update", false, "write "+vectorsFile)

type vectorFile struct {
	Version string   `json:"version"`
	Kind    string   `json:"kind"`
	Vectors []vector `json:"vectors"`
}

// vector is a receipt, what a caller knows, and the verdict.
type vector struct {
	Name    string       `json:"name"`
	Valid   bool         `json:"valid"`
	Reason  Reason       `json:"reason,omitempty"` // when not valid
	Of      Part         `json:"of,omitempty"`
	Text    *string      `json:"text,omitempty"`   // the envelope, or else
	Base64  *string      `json:"base64,omitempty"` // the envelope
	PadTo   int          `json:"pad_to,omitempty"`
	Trusted []string     `json:"trusted"`
	Expect  vectorExpect `json:"expect"`
}

type vectorExpect struct {
	Module    *string               `json:"module,omitempty"`   // base64
	Manifest  *string               `json:"manifest,omitempty"` // text
	Stdin     *string               `json:"stdin,omitempty"`    // base64
	Stdout    *string               `json:"stdout,omitempty"`   // base64
	Stderr    *string               `json:"stderr,omitempty"`   // base64
	In        map[string]job.Digest `json:"in,omitempty"`       // by path in the guest
	Out       map[string]job.Digest `json:"out,omitempty"`      // likewise
	Guards    []string              `json:"guards,omitempty"`
	ExitCodes []uint32              `json:"exit_codes,omitempty"`
}

// bytes returns the envelope of a case.
func (v *vector) bytes() []byte {
	var data []byte
	switch {
	case v.Text != nil:
		data = []byte(*v.Text)
	case v.Base64 != nil:
		data = must(base64.StdEncoding.DecodeString(*v.Base64))
	}
	if n := v.PadTo - len(data); n > 0 {
		data = append(data, strings.Repeat(" ", n)...)
	}
	return data
}

func (v *vector) trusted(t *testing.T) []ed25519.PublicKey {
	t.Helper()
	keys := make([]ed25519.PublicKey, 0, len(v.Trusted))
	for _, id := range v.Trusted {
		key, err := identity.ParsePeerID(id)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	return keys
}

func (e *vectorExpect) expect(t *testing.T) *Expect {
	t.Helper()
	content := func(s *string) []Content {
		if s == nil {
			return nil
		}
		data := must(base64.StdEncoding.DecodeString(*s))
		return []Content{{job.Sum(data), int64(len(data))}}
	}
	x := &Expect{
		Stdin: content(e.Stdin), Stdout: content(e.Stdout), Stderr: content(e.Stderr),
		In: folders(e.In), Out: folders(e.Out), Guards: e.Guards, ExitCodes: e.ExitCodes,
	}
	if module := content(e.Module); module != nil {
		x.Module = module[0].Digest
	}
	if e.Manifest != nil {
		m, err := job.DecodeManifest([]byte(*e.Manifest))
		if err != nil {
			t.Fatal(err)
		}
		x.Manifest = m
	}
	return x
}

func folders(byGuest map[string]job.Digest) []Folder {
	var list []Folder
	for _, guest := range slices.Sorted(maps.Keys(byGuest)) {
		list = append(list, Folder{guest, byGuest[guest]})
	}
	return list
}

// verdict is what this implementation says about a case.
func (v *vector) verdict(t *testing.T) error {
	t.Helper()
	r, err := Verify(v.bytes(), v.trusted(t))
	if err != nil {
		return err
	}
	return r.Check(v.Expect.expect(t))
}

func TestVectors(t *testing.T) {
	t.Parallel()
	want := vectorFile{Version: "1", Kind: "receipts", Vectors: cases()}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(want); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(vectorsFile), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorsFile, buf.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, buf.Bytes()) {
		t.Errorf("%s is not what this test makes; go test ./lib/receipt -update", vectorsFile)
	}
	if _, err := job.Parse(data); err != nil {
		t.Errorf("not in the profile: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var got vectorFile
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i := range got.Vectors {
		v := &got.Vectors[i]
		if seen[v.Name] || (v.Text == nil) == (v.Base64 == nil) || v.Valid != (v.Reason == "") {
			t.Errorf("%q: twice, or not exactly one envelope, or not exactly one verdict", v.Name)
		}
		seen[v.Name] = true
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			checkVector(t, v)
		})
	}
}

func checkVector(t *testing.T, v *vector) {
	t.Helper()
	err := v.verdict(t)
	if v.Valid {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	refusal, ok := errors.AsType[*RefusalError](err)
	if !ok {
		t.Fatalf("%v, want %s", err, v.Reason)
	}
	if refusal.Reason != v.Reason || refusal.Of != v.Of {
		t.Errorf("refused: %v (%s), want %s (%s)", refusal, refusal.Of, v.Reason, v.Of)
	}
	if refusal.Detail == "" || strings.ContainsAny(refusal.Detail, "\r\n\x1b") || len(refusal.Detail) > 1000 {
		t.Errorf("detail %q", refusal.Detail)
	}
}

// TestVectorsCoverEveryReason holds the list of cases to the list of checks.
func TestVectorsCoverEveryReason(t *testing.T) {
	t.Parallel()
	seen, valid := map[Check]int{}, 0
	for _, v := range cases() {
		seen[Check{v.Reason, v.Of}]++
		if v.Valid {
			valid++
		}
	}
	for _, c := range Checks() {
		if seen[c] == 0 && c.Reason != WrongQuorum && c.Reason != NotRepeatable && c.Reason != WrongRerun {
			t.Errorf("no case is refused with %v", c)
		}
	}
	if refused := len(cases()) - valid; refused < 40 || valid < 5 {
		t.Errorf("%d cases refused, %d valid: want at least 40 and 5", refused, valid)
	}
}

// TestOldSignatureCasesCoverEveryField holds the table of changed fields to the
// fields that there are.
func TestOldSignatureCasesCoverEveryField(t *testing.T) {
	t.Parallel()
	table := map[string]bool{}
	for _, f := range fields() {
		table[f[0]] = true
	}
	for _, path := range leaves(must(job.Parse(payload())), "") {
		if !table[path] {
			t.Errorf("no case changes %s", path)
		}
		delete(table, path)
	}
	for path := range table {
		t.Errorf("there is no field %s", path)
	}
}

// leaves lists the paths of all that is neither object nor array in v.
func leaves(v job.Value, path string) []string {
	var out []string
	switch v := v.(type) {
	case *job.Object:
		for name, member := range v.All() {
			out = append(out, leaves(member, strings.TrimPrefix(path+"."+name, "."))...)
		}
	case []job.Value:
		for i, element := range v {
			out = append(out, leaves(element, fmt.Sprintf("%s[%d]", path, i))...)
		}
	default:
		out = append(out, path)
	}
	return out
}
