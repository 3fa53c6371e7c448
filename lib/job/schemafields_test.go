package job_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

// TestFieldsAreProperties compares what Go writes and knows with what the
// schemas say.
func TestFieldsAreProperties(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, schema string
		path         []string // to the object in the schema
		value        any
	}{
		{"manifest", "manifest", nil, job.Manifest{}},
		{"dir", "manifest", []string{"properties", "dirs", "items"}, job.Dir{}},
		{"outcome", "receipt", []string{"$defs", "outcome"}, job.Outcome{}},
		{"outcome's dir", "receipt", []string{"$defs", "outcome", "properties", "dirs", "items"}, job.OutcomeDir{}},
		{"rejection", "error", []string{"$defs", "rejection"}, job.Rejection{}},
		{"node", "node", nil, job.Node{}},
		{"node's engine", "node", []string{"properties", "engines", "items"}, job.NodeEngine{}},
		{"node's slots", "node", []string{"properties", "slots"}, job.Slots{}},
		{"node's limits", "node", []string{"properties", "limits"}, job.NodeLimits{}},
		{
			"node rejection", "error",
			[]string{"properties", "error", "properties", "nodes", "items"},
			job.NodeRejection{},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			node := object(t, schema(t, test.schema), test.path...)
			required := list(t, node, "required")
			var fields []string
			for field := range reflect.TypeOf(test.value).Fields() {
				name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
				fields = append(fields, name)
				// A manifest's reader fills in defaults; else what may be absent is what Go leaves out.
				isRequired := slices.Contains(required, any(name))
				if (option == "omitempty") == isRequired && test.schema != "manifest" {
					t.Errorf("%s: required %v, but tagged %q", name, isRequired, option)
				}
			}
			slices.Sort(fields)
			if diff := cmp.Diff(slices.Sorted(maps.Keys(object(t, node, "properties"))), fields); diff != "" {
				t.Errorf("fields (-schema +Go):\n%s", diff)
			}
		})
	}
}

// TestClosedSetsAreEnums compares Go's closed sets with the schemas'.
func TestClosedSetsAreEnums(t *testing.T) {
	t.Parallel()
	outcome := object(t, schema(t, "receipt"), "$defs", "outcome", "properties")
	node := object(t, schema(t, "receipt"), "$defs", "node", "properties")
	failure := schema(t, "error")
	tests := []struct {
		name string
		set  []string
		node map[string]any
	}{
		{"statuses", job.Statuses, object(t, outcome, "status")},
		{"traps", job.Traps, object(t, outcome, "trap")},
		{"guards", job.Guards(), object(t, node, "guards", "items")},
		{"a node's guards", job.Guards(), object(t, schema(t, "node"), "properties", "guards", "items")},
		{"codes", job.Codes, object(t, failure, "properties", "error", "properties", "code")},
		{"rejections", job.RejectCodes, object(t, failure, "$defs", "rejection", "properties", "code")},
	}
	for _, test := range tests {
		var enum []string
		for _, e := range list(t, test.node, "enum") {
			enum = append(enum, fmt.Sprint(e))
		}
		if diff := cmp.Diff(enum, test.set); diff != "" {
			t.Errorf("%s (-schema +Go):\n%s", test.name, diff)
		}
	}
}

// TestDefaultsAreTheSchemas compares a manifest's defaults.
func TestDefaultsAreTheSchemas(t *testing.T) {
	t.Parallel()
	data := job.NewManifest().Encode()
	var written map[string]any
	if err := json.Unmarshal(data, &written); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"version", "id", "module_hash"} {
		delete(written, name)
	}
	defaults := map[string]any{}
	properties := object(t, schema(t, "manifest"), "properties")
	for name := range properties {
		if d, ok := object(t, properties, name)["default"]; ok {
			defaults[name] = d
		}
	}
	if diff := cmp.Diff(defaults, written); diff != "" {
		t.Errorf("defaults (-schema +Go):\n%s", diff)
	}
}
