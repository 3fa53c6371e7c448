package live_test

import (
	"testing"

	"plasm/lib/wasi/live"
	"plasm/test/filesystem"
)

func TestModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		dir, err := live.Open(t.TempDir(), false)
		if err != nil {
			t.Fatal(err)
		}
		filesystem.Model(t, dir, seed, 1000)
		_ = dir.Close()
	}
}
