package wire

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	schemas  = "../../../schemas/"
	schemaID = "urn:plasm:schema:protocol:v1"
)

// readSchema returns a file of schemas as plain JSON.
func readSchema(t *testing.T, name string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(schemas + name + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// jsonKinds are the kinds whose payload is JSON, with what Go writes.
func jsonKinds() map[Kind]any {
	return map[Kind]any{
		KindOffer: offerDocument{}, KindQueued: Queued{}, KindAccept: Accept{}, KindWant: wantDocument{},
		KindReject:  nil,
		KindStarted: Started{}, KindCause: nil, KindTrace: Trace{},
	}
}

// TestSchemaAgainstVectors holds the schema to what is valid. What it refuses,
// so does Decode; some rules it can't know.
func TestSchemaAgainstVectors(t *testing.T) {
	t.Parallel()
	c := jsonschema.NewCompiler()
	for _, name := range []string{"protocol", "error"} {
		if err := c.AddResource("urn:plasm:schema:"+name+":v1", any(readSchema(t, name))); err != nil {
			t.Fatal(err)
		}
	}
	compiled := map[string]*jsonschema.Schema{}
	for k := range jsonKinds() {
		s, err := c.Compile(schemaID + "#/$defs/" + k.String())
		if err != nil {
			t.Fatal(err)
		}
		compiled[k.String()] = s
	}
	// Not a schema's to know: what is there twice, what follows, how long base64
	// of nothing is not, and members of a later version's rejection.
	beyond := []string{
		"offer: repeated member", "rejected in the words of a later version",
		"ended by the node, in the words of a later version", "accept of a bad manifest",
		"accept asks for another tree", "accept asks for a tree twice", "offer: more contents than entries",
		"accept of an offer without the sizes of its trees", "accept begins a job anew that is to be attached to",
		"accept asks for the module of such a job", "accept tells such a requester no state",
		"accept tells a state that was not asked for",
	}
	for _, v := range cases() {
		if v.Reason != "" && v.Reason != RulePayload || slices.Contains(beyond, v.Name) {
			continue
		}
		for i, f := range v.Frames {
			s := compiled[f.Kind]
			if s == nil {
				continue
			}
			r := NewReader(strings.NewReader(string(must(hex.DecodeString(f.Hex)))),
				map[string]Role{"requester": Requester, "node": Node}[f.From])
			if _, _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
			instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(must(r.Payload()))))
			if err == nil {
				err = s.Validate(instance)
			}
			if wrong := !v.Valid && i == len(v.Frames)-1; (err != nil) != wrong {
				t.Errorf("%s: %s: the schema says %v", v.Name, f.Kind, err)
			}
		}
	}
}

// TestFieldsAreProperties compares what Go writes with what the schema says.
func TestFieldsAreProperties(t *testing.T) {
	t.Parallel()
	defs, _ := readSchema(t, "protocol")["$defs"].(map[string]any)
	var names []string
	for kind, value := range jsonKinds() {
		names = append(names, kind.String())
		if value == nil { // another schema's
			continue
		}
		def, _ := defs[kind.String()].(map[string]any)
		properties, _ := def["properties"].(map[string]any)
		required, _ := def["required"].([]any)
		var fields []string
		for field := range reflect.TypeOf(value).Fields() {
			name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
			fields = append(fields, name)
			if (option == "omitempty") == slices.Contains(required, any(name)) {
				t.Errorf("%s: %s is tagged %q", kind, name, option)
			}
		}
		slices.Sort(fields)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(properties)), fields); diff != "" {
			t.Errorf("%s (-schema +Go):\n%s", kind, diff)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(defs)), names); diff != "" {
		t.Errorf("definitions (-schema +Go):\n%s", diff)
	}
}
