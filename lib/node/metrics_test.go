package node

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestMetricsAreComplete compares the labels with the closed sets of the schemas.
func TestMetricsAreComplete(t *testing.T) {
	t.Parallel()
	for metric, c := range map[string]struct {
		counter *prometheus.CounterVec
		schema  string
		has     string // a word of the set meant
		more    int    // labels that are not in the set
		never   string // a word of the set that is no label
	}{
		"jobs": {newMetrics().Jobs, "../../schemas/receipt.schema.json", "out_of_fuel", 0, ""},
		// which a requester says
		"offers": {newMetrics().Offers, "../../schemas/error.schema.json", "rate_limited", 1, "unreachable"},
	} {
		set := slices.DeleteFunc(enumWith(t, c.schema, c.has), func(word string) bool { return word == c.never })
		series := make(chan prometheus.Metric, 100)
		c.counter.Collect(series)
		if len(series) != len(set)+c.more {
			t.Errorf("%s: %d series for %q", metric, len(series), set)
		}
		for _, word := range set {
			if _, err := c.counter.GetMetricWithLabelValues(word); err != nil {
				t.Errorf("%s: %s: %v", metric, word, err)
			}
		}
		series = make(chan prometheus.Metric, 100)
		c.counter.Collect(series)
		if len(series) != len(set)+c.more {
			t.Errorf("%s: not all of %q were there", metric, set)
		}
	}
}

// TestDashboard holds the packaged Grafana dashboard against what is counted: each of its
// queries is about metrics that there are, and each metric of ours is shown.
func TestDashboard(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../packaging/grafana.json")
	must(t, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	must(t, json.Unmarshal(data, &dashboard))
	docs, err := os.ReadFile("../../docs/node.md")
	must(t, err)
	ours := regexp.MustCompile("`(plasm_[a-z_]+)[`{]")
	unseen := map[string]bool{}
	for _, m := range ours.FindAllStringSubmatch(string(docs), -1) {
		unseen[m[1]] = true
	}
	if len(unseen) < 10 {
		t.Fatalf("documented: %v", unseen)
	}
	known := maps.Clone(unseen)
	name := regexp.MustCompile(`\b(plasm_[a-z_]+?)(_bucket)?\{`)
	for _, panel := range dashboard.Panels {
		if len(panel.Targets) == 0 {
			t.Errorf("%s shows nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			for _, m := range name.FindAllStringSubmatch(target.Expr, -1) {
				if !known[m[1]] {
					t.Errorf("%s: %s is not documented", panel.Title, m[1])
				}
				delete(unseen, m[1])
			}
		}
	}
	if len(unseen) > 0 {
		t.Errorf("not shown: %v", slices.Sorted(maps.Keys(unseen)))
	}
}

// enumWith returns the enumeration in a schema that has a word.
func enumWith(t *testing.T, file, word string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	var schema any
	must(t, json.Unmarshal(data, &schema))
	var found []string
	var look func(v any)
	look = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				look(e)
			}
		case map[string]any:
			for name, e := range v {
				list, ok := e.([]any)
				if name == "enum" && ok && slices.Contains(list, any(word)) {
					for _, w := range list {
						text, _ := w.(string)
						found = append(found, text)
					}
				}
				look(e)
			}
		}
	}
	look(schema)
	if len(found) == 0 {
		t.Fatalf("%s has no enumeration with %s", file, word)
	}
	return found
}

func TestCheckMetrics(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"127.0.0.1:0": true, "127.9.8.7:9464": true, "[::1]:9464": true, "localhost:9464": true,
		"": false, "9464": false, ":9464": false, "127.0.0.1": false, "127.0.0.1:": false, "0.0.0.0:1": false,
		"[::]:1":      false,
		"192.0.2.1:1": false, "localhost.example.org:1": false, "example.org:1": false,
	} {
		if err := CheckMetrics(address); (err == nil) != want {
			t.Errorf("%q: %v", address, err)
		} else if err != nil && !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// TestMetricsAreDocumented compares what a node counts with what the page lists.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/node.md")
	must(t, err)
	named := map[string]bool{}
	for _, name := range regexp.MustCompile("`(plasm_[a-z_]+)").FindAllSubmatch(page, -1) {
		named[string(name[1])] = true
	}
	m := newMetrics()
	m.watch(nil)
	m.watchQueue(nil)
	m.watchStore(nil)
	m.watchWorkers(nil)
	descriptions := make(chan *prometheus.Desc, 1000)
	m.registry.Describe(descriptions)
	close(descriptions)
	counted := map[string]bool{}
	for d := range descriptions {
		name := regexp.MustCompile(`fqName: "(plasm_[a-z_]+)"`).FindStringSubmatch(d.String())
		if name == nil {
			continue // of the runtime or the process
		}
		counted[name[1]] = true
	}
	if !maps.Equal(named, counted) {
		t.Errorf("docs/node.md names %v; counted are %v", named, counted)
	}
}
