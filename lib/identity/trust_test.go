package identity

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"plasm/lib/job"
)

const zeroPeerID = "12D3KooW9pNAk8aiBuGVQtWRdbkLmo5qVL3e2h5UxbN2Nz9ttwiw"

func TestParseList(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data string
		ids  []string
		any  bool
	}{
		"empty":            {"", nil, false},
		"blank, comments":  {"\n# peers\n  \n\t#x\n", nil, false},
		"one":              {rfc8032PeerID, []string{rfc8032PeerID}, false},
		"two, CRLF":        {rfc8032PeerID + "\r\n" + zeroPeerID + "\r\n", []string{rfc8032PeerID, zeroPeerID}, false},
		"comment behind":   {"  " + rfc8032PeerID + " # box\n", []string{rfc8032PeerID}, false},
		"twice":            {rfc8032PeerID + "\n" + rfc8032PeerID, []string{rfc8032PeerID}, false},
		"any":              {"any", nil, true},
		"any and one":      {"any\n" + zeroPeerID, []string{zeroPeerID}, true},
		"any in a comment": {"#any\n# any", nil, false},
		"names": {
			rfc8032PeerID + " box\n" + zeroPeerID + "\tlab/gpu-1.b_c # x\n",
			[]string{rfc8032PeerID + "=box", zeroPeerID + "=lab/gpu-1.b_c"},
			false,
		},
		"named later": {rfc8032PeerID + "\n" + rfc8032PeerID + " box\n", []string{rfc8032PeerID + "=box"}, false},
		"addresses": {
			rfc8032PeerID + " box /ip4/192.0.2.1/tcp/1  /dns4/a.example/tcp/2/p2p/" + rfc8032PeerID,
			[]string{rfc8032PeerID + "=box/ip4/192.0.2.1/tcp/1/dns4/a.example/tcp/2/p2p/" + rfc8032PeerID},
			false,
		},
		"over a relay": {
			rfc8032PeerID + " box /ip4/192.0.2.1/tcp/1/p2p/" + zeroPeerID + "/p2p-circuit",
			[]string{rfc8032PeerID + "=box/ip4/192.0.2.1/tcp/1/p2p/" + zeroPeerID + "/p2p-circuit"},
			false,
		},
	} {
		trust, err := ParseList(TrustFile, []byte(c.data), "trust")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var ids []string
		for _, p := range trust.Peers {
			id := PeerIDOf(p.Key)
			if p.ID != id {
				t.Errorf("%s: %s has the key of %s", name, p.ID, id)
			}
			if p.Name != "" {
				id += "=" + p.Name
			}
			ids = append(ids, id+strings.Join(p.Addrs, ""))
		}
		if strings.Join(ids, " ") != strings.Join(c.ids, " ") || trust.Any != c.any {
			t.Errorf("%s: %v any %v, want %v any %v", name, ids, trust.Any, c.ids, c.any)
		}
	}
}

func TestParseListRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][2]string{
		"word":          {"# peers\n\nnobody", "t:3: "},
		"ANY":           {"ANY", "t:1: "},
		"two on a line": {rfc8032PeerID + " " + zeroPeerID, "t:1: "},
		"any and more":  {"any box", "t:1: "},
		"name taken": {
			rfc8032PeerID + " box\n" + zeroPeerID + " box\n",
			"t:2: another peer has the name box already",
		},
		"two names": {
			rfc8032PeerID + " box\n" + rfc8032PeerID + " den\n",
			"t:2: this peer has the name box already",
		},
		"name any":      {rfc8032PeerID + " any", "t:1: any is the word"},
		"name capital":  {rfc8032PeerID + " Box", `t:1: "Box" is no name`},
		"name dash":     {rfc8032PeerID + " -box", "t:1: "},
		"name too long": {rfc8032PeerID + " " + strings.Repeat("a", 65), "t:1: "},
		"no address":    {rfc8032PeerID + " box home", `t:1: "home" is not an address`},
		"another's":     {rfc8032PeerID + " box /ip4/192.0.2.1/tcp/1/p2p/" + zeroPeerID, "t:1: \"/ip4"},
		"joined hash":   {rfc8032PeerID + "#box", "t:1: "},
		"binary":        {"\xff\xfe", "t: is not a text file"},
		"too large":     {strings.Repeat("\n", maxTrust+1), "t: is too large"},
		"long line":     {strings.Repeat("x", maxTrust), "t:1: "},
	} {
		_, err := ParseList(TrustFile, []byte(c[0]), "t")
		if code(err) != job.CodeUsage || !strings.HasPrefix(err.Error(), c[1]) || hint(err) == "" {
			t.Errorf("%s: %s: %v, want %q", name, code(err), err, c[1])
		}
	}
}

