package sandbox

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
	"plasm/test/bin"
)

func TestAskBuild(t *testing.T) {
	t.Parallel()
	got, err := AskBuild(t.Context(), filepath.Join(built, "plasm-run"))
	must(t, err)
	want := &Build{Version: "dev", Engines: []EngineInfo{realConfig().Engine}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("build (-want +got):\n%s", diff)
	}
}

func TestAskBuildOfOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		script string
		code   job.Code
		words  string
	}{
		"none":      {"", job.CodeNotFound, "there is no worker: "},
		"fails":     {"exit 3", job.CodeIO, "exit status 3"},
		"silent":    {"exit 0", job.CodeIO, "unexpected end of JSON"},
		"other":     {"echo '{\"version\":\"1\"}'", job.CodeIO, "it names no engine"},
		"talkative": {"exec yes", job.CodeIO, "it says more than 65536 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(dir, name)
			if c.script != "" {
				must(t, bin.Script(path, "PATH=/usr/bin:/bin\n"+c.script))
			}
			_, err := AskBuild(t.Context(), path)
			e, ok := errors.AsType[*job.Error](err)
			if !ok || e.Code != c.code || !strings.Contains(e.Message, c.words) || !strings.Contains(e.Message, path) ||
				e.Hint == "" {
				t.Errorf("got %#v", err)
			}
		})
	}
}
