package identity

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"plasm/lib/job"
)

func TestListEdit(t *testing.T) {
	t.Parallel()
	const a, b = rfc8032PeerID, zeroPeerID
	const addr = "/ip4/192.0.2.7/tcp/7527/p2p/" + a
	tests := []struct {
		name    string
		data    string
		edit    ListEdit
		want    string
		changed []string
	}{
		{"the first", "", ListEdit{Add: []string{a}}, a + "\n", []string{a}},
		{"any", "# nobody\n", ListEdit{Add: []string{"any"}}, "# nobody\nany\n", []string{"any"}},
		{"two", "", ListEdit{Add: []string{b, a}}, b + "\n" + a + "\n", []string{b, a}},
		{"one twice", "", ListEdit{Add: []string{a, a}}, a + "\n", []string{a}},
		{"there already", "\t" + a + " # box\n", ListEdit{Add: []string{a}}, "\t" + a + " # box\n", nil},
		{"behind no line break", a, ListEdit{Add: []string{b}}, a + "\n" + b + "\n", []string{b}},
		{"in a comment only", "#" + a + "\n", ListEdit{Add: []string{a}}, "#" + a + "\n" + a + "\n", []string{a}},
		{
			"all else stays", "# x\r\n\r\n  " + b + "  #y\r\n",
			ListEdit{Add: []string{a}},
			"# x\r\n\r\n  " + b + "  #y\r\n" + a + "\n",
			[]string{a},
		},
		{"remove", "# x\n" + a + " # box\n\n" + b, ListEdit{Remove: []string{a}}, "# x\n\n" + b, []string{a}},
		{"remove all of it", a + "\nany\n" + a + "\r\n", ListEdit{Remove: []string{a, "any"}}, "", []string{a, "any"}},
		{"remove what is not there", b, ListEdit{Remove: []string{a}}, b, nil},
		{"neither", b, ListEdit{}, b, nil},
		{"with a name", b, ListEdit{Add: []string{a + "=box"}}, b + "\n" + a + " box\n", []string{a + "=box"}},
		{
			"a name to one that is there", b + " # y\n" + a,
			ListEdit{Add: []string{b + "=lab/1"}},
			b + " lab/1 # y\n" + a,
			[]string{b + "=lab/1"},
		},
		{
			"another name, addresses stay", a + " box /ip4/192.0.2.1/tcp/1\n",
			ListEdit{Add: []string{a + "=den"}},
			a + " den /ip4/192.0.2.1/tcp/1\n",
			[]string{a + "=den"},
		},
		{"one that has a name", a + " box", ListEdit{Add: []string{a, a + "=box"}}, a + " box", nil},
		{"an address", "", ListEdit{Add: []string{addr + "=box"}}, a + " box " + addr + "\n", []string{addr + "=box"}},
		{
			"an address more", a + " box /ip4/192.0.2.1/tcp/1",
			ListEdit{Add: []string{addr + "=box"}},
			a + " box /ip4/192.0.2.1/tcp/1 " + addr + "\n",
			[]string{addr + "=box"},
		},
		{"remove by name", a + " box # y\n" + b, ListEdit{Remove: []string{"box"}}, b, []string{"box"}},
		{"remove a name that nobody has", a + " box", ListEdit{Remove: []string{"den"}}, a + " box", nil},
	}
	for _, test := range tests {
		test.edit.Kind = TrustFile
		got, changed, err := test.edit.Apply([]byte(test.data), "allow")
		if err != nil || string(got) != test.want || !slices.Equal(changed, test.changed) {
			t.Errorf("%s: %q, %q, %v; want %q, %q", test.name, got, changed, err, test.want, test.changed)
		}
	}
}

func TestListEditRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data, add, remove, want string
	}{
		"not a peer ID":     {"", "bob", "", `"bob" is not a peer ID`},
		"a comment":         {"", "#", "", `"#" is not a peer ID`},
		"nothing":           {"", "", "", `"" is not a peer ID`},
		"more than a line":  {"", zeroPeerID + "\nany", "", "is not a peer ID"},
		"remove no peer ID": {"", "any", "ANY", `"ANY" is neither a peer ID nor a name`},
		"a name taken": {
			rfc8032PeerID + " box\n", zeroPeerID + "=box", "any",
			"another peer has the name box already",
		},
		"no name":            {"", zeroPeerID + "=", "any", `"" is no name`},
		"a name for any":     {"", "any=box", "any", `"any" is not a peer ID`},
		"any for a name":     {"", zeroPeerID + "=any", "any", "any is the word for everybody"},
		"an address alone":   {"", "/ip4/192.0.2.7/tcp/7527/p2p/" + zeroPeerID, "any", "an address needs a name"},
		"an address, no ID":  {"", "/ip4/192.0.2.7/tcp/7527=box", "any", `"7527" is not a peer ID`},
		"a list that is not": {"any\nroot:x:0:0\n", "any", "any", "allow:2: "},
		"a list too long":    {"#" + strings.Repeat("x", maxTrust-2) + "\n", zeroPeerID, "any", "too large"},
	} {
		_, _, err := ListEdit{Kind: TrustFile, Add: []string{c.add}, Remove: []string{c.remove}}.Apply([]byte(c.data),
			"allow")
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeUsage ||
			!strings.Contains(e.Message, c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestEditList(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "allow")
	check := func(want string, mode fs.FileMode) {
		t.Helper()
		data, err := os.ReadFile(path)
		if err != nil || string(data) != want {
			t.Errorf("the file has %q, %v; want %q", data, err, want)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("the file is %v, %v; want %v", info.Mode(), err, mode)
		}
	}
	edit := func(path string, e ListEdit, want ...string) {
		t.Helper()
		changed, err := EditList(path, e)
		if err != nil || !slices.Equal(changed, want) {
			t.Errorf("changed %q, %v; want %q", changed, err, want)
		}
	}
	edit(path, ListEdit{Kind: AllowFile, Remove: []string{zeroPeerID}})
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing to remove, and yet: %v", err)
	}
	edit(path, ListEdit{Kind: AllowFile, Add: []string{zeroPeerID}}, zeroPeerID)
	check(zeroPeerID+"\n", 0o644)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	edit(link, ListEdit{Kind: AllowFile, Add: []string{"any"}}, "any")
	check(zeroPeerID+"\nany\n", 0o640)
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != fs.ModeSymlink {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	edit(path, ListEdit{Kind: AllowFile, Remove: []string{"any", zeroPeerID}}, "any", zeroPeerID)
	check("", 0o640)
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestEditListKeepsOwners needs root, to whom it matters: a service must be
// able to read what root has edited.
func TestEditListKeepsOwners(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("not as root: only root can give files away")
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "allow")
	owners := func(file, uid, gid int) {
		t.Helper()
		if file != 0 {
			if err := os.Chown(path, file, file+1); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := EditList(path, ListEdit{
			Kind: AllowFile,
			Add:  []string{PeerIDOf(Generate().Public())},
		}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != uid || int(st.Gid) != gid {
			t.Errorf("the file belongs to %v, want %d:%d", st, uid, gid)
		}
	}
	if err := os.Chown(dir, 0, 998); err != nil {
		t.Fatal(err)
	}
	owners(0, 0, 998)
	owners(1001, 1001, 1002)
	if err := os.Chown(dir, 999, 998); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = EditList(path, ListEdit{Kind: AllowFile, Add: []string{"any"}})
	after, readErr := os.ReadFile(path)
	if err == nil || !strings.Contains(err.Error(), "in the hands of user 999") || readErr != nil ||
		!bytes.Equal(before, after) {
		t.Errorf("root edits what is in another user's folder: %v", err)
	}
}

func TestEditListRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "passwd"), []byte("root:x:0:0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"pipe":      "not a regular file",
		"":          "not a regular file",
		"none/none": "no such file or directory",
		"passwd":    "passwd:1: ",
	} {
		path := filepath.Join(dir, name)
		_, err := EditList(path, ListEdit{Kind: AllowFile, Add: []string{"any"}})
		if e, ok := errors.AsType[*job.Error](err); !ok || !strings.Contains(e.Message, path) ||
			!strings.Contains(e.Message, want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	if _, err := EditList(os.DevNull, ListEdit{Kind: AllowFile, Add: []string{"any"}}); err == nil {
		t.Error("the null device was replaced")
	}
}

// TestEditsAtOnce shows that no edit is lost.
func TestEditsAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "allow")
	const n = 32
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if _, err := EditList(path, ListEdit{Kind: AllowFile, Add: []string{Generate().PeerID()}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if trust, err := ParseList(AllowFile, data, path); err != nil || len(trust.Peers) != n {
		t.Errorf("%d of %d edits are there: %v", strings.Count(string(data), "\n"), n, err)
	}
}

func FuzzListEdit(f *testing.F) {
	f.Add("# x\n"+zeroPeerID+" # y\nany", true)
	f.Add(rfc8032PeerID+"\r\n\r\n", false)
	f.Fuzz(func(t *testing.T, data string, remove bool) {
		e := ListEdit{Kind: AllowFile, Add: []string{zeroPeerID}}
		if remove {
			e = ListEdit{Kind: AllowFile, Remove: []string{zeroPeerID}}
		}
		before, err := ParseList(AllowFile, []byte(data), "allow")
		edited, changed, editErr := e.Apply([]byte(data), "allow")
		if editErr != nil {
			if err == nil && len(data) < maxTrust-100 {
				t.Errorf("%q can be read but not edited: %v", data, editErr)
			}
			return
		}
		after, err := ParseList(AllowFile, edited, "allow")
		if err != nil {
			t.Fatalf("%q became %q: %v", data, edited, err)
		}
		had, has := len(before.Peers), len(after.Peers)
		if has-had != len(changed) && had-has != len(changed) || before.Any != after.Any {
			t.Errorf("%q became %q", data, edited)
		}
		if again, more, err := e.Apply(edited, "allow"); err != nil || len(more) > 0 || !bytes.Equal(again, edited) {
			t.Errorf("%q becomes %q the second time: %v", edited, again, err)
		}
	})
}
