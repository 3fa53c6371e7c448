package wire

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/engine"
	"plasm/lib/job"
)

// FuzzPaths writes and reads paths of any bytes.
func FuzzPaths(f *testing.F) {
	for _, path := range []string{"", "/plain/path", "/q\xff", "/100%", "/%41", "/a b\n\x00?#", "/ä/\u2028"} {
		f.Add(path, "/other")
	}
	f.Fuzz(func(t *testing.T, path, other string) {
		a := Assignment{Task: Run, Dirs: []engine.Dir{{Host: path, Dir: job.Dir{Guest: "/"}}, {Host: other}}}
		text, err := json.Marshal(&a)
		if err != nil {
			t.Fatal(err)
		}
		var again Assignment
		if err := json.Unmarshal(text, &again); err != nil || !cmp.Equal(a, again) {
			t.Errorf("%v: %s", err, cmp.Diff(a, again))
		}
		if a.Dirs[0].Host != path {
			t.Error("what was written has changed")
		}
	})
}

// TestPathThatIsNone is an error, and no other path.
func TestPathThatIsNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"dirs":[{"host":"/%"}]}`, `{"dirs":[{"host":"/%zz"}]}`} {
		if err := json.Unmarshal([]byte(text), new(Assignment)); err == nil {
			t.Errorf("assignment %s is read", text)
		}
	}
}
