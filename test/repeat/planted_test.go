package repeat_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plasm/test/guest"
)

// TestPlanted has the code of another module planted in the compile cache, in the
// place of that of the module that is run again. In a folder of the user's own that is
// what runs: nothing but the folder's owner keeps it out. Where others can write to the
// folder, plasm-verify --rerun must not use it.
func TestPlanted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cache := filepath.Join(dir, "cache")
	run := func(name string) (result []byte, module string) {
		t.Helper()
		module = filepath.Join(dir, name+".wasm")
		data, err := guest.Module(name)
		must(t, err)
		must(t, os.WriteFile(module, data, 0o600))
		cmd := command(t.Context(), here(), "--json", "--no-stdin", "--cache-dir", cache, module)
		result, _ = cmd.Output() // the guest's exit code is passed on
		return result, module
	}
	result, module := run("exit-3")
	entry := entries(t, cache)[0]
	run("exit-255")
	other := entries(t, cache)
	plant(t, entry, slices.DeleteFunc(other, func(e string) bool { return e == entry })[0])
	identity, err := command(t.Context(), here(), "--identity").Output()
	must(t, err)
	for _, test := range []struct {
		mode os.FileMode
		want string
	}{
		{0o700, "not verified: rerun: run again, its end is exit 255, not exit 3"},
		{0o770, "plasm-verify: verified: "},
		{0o777, "plasm-verify: verified: "},
	} {
		must(t, os.Chmod(cache, test.mode))
		verify := command(t.Context(), []string{filepath.Join(built, "plasm-verify")},
			"--rerun", "--signer", strings.TrimSpace(string(identity)), "--module", module, "-")
		verify.Stdin, verify.Env = bytes.NewReader(result), append(verify.Env, "PLASM_CACHE_DIR="+cache)
		if out, _ := verify.CombinedOutput(); !strings.Contains(string(out), test.want) {
			t.Errorf("mode %v: %s", test.mode, out)
		}
	}
}

// entries lists the entries of a compile cache.
func entries(t *testing.T, cache string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(cache, strings.Repeat("[0-9a-f]", 64)))
	must(t, err)
	return all
}

// plant puts the code of one entry of a compile cache into another.
func plant(t *testing.T, entry, from string) {
	t.Helper()
	code := func(entry string) (name string) {
		must(t, filepath.WalkDir(filepath.Join(entry, "code"), func(path string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				name = path
			}
			return err
		}))
		return name
	}
	data, err := os.ReadFile(code(from))
	must(t, err)
	sum := sha256.Sum256(append([]byte(filepath.Base(entry)), data...))
	for name, data := range map[string][]byte{
		code(entry):                 data,
		filepath.Join(entry, "sum"): []byte(hex.EncodeToString(sum[:])),
	} {
		must(t, os.Remove(name))
		must(t, os.WriteFile(name, data, 0o400))
	}
}
