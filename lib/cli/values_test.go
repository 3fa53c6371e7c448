package cli

import (
	"slices"
	"testing"
)

func TestWhole(t *testing.T) {
	t.Parallel()
	tests := map[string]int64{
		"1": 1, "10": 10, "+5": 5, "007": 7,
		"0": -1, "11": -1, "-1": -1, "": -1, "5.0": -1, "5e0": -1, "0x5": -1, "five": -1, "1_0": -1,
		"99999999999999999999": -1,
	}
	for text, want := range tests {
		got := int64(-1)
		w := whole{&got, 1, 10}
		if err := w.Set(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	n := int64(7)
	if s := (whole{into: &n}).String(); s != "7" {
		t.Errorf("String: %q", s)
	}
}

func TestMillis(t *testing.T) {
	t.Parallel()
	tests := map[string]int64{
		"1ms": 1, "1s": 1000, "1.5s": 1500, "1m": 60_000, "1m0.001s": 60_001, "1000us": 1,
		"0": -1, "0s": -1, "-1s": -1, "1us": -1, "1.5ms": -1, "1h": -1, "60002ms": -1, "5": -1, "": -1, "s": -1,
		"9999999999h": -1,
	}
	for text, want := range tests {
		got := int64(-1)
		m := millis{&got, 60_001}
		if err := m.Set(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	n := int64(1500)
	if s := (millis{into: &n}).String(); s != "1.5s" {
		t.Errorf("String: %q", s)
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	f := testFlags(nil)
	name := "here"
	f.Path(&name, Flag{Name: "where"})
	if name != "here" {
		t.Errorf("not given: %q", name)
	}
	if err := f.Set("where", "there"); err != nil || name != "there" || f.Lookup("where").ValueText() != "there" {
		t.Errorf("given: %q, %v", name, err)
	}
	if err := f.Set("where", ""); err == nil {
		t.Error("given as nothing: no error")
	}
}

func TestGuards(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value string
		want  []string
		bad   bool
	}{
		{"none", nil, false},
		{"", nil, false},
		{"landlock", []string{"landlock"}, false},
		{"rlimits,landlock, seccomp", []string{"rlimits", "landlock", "seccomp"}, false},
		{" process\tnnp\n", []string{"process", "nnp"}, false},
		{"Landlock", nil, true},
		{"none,process", nil, true},
		{"moat", nil, true},
	}
	for _, test := range tests {
		got, err := testFlags(nil).Guards(test.value)
		if !slices.Equal(got, test.want) || (err != nil) != test.bad {
			t.Errorf("%q: %v, %v", test.value, got, err)
		}
	}
}
