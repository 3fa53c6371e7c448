package receipt

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// TestStatementVectors reads the vectors that hold the statement's schema.
func TestStatementVectors(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../schemas/vectors/statement.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := job.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	list := job.NewFields(v, "file").Objects("vectors")
	if len(list) < 50 {
		t.Errorf("%d vectors", len(list))
	}
	decoded := map[string]*Statement{}
	for _, f := range list {
		name, valid := f.Str("name"), f.Bool("valid")
		text, plain := f.OptStr("text")
		if !plain {
			continue
		}
		s, err := Decode([]byte(text))
		decoded[name] = s
		field, _ := f.OptStr("field")
		_, syntax := errors.AsType[*job.SyntaxError](err)
		switch reason, _ := f.OptStr("reason"); {
		case (err == nil) != valid:
			t.Errorf("%s: %v, want valid %v", name, err, valid)
		case !valid && (syntax != (reason == "profile") || !strings.Contains(err.Error(), field)):
			t.Errorf("%s: %v, want %s at %s", name, err, reason, field)
		}
		if equal, ok := f.OptStr("equals"); ok && !cmp.Equal(s, decoded[equal]) {
			t.Errorf("%s is not equal to %s", name, equal)
		}
	}
}

// TestSchemaExamples reads the examples of the schemas as a caller's are read.
func TestSchemaExamples(t *testing.T) {
	t.Parallel()
	for _, statement := range examples(t, "receipt") {
		if _, err := Decode(statement); err != nil {
			t.Errorf("receipt: %v", err)
		}
	}
	for _, envelope := range examples(t, "envelope") {
		s, err := Claims(envelope)
		if err != nil {
			t.Errorf("envelope: %v", err)
			continue
		}
		key, err := identity.ParsePeerID(s.Node.PeerID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(envelope, []ed25519.PublicKey{key}); err != nil {
			t.Errorf("envelope: %v", err)
		}
	}
}

// examples returns the examples of a whole document.
func examples(t *testing.T, schema string) [][]byte {
	t.Helper()
	data, err := os.ReadFile("../../schemas/" + schema + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Examples []json.RawMessage `json:"examples"`
	}
	if err := json.Unmarshal(data, &doc); err != nil || len(doc.Examples) == 0 {
		t.Fatalf("%s: %d examples, %v", schema, len(doc.Examples), err)
	}
	out := make([][]byte, len(doc.Examples))
	for i, e := range doc.Examples {
		out[i] = e
	}
	return out
}
