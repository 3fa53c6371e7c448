package engine

import (
	"errors"
	"strings"
	"testing"

	"plasm/lib/job"
)

func TestCheckHeader(t *testing.T) {
	t.Parallel()
	for module, want := range map[string]string{
		"":                                 "the file is empty",
		"\x00":                             "truncated module: 1 bytes",
		"\x00asm\x01\x00\x00":              "truncated module: 7 bytes",
		"#!/bin/sh":                        `it begins with "#!/bin/s", not "\x00asm"`,
		"\x00asn\x01\x00\x00\x00":          `not "\x00asm"`,
		"\x00asm\x0d\x00\x01\x00":          "a WebAssembly component",
		"\x00asm\x02\x00\x00\x00":          "binary version 2, not 1",
		"\x00asm\x01\x00\x00\x80":          "binary version 2147483649, not 1",
		"\x00asm\x01\x00\x00\x00":          "",
		"\x00asm\x01\x00\x00\x00 and more": "",
	} {
		err := CheckHeader([]byte(module))
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", module, err)
			}
			continue
		}
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeBadModule ||
			!strings.Contains(e.Message, want) {
			t.Errorf("%q: %#v, want %s", module, err, want)
		}
	}
}
