package page

import (
	"fmt"
	"time"
)

// last is the end of an ID, which tells it from others; the beginnings are alike.
func last(id string) string {
	const n = 8
	if len(id) <= n {
		return id
	}
	return "…" + id[len(id)-n:]
}

// short is a duration in its two largest units.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

// parse reads a time as documents write it; one that is none is the zero time.
func parse(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// clock is the time of day of a document's time, in UTC.
func clock(text string) string {
	t := parse(text)
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("15:04:05")
}

// ago is how long before now a document's time is.
func ago(now time.Time, text string) string {
	t := parse(text)
	if t.IsZero() {
		return ""
	}
	return short(max(now.Sub(t), 0))
}
