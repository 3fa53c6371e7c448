package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/cli"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// section returns what stands below a heading, up to the next of its level or a
// higher one.
func (p page) section(t *testing.T, title string) string {
	t.Helper()
	level, _, _ := strings.Cut(title, " ")
	_, after, found := strings.Cut("\n"+p.text, "\n"+title+"\n")
	if !found {
		t.Fatalf("%s has no heading %q", p.name, title)
	}
	end := regexp.MustCompile(fmt.Sprintf(`(?m)^#{1,%d} `, len(level))).FindStringIndex(after)
	if end == nil {
		return after
	}
	return after[:end[0]]
}

// rows returns the cells of the tables in a text, without their heads.
func rows(text string) [][]string {
	var all [][]string
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if strings.HasPrefix(line, "| `") {
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			all = append(all, cells)
		}
	}
	return all
}

var code = regexp.MustCompile("`([^`]+)`")

// quoted returns what a text has in backticks.
func quoted(text string) []string {
	var all []string
	for _, m := range code.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

func sorted(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

func TestExitCodesAreThoseOfTheCommands(t *testing.T) {
	t.Parallel()
	commands := readPage(t, "docs/commands.md")
	plain := regexp.MustCompile(`^\d+(;|$)`) // not one that depends, such as 128 + n
	compare := func(title string, names []string, exitCode func(name string) int) {
		var shown []string
		for _, row := range rows(commands.section(t, title)) {
			for _, name := range quoted(row[0]) {
				shown = append(shown, name)
				want := strconv.Itoa(exitCode(name))
				if got := plain.FindString(row[2]); got != "" && strings.TrimSuffix(got, ";") != want {
					t.Errorf("%s: %s: the page says %s, the commands %s", title, name, row[2], want)
				}
			}
		}
		if diff := cmp.Diff(sorted(names), sorted(shown)); diff != "" {
			t.Errorf("%s (-schema +page):\n%s", title, diff)
		}
	}
	compare("## Errors", enumeration(t, "error", "properties", "error", "properties", "code"), func(name string) int {
		return cli.ExitCode(&job.Error{Code: job.Code(name)})
	})
	compare("## Statuses", enumeration(t, "receipt", "$defs", "outcome", "properties", "status"),
		func(name string) int {
			var zero uint32
			return cli.OutcomeCode(&job.Outcome{Status: job.Status(name), ExitCode: &zero}, nil)
		})
}

// schema returns what stands at a path in a schema.
func schema(t *testing.T, name string, path ...string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "schemas", name+".schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var at map[string]any
	if err := json.Unmarshal(data, &at); err != nil {
		t.Fatal(err)
	}
	for _, step := range path {
		next, ok := at[step].(map[string]any)
		if !ok {
			t.Fatalf("schema %s has no %v", name, path)
		}
		at = next
	}
	return at
}

// enumeration returns the closed set that stands at a path in a schema.
func enumeration(t *testing.T, name string, path ...string) []string {
	t.Helper()
	values, ok := schema(t, name, path...)["enum"].([]any)
	if !ok {
		t.Fatalf("schema %s: no enumeration at %v", name, path)
	}
	var all []string
	for _, v := range values {
		all = append(all, fmt.Sprint(v))
	}
	return all
}

// TestMembersAreThoseOfTheSchemas compares the tables of documents.md with the
// schemas: names, and where the page gives them, defaults.
func TestMembersAreThoseOfTheSchemas(t *testing.T) {
	t.Parallel()
	documents := readPage(t, "docs/documents.md")
	for title, properties := range map[string]map[string]any{
		"## Manifest":         schema(t, "manifest", "properties"),
		"## Job document":     schema(t, "job", "properties"),
		"## Result document":  schema(t, "result", "properties"),
		"## Verdict":          schema(t, "verdict", "properties"),
		"## Node document":    schema(t, "node", "properties"),
		"## Limits of a node": schema(t, "node", "properties", "limits", "properties"),
		"### Outcome":         schema(t, "receipt", "$defs", "outcome", "properties"),
		"### Node":            schema(t, "receipt", "$defs", "node", "properties"),
	} {
		var shown []string
		for _, row := range rows(documents.section(t, title)) {
			names := quoted(row[0])
			shown = append(shown, names...)
			if property, ok := properties[names[0]].(map[string]any); ok && len(row) == 4 {
				compareDefault(t, names[0], property["default"], row[3])
			}
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(properties)), sorted(shown)); diff != "" {
			t.Errorf("%s (-schema +page):\n%s", title, diff)
		}
	}
}

// compareDefault compares the default of a schema, nil for none, with a cell.
func compareDefault(t *testing.T, name string, value any, cell string) {
	t.Helper()
	if value == nil {
		if cell != "required" && !strings.HasPrefix(cell, "absent: ") {
			t.Errorf("%s has no default, and the page says %q", name, cell)
		}
		return
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Trim(cell, "`"); got != string(text) {
		t.Errorf("%s: the default is %s, and the page says %q", name, text, got)
	}
}

func TestReasonsAreThoseOfTheVerifier(t *testing.T) {
	t.Parallel()
	var want, shown []string
	for _, check := range receipt.Checks() {
		want = append(want, string(check.Reason))
	}
	for _, row := range rows(readPage(t, "docs/verifying.md").section(t, "## The checks")) {
		shown = append(shown, quoted(row[0])...)
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("reasons, in their order (-verifier +page):\n%s", diff)
	}
}
