package job

import (
	"fmt"
	"time"
)

// timeLayout is YYYY-MM-DDThh:mm:ss.sssZ: UTC, milliseconds, always 24 bytes.
const timeLayout = "2006-01-02T15:04:05.000Z"

// FormatTime writes t as documents have it, cut to the millisecond. The year
// of t, in UTC, must be 0 to 9999.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// ParseTime reads a time exactly as FormatTime writes it, in UTC. Dates that no
// calendar has, leap seconds and any other spelling of a time are errors.
func ParseTime(s string) (time.Time, error) {
	// time.Parse alone takes a comma for the point.
	t, err := time.Parse(timeLayout, s)
	if err != nil || FormatTime(t) != s {
		return time.Time{}, fmt.Errorf("%s is not a time YYYY-MM-DDThh:mm:ss.sssZ", Quote(s))
	}
	return t, nil
}
