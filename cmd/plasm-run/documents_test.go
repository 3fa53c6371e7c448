package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas returns the schemas of the documents by their names.
var schemas = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	files, err := filepath.Glob("../../schemas/*.schema.json")
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	all := map[string]*jsonschema.Schema{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(file), ".schema.json")
		if err := c.AddResource(urn(name), doc); err != nil {
			return nil, err
		}
		all[name] = nil
	}
	for name := range all { // once all are there, for they refer to each other
		if all[name], err = c.Compile(urn(name)); err != nil {
			return nil, err
		}
	}
	return all, nil
})

func urn(name string) string { return "urn:plasm:schema:" + name + ":v1" }

// validate checks that data is exactly one line with one document, as its schema
// wants it.
func validate(ts *testscript.TestScript, schema, data string) {
	if strings.Count(data, "\n") != 1 || !strings.HasSuffix(data, "\n") {
		ts.Fatalf("not one document in one line: %.1000q", data)
	}
	all, err := schemas()
	ts.Check(err)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(data)) // which takes no second document
	ts.Check(err)
	ts.Check(all[schema].Validate(doc))
}

// schema NAME FILE checks a document against schemas/NAME.schema.json.
func checkSchema(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 2, "schema NAME FILE")
	validate(ts, args[0], ts.ReadFile(args[1]))
}

func parseJSON(ts *testscript.TestScript, data string) any {
	var doc any
	d := json.NewDecoder(strings.NewReader(data))
	d.UseNumber()
	ts.Check(d.Decode(&doc))
	return doc
}

// lookup finds a value by its path, such as predicate.manifest.args.0; nil when
// there is none.
func lookup(ts *testscript.TestScript, doc any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch v := doc.(type) {
		case map[string]any:
			doc = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			ts.Check(err)
			if i >= len(v) {
				return nil
			}
			doc = v[i]
		default:
			return nil
		}
	}
	return doc
}

// json FILE PATH VALUE checks a value in a document: text as it is, anything
// else as JSON. With > VAR for VALUE it is put into a variable instead. ! json
// FILE PATH checks that there is none.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg && len(args) != 2 || !neg && len(args) != 3 && len(args) != 4, "[!] json FILE PATH [VALUE | > VAR]")
	value := lookup(ts, parseJSON(ts, ts.ReadFile(args[0])), args[1])
	if neg {
		if value != nil {
			ts.Fatalf("%s is %v", args[1], value)
		}
		return
	}
	got, ok := value.(string)
	if !ok {
		data, err := json.Marshal(value)
		ts.Check(err)
		got = string(data)
	}
	switch {
	case len(args) == 4 && args[2] == ">":
		ts.Setenv(args[3], got)
	case got != args[2]:
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}

// statement FILE OUT checks that a file is a receipt or a result document with
// one, as the schemas have them, and writes what is signed in it to a file. For
// a result document stdout and stderr are written to OUT.stdout and OUT.stderr.
func openStatement(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 2, "statement FILE OUT")
	data, out := ts.ReadFile(args[0]), ts.MkAbs(args[1])
	doc := parseJSON(ts, data)
	if lookup(ts, doc, "receipt") != nil {
		validate(ts, "result", data)
		for _, stream := range []string{"stdout", "stderr"} {
			ts.Check(os.WriteFile(out+"."+stream, decode(ts, lookup(ts, doc, stream)), 0o666))
		}
		doc = lookup(ts, doc, "receipt")
	} else {
		validate(ts, "envelope", data)
	}
	payload := append(decode(ts, lookup(ts, doc, "payload")), '\n')
	validate(ts, "receipt", string(payload))
	ts.Check(os.WriteFile(out, payload, 0o666))
}

func decode(ts *testscript.TestScript, text any) []byte {
	data, err := base64.StdEncoding.Strict().DecodeString(fmt.Sprint(text))
	ts.Check(err)
	return data
}
