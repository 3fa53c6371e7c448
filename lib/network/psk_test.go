package network

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/pnet"

	"plasm/lib/job"
)

func pskFile(encoding, body string) []byte {
	return []byte("/key/swarm/psk/1.0.0/\n/" + encoding + "/\n" + body)
}

func TestReadNetworkKey(t *testing.T) {
	t.Parallel()
	key := []byte("0123456789abcdef0123456789ABCDE\n")
	for name, data := range map[string][]byte{
		"base16":      pskFile("base16", hex.EncodeToString(key)),
		"base16 line": pskFile("base16", hex.EncodeToString(key)+"\n"),
		"base64":      pskFile("base64", base64.StdEncoding.EncodeToString(key)+"\n"),
		"bin":         pskFile("bin", string(key)),
		"CRLF":        bytes.ReplaceAll(pskFile("base16", hex.EncodeToString(key)), []byte("\n"), []byte("\r\n")),
	} {
		got, err := ReadNetworkKey(data)
		if err != nil || !bytes.Equal(got, key) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
		if theirs, err := pnet.DecodeV1PSK(bytes.NewReader(data)); err != nil || !bytes.Equal(theirs, key) {
			t.Errorf("%s: libp2p reads %x, %v", name, theirs, err)
		}
	}
	secret := hex.EncodeToString(key)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":    {nil, "not a network key: the first line is not /key/swarm/psk/1.0.0/"},
		"bare key": {[]byte(secret), "not a network key: the first line is not /key/swarm/psk/1.0.0/"},
		"encoding": {
			pskFile("base17", secret),
			"not a network key: the second line is not /base16/, /base64/ or /bin/",
		},
		"not hex":   {pskFile("base16", secret[:63]+"x"), "not a network key: what follows /base16/ is not hex"},
		"not 64":    {pskFile("base64", "*"+secret), "not a network key: what follows /base64/ is not base64"},
		"too short": {pskFile("base16", secret[2:]), "not a network key: 31 bytes, must be 32"},
		"too long":  {pskFile("base16", secret+"00"), "not a network key: 33 bytes, must be 32"},
		"huge": {
			pskFile("bin", strings.Repeat(secret, 100)),
			"not a network key: 6428 bytes, more than a key file has",
		},
	} {
		_, err := ReadNetworkKey(c.data)
		code, message, hint := told(t, err)
		if code != job.CodeBadKey || message != c.want || hint == "" {
			t.Errorf("%s: %s %s", name, code, message)
		}
		if strings.Contains(message+hint, secret[10:40]) {
			t.Errorf("%s: the key is in the error: %s", name, message)
		}
	}
}

func FuzzReadNetworkKey(f *testing.F) {
	f.Add(pskFile("base16", strings.Repeat("ab", 32)))
	f.Add(pskFile("base64", base64.StdEncoding.EncodeToString(make([]byte, 32))))
	f.Add(pskFile("bin", strings.Repeat("\n", 32)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if key, err := ReadNetworkKey(data); err == nil && len(key) != NetworkKeySize {
			t.Errorf("%d bytes", len(key))
		}
	})
}

// A member finds members, a stranger connects to none, and both are told why.
func TestPrivateNetwork(t *testing.T) {
	t.Parallel()
	key, otherKey := bytes.Repeat([]byte{1}, NetworkKeySize), bytes.Repeat([]byte{2}, NetworkKeySize)
	node := start(t, Config{Server: true, NetworkKey: key})
	for _, addr := range node.Network().ListenAddresses() {
		if isQUIC(addr) {
			t.Errorf("listens at %v", addr)
		}
	}
	_ = node.Provide(t.Context(), "k")
	member := start(t, Config{NetworkKey: key, Bootstrap: at(node)})
	wait(t, "the table", member.Ready())
	if found := providers(t, member, "k"); len(found) != 1 {
		t.Errorf("found %v", found)
	}
	for name, c := range map[string]struct {
		key  []byte
		hint string
	}{
		"another key": {otherKey, "does the peer use the same --network-key?"},
		"no key":      {nil, "the peer may be in a private network: give its key with --network-key"},
	} {
		stranger := start(t, Config{NetworkKey: c.key, Bootstrap: at(node)})
		contact := settled(t, stranger)
		if contact.State != ContactFailed {
			t.Fatalf("%s: %+v", name, contact)
		}
		if _, message, hint := told(t, contact.Err); !strings.HasPrefix(hint, c.hint) {
			t.Errorf("%s: %s, %s", name, message, hint)
		}
	}
	if n := len(node.Network().Peers()); n != 1 {
		t.Errorf("%d peers are connected to the node, want the member only", n)
	}
}

// A member that dials a node without a key waits in vain, and is told of the key.
func TestPrivateDialsPublic(t *testing.T) {
	t.Parallel()
	node := start(t, Config{Server: true})
	member := start(t, Config{NetworkKey: make([]byte, NetworkKeySize), Bootstrap: at(node)})
	contact := settled(t, member)
	if contact.State != ContactFailed {
		t.Fatalf("%+v", contact)
	}
	if _, message, hint := told(t, contact.Err); !strings.HasPrefix(hint, "does the peer use the same --network-key?") {
		t.Errorf("%s, %s", message, hint)
	}
}

func TestStartRefusesKeyLength(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Config{NetworkKey: make([]byte, 16)})
	if code, message, _ := told(t, err); code != job.CodeBadKey ||
		message != "not a network key: 16 bytes, must be 32" {
		t.Error(message)
	}
}
