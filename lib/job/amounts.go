package job

import (
	"fmt"
	"strings"
	"time"
)

// Amount is a number of bytes in words for people, exact, in the largest unit in which it
// is a whole number: 64 MiB, 1 GiB, 1025 KiB, 1000 bytes. Units are powers of 1024.
func Amount(bytes int64) string {
	units := []string{"KiB", "MiB", "GiB", "TiB", "PiB"}
	n, unit := bytes, "bytes"
	for _, next := range units {
		if n == 0 || n%1024 != 0 {
			break
		}
		n, unit = n/1024, next
	}
	if n == 1 && unit == "bytes" {
		unit = "byte"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// Roughly is a number of bytes in words for people, to two digits or to a whole number of
// the largest unit of 1024 of which there is one: 900 B, 1.5 MiB, 12 GiB.
func Roughly(bytes int64) string {
	units := []string{"KiB", "MiB", "GiB", "TiB", "PiB"}
	if bytes < 1024 {
		return fmt.Sprintf("%d B", bytes)
	}
	f := float64(bytes)
	i := -1
	for f >= 1024 && i < len(units)-1 {
		f /= 1024
		i++
	}
	if f < 10 && f != float64(int64(f)) {
		return fmt.Sprintf("%.1f %s", f, units[i])
	}
	return fmt.Sprintf("%.0f %s", f, units[i])
}

// Span is a number of milliseconds in words for people, exact: 500ms, 1m30s, 2h.
func Span(ms int64) string {
	if ms > MaxSpan || ms < -MaxSpan {
		return fmt.Sprintf("%d ms", ms)
	}
	text := (time.Duration(ms) * time.Millisecond).String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}

// MaxSpan is the most milliseconds that a time.Duration holds.
const MaxSpan = int64(1<<63-1) / int64(time.Millisecond)

// Micros is a number of microseconds in words for people, rounded: 1.5ms, 12.35s, 2m3.4s.
func Micros(us int64) string {
	d := time.Duration(us) * time.Microsecond
	switch {
	case d >= 10*time.Second:
		d = d.Round(100 * time.Millisecond)
	case d >= time.Second:
		d = d.Round(10 * time.Millisecond)
	case d >= 10*time.Millisecond:
		d = d.Round(time.Millisecond)
	default:
		d = d.Round(10 * time.Microsecond)
	}
	return d.String()
}

// Amounts are two numbers of bytes in words for people, as Roughly has them, or exact where
// that would make them look alike.
func Amounts(a, b int64) (string, string) {
	first, second := Roughly(a), Roughly(b)
	if a == b || strings.Replace(first, ".0 ", " ", 1) != strings.Replace(second, ".0 ", " ", 1) {
		return first, second
	}
	return Amount(a), Amount(b)
}
