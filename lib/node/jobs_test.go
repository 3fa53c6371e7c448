package node

import (
	"testing"

	"plasm/lib/control"
)

func TestAllowLine(t *testing.T) {
	t.Parallel()
	service := map[string]string{"RUNTIME_DIRECTORY": "/run/plasmd", "STATE_DIRECTORY": "/var/lib/plasmd"}
	for _, test := range []struct {
		env  map[string]string
		uid  int
		dir  string
		want string
	}{
		{service, 999, "/run/plasmd", "sudo plasmd allow ID"},
		{
			map[string]string{"RUNTIME_DIRECTORY": "/run/mine"},
			999, "/run/mine",
			"plasmd allow --runtime-dir /run/mine ID",
		},
		{nil, 0, "/run/plasmd", "plasmd allow ID"},
		{map[string]string{"XDG_RUNTIME_DIR": "/run/user/7"}, 7, "/run/user/7/plasmd", "plasmd allow ID"},
		{nil, 7, "/tmp/it's", `plasmd allow --runtime-dir '/tmp/it'\''s' ID`},
	} {
		u := control.User{UID: test.uid, Getenv: func(name string) string { return test.env[name] }}
		n := &Node{cfg: Config{User: u, RuntimeDir: test.dir}}
		if got := n.allowLine("ID"); got != test.want {
			t.Errorf("%s: %s, want %s", test.dir, got, test.want)
		}
	}
}