func TestParseSigner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, data string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		arg  string
		code job.Code // "" for success
	}{
		"peer ID":        {rfc8032PeerID, ""},
		"public PEM":     {file("public", rfc8032PublicPEM), ""},
		"private PEM":    {file("private", rfc8032PEM), job.CodeBadKey},
		"text":           {file("text", "hello"), job.CodeBadKey},
		"no such file":   {filepath.Join(dir, "none"), job.CodeUsage},
		"broken peer ID": {rfc8032PeerID[:51] + "0", job.CodeUsage},
		"long":           {strings.Repeat("x", 5000), job.CodeUsage},
		"folder":         {dir, job.CodeIO},
		"large":          {file("large", strings.Repeat("x", maxTrust+1)), job.CodeIO},
		"empty":          {"", job.CodeUsage},
	} {
		key, err := ParseSigner(c.arg, ReadFile)
		if code(err) != c.code {
			t.Errorf("%s: %s: %v, want %q", name, code(err), err, c.code)
		}
		if err == nil && PeerIDOf(key) != rfc8032PeerID {
			t.Errorf("%s: key %x", name, key)
		}
	}
}

func TestParseSignerUnreadable(t *testing.T) {
	t.Parallel()
	denied := func(name string) ([]byte, error) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EACCES}
	}
	if _, err := ParseSigner("key.pem", denied); code(err) != job.CodeIO ||
		err.Error() != "key.pem: permission denied" {
		t.Errorf("%s: %v", code(err), err)
	}
}

func FuzzParseList(f *testing.F) {
	f.Add([]byte(rfc8032PeerID + "\n# x\n\nany\n"))
	f.Add([]byte(zeroPeerID + " # me\r\n"))
	f.Add([]byte("nobody"))
	f.Fuzz(func(t *testing.T, data []byte) {
		trust, err := ParseList(TrustFile, data, "trust")
		if err != nil {
			return
		}
		if trust.Any && !bytes.Contains(data, []byte("any")) {
			t.Error("trusts any without being told to")
		}
		names := map[string]bool{}
		for _, p := range trust.Peers {
			if !bytes.Contains(data, []byte(PeerIDOf(p.Key))) || !bytes.Contains(data, []byte(p.Name)) {
				t.Errorf("trusts %s, who is not in the file", p.String())
			}
			if p.Name != "" && (names[p.Name] || CheckName(p.Name) != nil) {
				t.Errorf("%q names two, or is no name", p.Name)
			}
			names[p.Name] = true
			again, err := ParseList(TrustFile, []byte(p.String()), "again")
			if err != nil || len(again.Peers) != 1 || again.Peers[0].String() != p.String() {
				t.Errorf("%q is read as %+v, %v", p.String(), again, err)
			}
		}
	})
}

// TestAllowFile holds what only a trust file may say.
func TestAllowFile(t *testing.T) {
	t.Parallel()
	if l, err := ParseList(AllowFile, []byte(zeroPeerID+" ci\n"), "t"); err != nil || l.Peers[0].Name != "ci" {
		t.Errorf("%+v, %v", l, err)
	}
	_, err := ParseList(AllowFile, []byte(zeroPeerID+" ci /ip4/192.0.2.1/tcp/1\n"), "t")
	if code(err) != job.CodeUsage || !strings.HasPrefix(err.Error(), "t:1: ") ||
		!strings.Contains(hint(err), "an allow file") {
		t.Errorf("%v, hint %q", err, hint(err))
	}
}
