package netlab_test

import (
	"testing"

	"plasm/test/need"
	"plasm/test/netlab"
)

// TestWires checks that the lab is what it says: who reaches whom.
func TestWires(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	internet := l.Internet()
	public := internet.Host("public")
	a := internet.Site(netlab.Cone, "a1", "a2")
	b := internet.Site(netlab.Symmetric, "b1")[0]
	lan := l.LAN("c1", "c2")
	alone := l.Alone("d")
	need.Found(t, "ping")
	for _, test := range []struct {
		name string
		from *netlab.Machine
		to   string
		want bool
	}{
		{"out of a site", a[0], public.Addr, true},
		{"out of another", b, public.Addr, true},
		{"within a site", a[0], a[1].Addr, true},
		{"into a site", public, a[0].Addr, false},
		{"from site to site", b, a[0].Addr, false},
		{"within a LAN", lan[0], lan[1].Addr, true},
		{"out of a LAN", lan[0], public.Addr, false},
		{"alone", alone, public.Addr, false},
	} {
		err := test.from.Command(t.Context(), "ping", "-c1", "-W1", "-q", test.to).Run()
		if got := err == nil; got != test.want {
			t.Errorf("%s: ping %s says %v", test.name, test.to, err)
		}
	}
}
