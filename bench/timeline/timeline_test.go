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
	all, err := measureLocal(t.Context(), dir, "wazero", 3)
	if err != nil {
		t.Fatal(err)
	}
	inTurn(t, &local, all, "asked")
}

// TestSubmissionStamps is the same of plasm-submit.
func TestSubmissionStamps(t *testing.T) {
	dir := t.TempDir()
	if err := buildSubmit(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	all, err := measureSubmit(t.Context(), dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	inTurn(t, &submission, all, "describing")
}

// inTurn: what one party does comes one after the other, but for what begins beside.
func inTurn(t *testing.T, s *subject, all times, beside string) {
	t.Helper()
	last := map[string]float64{}
	for _, s := range s.spans {
		if s.from != beside && all[s.from] < last[s.who] || all[s.to] < all[s.from] {
			t.Errorf("%s %s from %.0f to %.0f ns", s.who, s.what, all[s.from], all[s.to])
		}
		if s.from != beside {
			last[s.who] = all[s.from]
		}
	}
	if lines := strings.Count(s.chart(all), "#\n"); lines != len(s.spans) {
		t.Errorf("%d lines with a bar, want %d:\n%s", lines, len(s.spans), s.chart(all))
	}
}

func TestInto(t *testing.T) {
	t.Parallel()
	if err := into(filepath.Join(t.TempDir(), "none"), "job", ""); err == nil {
		t.Error("wrote into a page that is not there")
	}
	if err := into("main.go", "job", "x"); err == nil || !strings.Contains(err.Error(), "has not the marks") {
		t.Errorf("wrote into a page without marks: %v", err)
	}
}
