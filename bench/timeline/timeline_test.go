package main

import (
	"path/filepath"
	"strings"
	"testing"

	"plasm/test/variant"
)

// TestStamps: the lines that the stamps are put at are there, and a run comes to each
// of them, in its turn.
func TestStamps(t *testing.T) {
	dir := t.TempDir()
	if err := variant.Build(t.Context(), filepath.Join(dir, "plasm-run"), "", stamped()...); err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	all, err := measure(t.Context(), dir, "wazero", 3)
	if err != nil {
		t.Fatal(err)
	}
	last := map[string]float64{}
	for _, s := range spans {
		if s.from != "asked" && all[s.from] < last[s.who] || all[s.to] < all[s.from] {
			t.Errorf("%s %s from %.0f to %.0f ns", s.who, s.what, all[s.from], all[s.to])
		}
		last[s.who] = all[s.from]
	}
	if lines := strings.Count(all.chart(), "#\n"); lines != len(spans) {
		t.Errorf("%d lines with a bar, want %d:\n%s", lines, len(spans), all.chart())
	}
}

func TestInto(t *testing.T) {
	t.Parallel()
	if err := into(filepath.Join(t.TempDir(), "none"), ""); err == nil {
		t.Error("wrote into a page that is not there")
	}
	if err := into("main.go", "x"); err == nil || !strings.Contains(err.Error(), "has not the marks") {
		t.Errorf("wrote into a page without marks: %v", err)
	}
}
