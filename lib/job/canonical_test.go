package job_test

import (
	"bytes"
	"strconv"

	"plasm/lib/job"
)

// canonical appends v as the vectors' "canonical" has it: no white space, and in
// strings only the quote, the backslash and what is below U+0020 escaped, the
// latter as \u00xx.
func canonical(b []byte, v job.Value) []byte {
	switch v := v.(type) {
	case *job.Object:
		b = append(b, '{')
		for name, value := range v.All() {
			b = canonical(append(canonical(b, name), ':'), value)
			b = append(b, ',')
		}
		return append(bytes.TrimSuffix(b, []byte(",")), '}')
	case []job.Value:
		b = append(b, '[')
		for _, e := range v {
			b = append(canonical(b, e), ',')
		}
		return append(bytes.TrimSuffix(b, []byte(",")), ']')
	case string:
		b = append(b, '"')
		for _, c := range []byte(v) {
			switch {
			case c == '"' || c == '\\':
				b = append(b, '\\', c)
			case c < ' ':
				b = append(b, `\u00`...)
				b = append(b, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
			default:
				b = append(b, c)
			}
		}
		return append(b, '"')
	case int64:
		return strconv.AppendInt(b, v, 10)
	case bool:
		return strconv.AppendBool(b, v)
	}
	panic("no value of the profile")
}
