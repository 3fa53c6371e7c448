package tree_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"plasm/lib/job"
	"plasm/lib/tree"
)

// vector is a case of schemas/vectors/tree.json, whose format the README beside it gives.
type vector struct {
	Name    string  `json:"name"`
	Comment string  `json:"comment"`
	Valid   bool    `json:"valid"`
	Reason  string  `json:"reason"`
	Field   string  `json:"field"`
	Schema  bool    `json:"schema"`
	Text    *string `json:"text"`
	Base64  string  `json:"base64"`
}

func (v *vector) data(tb testing.TB) []byte {
	tb.Helper()
	if v.Text != nil {
		return []byte(*v.Text)
	}
	data, err := base64.StdEncoding.DecodeString(v.Base64)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func vectors(tb testing.TB) []vector {
	tb.Helper()
	data, err := os.ReadFile("../../schemas/vectors/tree.json")
	if err != nil {
		tb.Fatal(err)
	}
	var file struct {
		Vectors []vector `json:"vectors"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		tb.Fatal(err)
	}
	return file.Vectors
}

// reasons are the words that a vector may give for being invalid, and how messages put them.
var reasons = map[string]*regexp.Regexp{
	"profile":   regexp.MustCompile(`bad JSON at byte \d+: `),
	"missing":   regexp.MustCompile(`: missing$`),
	"unknown":   regexp.MustCompile(`: unknown member$`),
	"type":      regexp.MustCompile(`: must be .*, not `),
	"range":     regexp.MustCompile(`: -?\d+ is not in \d+…\d+$|more than \d+ bytes$`),
	"format":    regexp.MustCompile(`: ".*" is not `),
	"value":     regexp.MustCompile(`: ".*" is not one of `),
	"repeated":  regexp.MustCompile(` is there twice$`),
	"order":     regexp.MustCompile(`: not in the order of bytes$`),
	"parent":    regexp.MustCompile(` has no dir entry for its parent$`),
	"canonical": regexp.MustCompile(`: not in its canonical encoding$`),
}

func TestVectors(t *testing.T) {
	t.Parallel()
	list := vectors(t)
	if len(list) < 80 {
		t.Errorf("%d vectors", len(list))
	}
	for _, v := range list {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			got, err := tree.Decode(v.data(t))
			if v.Valid {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				if text := string(got.Encode()); text != string(v.data(t)) {
					t.Errorf("written again as %s", text)
				}
				if d := got.Digest(); d != job.Sum(v.data(t)) {
					t.Errorf("digest %s", d)
				}
				if err := got.Validate(); err != nil {
					t.Error(err)
				}
				return
			}
			e, ok := errors.AsType[*job.Error](err)
			if !ok || e.Code != job.CodeBadManifest || got != nil {
				t.Fatalf("%v, %#v", got, err)
			}
			if !reasons[v.Reason].MatchString(e.Message) || !strings.Contains(e.Message, v.Field) {
				t.Errorf("%q says neither %s nor %s", e.Message, v.Field, v.Reason)
			}
			if strings.ContainsFunc(e.Message, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("control characters in %q", e.Message)
			}
		})
	}
}
