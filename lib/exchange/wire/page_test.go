package wire

import (
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const page = "../../../docs/protocol.md"

func readPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPageShowsTheFrames compares the page's table of frames with the rules.
func TestPageShowsTheFrames(t *testing.T) {
	t.Parallel()
	row := regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| `(.)` \\| (requester|node|both) \\| .* \\| (\\d+) to " +
		"(\\d+) \\|$")
	var shown, want []string
	for _, m := range row.FindAllStringSubmatch(readPage(t), -1) {
		shown = append(shown, strings.Join(m[1:], " "))
	}
	for _, k := range []Kind{
		KindOffer, KindTree, KindModule, KindBlob, KindStdin, KindStdinEnd, KindCancel, KindQueued, KindAccept,
		KindWant,
		KindReject, KindStarted, KindStdout, KindStderr, KindFolders, KindCause, KindTrace, KindResult, KindPing,
	} {
		r, _ := k.rule()
		from := "both"
		if r.from != 0 {
			from = r.from.String()
		}
		want = append(want, fmt.Sprintf("%s %c %s %d %d", r.name, k, from, r.min, r.max))
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("frames (-rules +page):\n%s", diff)
	}
}

// TestPageShowsAnExchange compares the bytes on the page with those of a vector.
func TestPageShowsAnExchange(t *testing.T) {
	t.Parallel()
	_, after, _ := strings.Cut(readPage(t), "\n```frames\n")
	block, _, found := strings.Cut(after, "```\n")
	if !found {
		t.Fatal("no exchange")
	}
	frames := cases()[0].Frames
	var frame []byte // what the page has not shown yet of a frame
	from := ""
	for line := range strings.Lines(block) {
		text, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ;")
		text, cut := strings.CutSuffix(strings.TrimRight(text, " "), " …")
		if len(frame) == 0 {
			if len(frames) == 0 {
				t.Fatalf("more than the exchange: %s", line)
			}
			frame, from = must(hex.DecodeString(frames[0].Hex)), frames[0].From
			frames = frames[1:]
		}
		if mark := map[string]string{"requester": "> ", "node": "< "}[from]; !strings.HasPrefix(text, mark) {
			t.Fatalf("not from the %s: %s", from, line)
		}
		data := spelled(t, text[2:])
		if !strings.HasPrefix(string(frame), string(data)) {
			t.Fatalf("the page shows %q, the exchange goes on with %q", data, frame[:min(len(frame), len(data))])
		}
		if frame = frame[len(data):]; cut {
			frame = nil
		}
	}
	if len(frame) > 0 || len(frames) > 0 {
		t.Errorf("the page ends %d bytes and %d frames early", len(frame), len(frames))
	}
}

// spelled returns the bytes that hex digits and quoted text stand for.
func spelled(t *testing.T, text string) []byte {
	t.Helper()
	var all []byte
	for _, word := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(text, -1) {
		if word[0] == '\'' {
			all = append(all, word[1:len(word)-1]...)
			continue
		}
		data, err := hex.DecodeString(word)
		if err != nil || len(data) != 1 {
			t.Fatalf("%q is not a byte in hex", word)
		}
		all = append(all, data...)
	}
	return all
}
