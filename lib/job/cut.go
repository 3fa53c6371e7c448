package job

import "strings"

// CutSource cuts PATH::GUEST, the value of --in, where GUEST begins with a slash: PATH may
// have "::" in it.
func CutSource(value string) (path, guest string, ok bool) {
	at := strings.LastIndex(value, "::/")
	if at <= 0 {
		return "", "", false
	}
	return value[:at], value[at+2:], true
}

// CutTarget cuts GUEST::PATH, the value of --out. PATH may have "::" in it.
func CutTarget(value string) (guest, path string, ok bool) {
	guest, path, ok = strings.Cut(value, "::")
	return guest, path, ok && strings.HasPrefix(guest, "/") && path != ""
}
