package test

import (
	"regexp"
	"strings"
	"testing"

	"plasm/lib/engine"
	builtin "plasm/lib/engine/wazero"
)

// TestEngineSupport holds the table of engines, the page that explains it and what is
// built together.
func TestEngineSupport(t *testing.T) {
	t.Parallel()
	table, page := readPage(t, "engines/support.tsv").text, readPage(t, "docs/security.md").text
	for name, version := range map[string]string{
		"wasmtime": engine.WasmtimeVersion,
		"wazero":   builtin.Engine{}.Version(),
	} {
		row := regexp.MustCompile(`(?m)^` + name +
			`\t(\S+)\t(\S+)\t(\d{4}-\d\d-\d\d|none)\t.+$`).FindStringSubmatch(table)
		if len(row) == 0 || row[1] != version {
			t.Errorf("%s is version %s, and its row %q", name, version, row)
			continue
		}
		if row[3] != "none" && !strings.Contains(page, "| "+name+" | "+version+" | from "+row[2]+" to "+row[3]+" |") {
			t.Errorf("docs/security.md does not say that %s %s is supported from %s to %s", name, version, row[2],
				row[3])
		}
	}
}
