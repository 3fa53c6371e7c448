package job

import "testing"

func TestCutFolders(t *testing.T) {
	t.Parallel()
	for value, want := range map[string][3]string{
		"a::/in":     {"a", "/in", "ok"},
		"/a/b::/":    {"/a/b", "/", "ok"},
		"a::b::/in":  {"a::b", "/in", "ok"},
		"a::/b::/in": {"a::/b", "/in", "ok"},
		"::/in":      {"", "", ""},
		"a":          {"", "", ""},
		"a::in":      {"", "", ""},
		"a:/in":      {"", "", ""},
	} {
		path, guest, ok := CutSource(value)
		if path != want[0] || guest != want[1] || ok != (want[2] != "") {
			t.Errorf("%q is cut to %q, %q, %v", value, path, guest, ok)
		}
	}
	for value, want := range map[string][3]string{
		"/out::a":    {"/out", "a", "ok"},
		"/out::a::b": {"/out", "a::b", "ok"},
		"/::a":       {"/", "a", "ok"},
	} {
		guest, path, ok := CutTarget(value)
		if guest != want[0] || path != want[1] || ok != (want[2] != "") {
			t.Errorf("%q is cut to %q, %q, %v", value, guest, path, ok)
		}
	}
	for _, value := range []string{"/out::", "out::a", "::a", "/out"} {
		if _, _, ok := CutTarget(value); ok {
			t.Errorf("%q is a folder to write", value)
		}
	}
}
