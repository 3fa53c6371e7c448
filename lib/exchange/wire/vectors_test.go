package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"plasm/lib/job"
)

// The vectors that other implementations check themselves against. PROTOCOL.md
// beside the file describes it.
const vectorsFile = "../../../schemas/vectors/protocol.json"

var update = flag.Bool("update", false, "write "+vectorsFile)

type vectorFile struct {
	Version string   `json:"version"`
	Kind    string   `json:"kind"`
	Vectors []vector `json:"vectors"`
}

// vector is an exchange, of which the last frame alone may break a rule.
type vector struct {
	Name      string        `json:"name"`
	Valid     bool          `json:"valid"`
	Reason    Rule          `json:"reason,omitempty"` // when not valid
	Node      string        `json:"node"`
	Transport string        `json:"transport"`
	Signed    string        `json:"signed,omitempty"` // hex: what the offer's signature is over; when valid
	Frames    []vectorFrame `json:"frames"`
}

type vectorFrame struct {
	From string  `json:"from"`
	Kind string  `json:"kind,omitempty"` // when the frame is whole
	Hex  string  `json:"hex"`
	Text *string `json:"text,omitempty"` // the payload, when it is JSON and the vector is valid
}

// play returns how many frames of a vector hold, and why the next one doesn't.
func (v *vector) play() (int, error) {
	var o Order
	for i := range v.Frames {
		if err := v.Frames[i].hear(&o, v.Node, v.Transport); err != nil {
			return i, err
		}
	}
	return len(v.Frames), nil
}

// hear is what the receiver of a frame does.
func (f *vectorFrame) hear(o *Order, node, transport string) error {
	from := Requester
	if f.From == Node.String() {
		from = Node
	}
	data := must(hex.DecodeString(f.Hex))
	r := NewReader(bytes.NewReader(data), from)
	kind, n, err := r.Next()
	if err != nil {
		return err
	}
	payload, err := r.Payload()
	if err != nil {
		return err
	}
	if f.Kind != kind.String() || len(payload) != n || f.Text != nil && *f.Text != string(payload) {
		return errors.New("the vector says something else of its frame")
	}
	if _, _, err := r.Next(); !errors.Is(err, io.EOF) {
		return errors.New("more than one frame")
	}
	if kind.IsData() {
		return o.Data(kind, n)
	}
	m, err := Decode(kind, payload)
	if err != nil {
		return err
	}
	if offer, ok := m.(*Offer); ok {
		if err := offer.Verify(node, transport); err != nil {
			return err
		}
	}
	return o.Message(m)
}

func TestVectors(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(vectorFile{Version: "1", Kind: "protocol", Vectors: cases()}); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(vectorsFile, buf.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, buf.Bytes()) {
		t.Errorf("%s is not what this test makes; go test ./lib/exchange/wire -update", vectorsFile)
	}
	if _, err := job.Parse(data); err != nil {
		t.Errorf("not in the profile: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var file vectorFile
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i := range file.Vectors {
		v := &file.Vectors[i]
		if seen[v.Name] {
			t.Errorf("%q: twice", v.Name)
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
	held, err := v.play()
	if v.Valid {
		if err != nil {
			t.Errorf("frame %d: %v", held, err)
		}
		return
	}
	if b, ok := errors.AsType[*BreachError](err); !ok || b.Rule != v.Reason || held != len(v.Frames)-1 {
		t.Fatalf("frame %d of %d: %v, want the last to break %s", held, len(v.Frames), err, v.Reason)
	}
	if detail := err.Error(); strings.ContainsAny(detail, "\r\n\x1b") || len(detail) > 600 {
		t.Errorf("detail %q", detail)
	}
}

// TestVectorsCoverEveryRule holds the list of cases to the rules, and to the
// kinds of frame.
func TestVectorsCoverEveryRule(t *testing.T) {
	t.Parallel()
	rules, kinds := map[Rule]int{}, map[string]int{}
	for _, v := range cases() {
		rules[v.Reason]++
		if v.Valid {
			for _, f := range v.Frames {
				kinds[f.Kind]++
			}
		}
	}
	for _, rule := range []Rule{"", RuleKind, RuleLength, RuleTurn, RulePayload, RuleSize, RuleSignature} {
		if rules[rule] < 5 {
			t.Errorf("%d cases of %q", rules[rule], rule)
		}
		delete(rules, rule)
	}
	if len(rules) > 0 {
		t.Errorf("unknown rules: %v", rules)
	}
	for k := range 256 {
		if _, ok := Kind(k).rule(); ok && kinds[Kind(k).String()] == 0 {
			t.Errorf("no valid case has a frame of kind %s", Kind(k))
		}
	}
}
