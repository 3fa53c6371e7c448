package job_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

func TestElements(t *testing.T) {
	t.Parallel()
	const limit = 64
	full := strings.Repeat("x", limit-len(`{"name":""}`))
	long := `"` + strings.Repeat("x", limit) + `"`
	tests := []struct {
		name, text string
		want       []string // the names that were read
		message    string   // "" for none
	}{
		{"none", `{"version":"1","list":[]}`, nil, ""},
		{
			"two, and white space", ` { "list" : [ {"name":"a"} , {"name":"b"} ] , "version" : "1" } `,
			[]string{"a", "b"},
			"",
		},
		{"as long as may be", `{"version":"1","list":[{"name":"` + full + `"}]}`, []string{full}, ""},
		{
			"too long", `{"version":"1","list":[{"name":` + long + `}]}`, nil,
			"doc.list[0]: more than the 64 bytes allowed",
		},
		{
			"too many in one", `{"version":"1","list":[[` + strings.Repeat("1,", limit) + `1]]}`, nil,
			"doc.list[0]: more than the 64 bytes allowed",
		},
		{"a long version", `{"version":` + long + `,"list":[]}`, nil, "doc.version: more than the 64 bytes allowed"},
		{
			"a long list that is none", `{"version":"1","list":` + long + `}`, nil,
			"doc.list: more than the 64 bytes allowed",
		},
		{"no list", `{"version":"1"}`, nil, "doc.list: missing"},
		{"no version", `{"list":[]}`, nil, "doc.version: missing"},
		{"another version", `{"version":"2","list":[]}`, nil, `doc.version: "2" is not one of 1`},
		{"a number for a list", `{"version":"1","list":7}`, nil, "doc.list: must be an array, not 7"},
		{
			"a number in the list", `{"version":"1","list":[{"name":"a"},7]}`,
			[]string{"a"},
			"doc.list[1]: must be an object, not 7",
		},
		{"unread", `{"version":"1","list":[{"name":"a","more":1}]}`, []string{"a"}, "doc.list[0].more: unknown member"},
		{"unknown", `{"version":"1","lists":[]}`, nil, "doc.lists: unknown member"},
		{"the caller's own", `{"version":"1","list":[{"name":"stop"}]}`, []string{"stop"}, "enough"},
		{
			"cut", `{"version":"1","list":[{"name":"a"}`,
			[]string{"a"},
			"doc document: bad JSON at byte 35: ends where a comma or ] should be",
		},
		{
			"more", `{"version":"1","list":[]}x`, nil,
			"doc document: bad JSON at byte 25: something after the value: 'x'",
		},
		{"an array", `[]`, nil, "doc: must be an object, not an array"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			err := job.Elements([]byte(test.text), "doc", "1", "list", limit, func(f *job.Fields) error {
				name := f.Str("name")
				got = append(got, name)
				if name == "stop" {
					return errors.New("enough")
				}
				return f.Err()
			})
			message := ""
			if err != nil {
				message = err.Error()
			}
			if diff := cmp.Diff(test.message, message); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
		})
	}
}
