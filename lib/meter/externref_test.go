package meter_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	wz "github.com/tetratelabs/wazero"

	"plasm/lib/job"
	"plasm/lib/meter"
	"plasm/test/guest"
)

// TestExternRef puts funcref in the place of externref, whatever else is done, and
// runs what comes of it.
func TestExternRef(t *testing.T) {
	t.Parallel()
	plain := guest.References(false)
	if changes, err := meter.Inspect(plain, meter.Limits{}); err != nil || !changes {
		t.Errorf("it has externrefs: %v, %v", changes, err)
	}
	for _, o := range []meter.Options{{}, {CanonicalNaN: true}, {Fuel: true}, {Fuel: true, CanonicalNaN: true}} {
		module := rewrite(t, plain, o)
		if changes, err := meter.Inspect(module, meter.Limits{}); !o.Fuel && (err != nil || changes) {
			t.Errorf("%+v: some externrefs are left: %v, %v", o, changes, err)
		}
		for name, cfg := range backends() {
			i := instantiate(t, cfg, module, wz.NewModuleConfig().WithStartFunctions())
			if o.Fuel {
				i.fuel(plenty)
			}
			if _, end := i.call("_start"); end != "" {
				t.Errorf("%s, %+v: it ends in %q", name, o, end)
			}
		}
	}
}

// TestRewriteHead makes of all but the bodies what Rewrite does.
func TestRewriteHead(t *testing.T) {
	t.Parallel()
	plain := guest.References(false)
	head, whole := meter.RewriteHead(plain, meter.Limits{}), rewrite(t, plain, meter.Options{})
	code := 0 // where the code section begins, which is the last one
	for at := 8; at < len(whole); at += 2 + int(whole[at+1]) {
		code = at
	}
	if !bytes.Equal(head[:code], whole[:code]) || !bytes.Equal(head[code:], plain[code:]) {
		t.Errorf("it is\n%x, of\n%x and\n%x", head, whole[:code], plain[code:])
	}
	other := guest.References(true) // which is refused as a whole, and never comes here
	if !bytes.Equal(meter.RewriteHead(other, meter.Limits{}), other) {
		t.Error("a module that cannot be rewritten has changed")
	}
	for name, module := range guest.All() {
		if !bytes.Equal(meter.RewriteHead(module, meter.Limits{}), module) {
			t.Errorf("%s: it has no externref, and has changed", name)
		}
	}
}

// TestTwinTypes refuses types that would become one, as a call through a table tells
// them apart.
func TestTwinTypes(t *testing.T) {
	t.Parallel()
	_, err := meter.Rewrite(guest.References(true), meter.Options{})
	e, ok := errors.AsType[*job.Error](err)
	if !ok || e.Code != job.CodeModuleRefused ||
		!strings.Contains(e.Message, "types of functions 1 and 2 differ in externref and funcref only") {
		t.Errorf("%v", err)
	}
}
