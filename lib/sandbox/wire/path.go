package wire

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// A path of the host is bytes, and JSON is UTF-8. One that is not, or has a percent
// sign in it, is written percent-encoded, as a path in a URL.

func encodePath(path string) string {
	if utf8.ValidString(path) && !strings.Contains(path, "%") {
		return path
	}
	return url.PathEscape(path)
}

// plainAssignment is an Assignment whose paths are as they are in JSON.
type plainAssignment Assignment

// MarshalJSON writes the assignment with paths that JSON can hold.
func (a Assignment) MarshalJSON() ([]byte, error) {
	a.Dirs = slices.Clone(a.Dirs)
	for i := range a.Dirs {
		a.Dirs[i].Host = encodePath(a.Dirs[i].Host)
	}
	return json.Marshal(plainAssignment(a))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Assignment) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, (*plainAssignment)(a)); err != nil {
		return err
	}
	for i := range a.Dirs {
		path, err := url.PathUnescape(a.Dirs[i].Host)
		if err != nil {
			return err
		}
		a.Dirs[i].Host = path
	}
	return nil
}
