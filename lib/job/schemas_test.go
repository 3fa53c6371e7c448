package job_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaNames are the files in schemas/, without their ending.
var schemaNames = []string{
	"batch", "envelope", "error", "item", "job", "joblog", "manifest", "node", "protocol", "receipt", "result",
	"ticket", "tree", "verdict",
}

// schemaOf says which schema a kind of vectors is checked against.
var schemaOf = map[string]string{
	"manifest":  "urn:plasm:schema:manifest:v1",
	"job":       "urn:plasm:schema:job:v1",
	"result":    "urn:plasm:schema:result:v1",
	"statement": "urn:plasm:schema:receipt:v1",
	"outcome":   "urn:plasm:schema:receipt:v1#/$defs/outcome",
	"error":     "urn:plasm:schema:error:v1",
	"node":      "urn:plasm:schema:node:v1",
	"ticket":    "urn:plasm:schema:ticket:v1",
	"tree":      "urn:plasm:schema:tree:v1",
}

// schema returns a schema file as plain JSON.
func schema(t *testing.T, name string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, name+".schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return doc
}

// object returns the object at a path of node, or fails the test.
func object(t *testing.T, node map[string]any, path ...string) map[string]any {
	t.Helper()
	for _, key := range path {
		sub, ok := node[key].(map[string]any)
		if !ok {
			t.Fatalf("%s of %v is no object", key, path)
		}
		node = sub
	}
	return node
}

// list returns the array of that name in node, or fails the test.
func list(t *testing.T, node map[string]any, name string) []any {
	t.Helper()
	elements, ok := node[name].([]any)
	if !ok {
		t.Fatalf("%s is no array", name)
	}
	return elements
}

// compiler knows every schema.
func compiler(t *testing.T) *jsonschema.Compiler {
	t.Helper()
	c := jsonschema.NewCompiler()
	for _, name := range schemaNames {
		if err := c.AddResource("urn:plasm:schema:"+name+":v1", any(schema(t, name))); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return c
}

func TestSchemaFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".schema.json"))
	}
	if diff := cmp.Diff(schemaNames, names); diff != "" {
		t.Errorf("files in schemas/ (-want +got):\n%s", diff)
	}
	for _, name := range schemaNames {
		doc := schema(t, name)
		if doc["$schema"] != "https://json-schema.org/draft/2020-12/schema" ||
			doc["$id"] != "urn:plasm:schema:"+name+":v1" {
			t.Errorf("%s: $schema %v, $id %v", name, doc["$schema"], doc["$id"])
		}
	}
}

// TestSchemas compiles every part of every schema that has examples, checks
// these, and holds the rules of how our schemas are written.
func TestSchemas(t *testing.T) {
	t.Parallel()
	for _, name := range schemaNames {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, doc := compiler(t), schema(t, name)
			walkSchema(doc, "", func(pointer string, node map[string]any) {
				checkSchema(t, c, "urn:plasm:schema:"+name+":v1#"+pointer, node)
			})
		})
	}
}

func checkSchema(t *testing.T, c *jsonschema.Compiler, at string, node map[string]any) {
	t.Helper()
	if _, object := node["properties"]; object && node["type"] == "object" && node["additionalProperties"] != false {
		t.Errorf("%s: takes unknown members", at)
	}
	s, err := c.Compile(at)
	if err != nil {
		t.Errorf("%s: %v", at, err)
		return
	}
	if node["examples"] != nil {
		for i, e := range list(t, node, "examples") {
			if err := s.Validate(e); err != nil {
				t.Errorf("%s: example %d: %v", at, i, err)
			}
		}
	}
	if node["properties"] == nil {
		return
	}
	for name, p := range object(t, node, "properties") {
		property, ok := p.(map[string]any)
		if !ok || strings.Contains(at, "/allOf/") { // false, or a condition
			continue
		}
		if property["description"] == nil {
			t.Errorf("%s: %s has no description", at, name)
		}
		if property["examples"] == nil && property["$ref"] == nil && property["properties"] == nil {
			t.Errorf("%s: %s has no examples", at, name)
		}
	}
}

// walkSchema calls visit for every sub-schema that is an object.
func walkSchema(node map[string]any, pointer string, visit func(pointer string, node map[string]any)) {
	visit(pointer, node)
	each := func(key string, v any) {
		if sub, ok := v.(map[string]any); ok {
			walkSchema(sub, pointer+"/"+key, visit)
		}
	}
	for _, key := range []string{"items", "additionalProperties", "propertyNames", "if", "then", "else"} {
		each(key, node[key])
	}
	for _, key := range []string{"properties", "$defs"} {
		if subs, ok := node[key].(map[string]any); ok {
			for name, v := range subs {
				each(key+"/"+name, v)
			}
		}
	}
	for _, key := range []string{"prefixItems", "allOf"} {
		if subs, ok := node[key].([]any); ok {
			for i, v := range subs {
				each(key+"/"+strconv.Itoa(i), v)
			}
		}
	}
}

// TestExamplesDecode reads the examples of whole documents as a user's are read.
// Envelope and statement are decoded in lib/receipt.
func TestExamplesDecode(t *testing.T) {
	t.Parallel()
	examples := map[string][]any{"outcome": list(t, object(t, schema(t, "receipt"), "$defs", "outcome"), "examples")}
	for _, kind := range []string{"manifest", "job", "result", "error", "node"} {
		examples[kind] = list(t, schema(t, kind), "examples")
	}
	for kind, examples := range examples {
		for i, e := range examples {
			data, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := decoders[kind](data); err != nil {
				t.Errorf("%s: example %d: %v", kind, i, err)
			}
		}
	}
}

// TestVectorsAgainstSchemas holds each vector's "schema". A text that an
// ordinary decoder can't read counts as refused.
func TestVectorsAgainstSchemas(t *testing.T) {
	t.Parallel()
	for kind, id := range schemaOf {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s, err := compiler(t).Compile(id)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range vectors(t, kind) {
				if v.schema == nil {
					t.Errorf("%s: doesn't say what the schema makes of it", v.name)
					continue
				}
				instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(v.data))
				if err == nil {
					err = s.Validate(instance)
				}
				if (err == nil) != *v.schema {
					t.Errorf("%s: the schema says %v", v.name, err)
				}
				if v.valid && !*v.schema {
					t.Errorf("%s: valid, but the schema may refuse it", v.name)
				}
			}
		})
	}
}

// TestVectorFilesAreKnown makes a file that nothing reads an error.
func TestVectorFilesAreKnown(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(folder, "vectors", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		kind := strings.TrimSuffix(filepath.Base(f), ".json")
		if decoders[kind] == nil && schemaOf[kind] == "" && !strings.HasPrefix(kind, "receipts") && kind != "protocol" {
			t.Errorf("no test reads %s", f)
		}
	}
}
