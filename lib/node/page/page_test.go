package page

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"plasm/lib/control"
	"plasm/lib/job"
)

var update = flag.Bool("update", false, "write testdata/page.txt anew")

const (
	alice = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"
	bob   = "12D3KooW9pNAk8aiBuGVQtWRdbkLmo5qVL3e2h5UxbN2Nz9ttwiw"
)

var at = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// before is a time as documents write it, so long before the page's.
func before(d time.Duration) string { return job.FormatTime(at.Add(-d)) }

// sample is a busy node that drains, with an answer for each thing that a page shows.
func sample() *View {
	code := uint32(3)
	v := &View{
		Now: at,
		Status: &control.Status{
			PID: 77, State: control.StateDraining, StartedAt: before(26 * time.Hour),
			DrainUntil: job.FormatTime(at.Add(time.Minute)),
			DataDir:    "/var/lib/plasmd",
			Node: job.Node{
				PeerID: bob, Addrs: []string{"/ip4/192.0.2.1/tcp/7527/p2p/" + bob}, Version: "1.2.3", OS: "linux",
				Arch: "amd64", MemoryMB: 4096,
				Engines: []job.NodeEngine{{Name: "wasmtime", Version: "44"}, {Name: "wazero", Version: "1.12"}},
				Guards:  []string{"landlock", "seccomp"},
				Slots:   job.Slots{Total: 4, Free: 2},
				Limits: job.NodeLimits{
					MemoryMB: 2048, TimeoutMS: 3_600_000, ModuleBytes: 64 << 20,
					InputBytes: 1 << 30, OutputBytes: 1 << 30,
				},
			},
			Load: control.Load{Running: 1, Reserved: 1, Waiting: 1, MemoryMB: 320},
			Storage: control.Storage{
				Content: 5 << 20, MostContent: 2 << 30, Jobs: 1536, MostJobs: 8 << 30,
				Free: 100 << 30,
			},
			Network: control.Network{
				Peers: 2, DHTPeers: 1, Reachability: "private", Relays: []string{alice},
				Private: true,
			},
			Allow: control.Allow{
				File: "/var/lib/plasmd/allow", Any: true, Peers: 2, Given: []string{"any"},
				GivenBy: "--allow",
			},
			Contacts: []control.Contact{
				{PeerID: alice, Source: "bootstrap", State: "failed", Error: "<script>alert(1)</script>"},
			},
		},
		Jobs: &control.Jobs{
			Current: []control.Job{
				{
					ID: strings.Repeat("a1", 16), Requester: alice, Listed: true, State: control.JobRunning,
					MemoryMB:  256,
					TimeoutMS: 60_000, OfferedAt: before(63 * time.Second), StartedAt: before(61 * time.Second),
					RunMS: 61_000, StdinBytes: 10, StdoutBytes: 3 << 20,
				},
				{
					ID: strings.Repeat("b2", 16), Requester: bob, State: control.JobReceiving, MemoryMB: 64,
					TimeoutMS: 500, OfferedAt: before(2500 * time.Millisecond), StdinBytes: 1 << 30,
				},
				{
					ID: strings.Repeat("c3", 16), Requester: bob, State: control.JobWaiting, Position: 1, WaitMS: 4000,
					MemoryMB: 64, TimeoutMS: 500, OfferedAt: before(time.Second),
				},
			},
			Ended: []control.Job{
				{
					ID: strings.Repeat("d4", 16), Requester: alice, State: control.JobEnded, Status: job.Exit,
					ExitCode: &code, Engine: "wazero", OfferedAt: before(time.Hour), StartedAt: before(time.Hour),
					EndedAt: before(59 * time.Minute), RunMS: 7_260_000, StdoutBytes: 1234,
				},
				{
					ID: strings.Repeat("e5", 16), Requester: bob, State: control.JobEnded,
					Rejection: job.RejectBadModule,
					OfferedAt: before(2 * time.Hour), EndedAt: before(2 * time.Hour),
				},
			},
		},
		Peers: []Peer{
			{ID: alice, Addr: "/ip4/198.51.100.7/udp/7527/quic-v1"},
			{ID: bob, Addr: "/ip4/203.0.113.9/tcp/4001/p2p-circuit", Inbound: true, Relayed: true},
		},
	}
	for i := range 60 {
		v.History = append(v.History, Sample{
			At: at.Add(time.Duration(i-60) * 30 * time.Second), Slots: i % 4, Waiting: i / 30, MemoryMB: int64(i) * 64,
			Ended: int64(i % 3),
		})
	}
	return v
}

// idle is a node to which nothing has happened yet.
func idle() *View {
	return &View{
		Now: at, Jobs: &control.Jobs{},
		Status: &control.Status{
			State: control.StateReady, StartedAt: before(0),
			Node: job.Node{PeerID: bob, Slots: job.Slots{Total: 1, Free: 1}}, Storage: control.Storage{Free: -1},
		},
	}
}

// get asks for a path.
func get(t *testing.T, v *View, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	Handler(func() *View { return v }).ServeHTTP(w, httptest.NewRequest(method, path, http.NoBody))
	return w
}

// body is what was answered, which must be well.
func body(t *testing.T, r *httptest.ResponseRecorder) string {
	t.Helper()
	if r.Code != http.StatusOK {
		t.Fatalf("%d: %s", r.Code, r.Body)
	}
	return r.Body.String()
}

// TestWhatItSays compares the page, as a text browser shows it, with what it is to say.
func TestWhatItSays(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	for _, v := range []*View{sample(), idle()} {
		said.WriteString(readable(t, body(t, get(t, v, "GET", "/?refresh=off"))))
		said.WriteString("\n----\n")
	}
	const golden = "testdata/page.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(said.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), said.String()); diff != "" {
		t.Errorf("the page says (-want +got):\n%s", diff)
	}
}

// readable is the text of a page, a line for each block and row, with nothing that needs
// style or images.
func readable(t *testing.T, text string) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		block := false
		switch n.Type {
		case html.TextNode:
			out.WriteString(n.Data)
		case html.ElementNode:
			switch n.Data {
			case "title", "h1", "h2", "h3", "p", "tr", "dt", "dd", "li", "figcaption", "br":
				block = true
			case "td", "th":
				out.WriteString(" | ")
			}
		default:
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
		if block {
			out.WriteString("\x00")
		}
	}
	walk(doc)
	var lines []string
	for line := range strings.SplitSeq(out.String(), "\x00") {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// TestNothingFromElsewhere goes through the page's elements: no script, no style in
// it, no form, and no address but of its own.
func TestNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	doc, err := html.Parse(strings.NewReader(body(t, get(t, sample(), "GET", "/"))))
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]bool{}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "style", "form", "iframe", "object", "embed", "base", "button", "input":
			t.Errorf("a <%s>", n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "style", strings.HasPrefix(a.Key, "on"):
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			case a.Key == "href", a.Key == "src", a.Key == "srcset":
				if !strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//") {
					t.Errorf("<%s %s=%q> leads elsewhere", n.Data, a.Key, a.Val)
				}
				links[a.Val] = true
			}
		}
	}
	delete(links, "/metrics") // the server's
	if len(links) != 2+2*4 {
		t.Errorf("%d links: %v", len(links), links)
	}
	for link := range links {
		body(t, get(t, sample(), "GET", link))
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	const meta = `<meta http-equiv="refresh" content="10">`
	for path, want := range map[string]bool{"/": true, "/?refresh=on": true, "/?refresh=off": false} {
		if got := strings.Contains(body(t, get(t, idle(), "GET", path)), meta); got != want {
			t.Errorf("%s refreshes: %v", path, got)
		}
	}
}

func TestOnlyReading(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/style.css", "/plot/slots.svg"} {
		for method, status := range map[string]int{
			"GET": 200, "HEAD": 200, "POST": 405, "PUT": 405, "DELETE": 405, "OPTIONS": 405, "PATCH": 405,
		} {
			r := get(t, sample(), method, path)
			if r.Code != status {
				t.Errorf("%s %s: %d, want %d", method, path, r.Code, status)
			}
			if status == 405 && r.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: allowed is %q", method, path, r.Header().Get("Allow"))
			}
			checkHeaders(t, method+" "+path, r.Header())
		}
	}
	for _, path := range []string{
		"/index.html", "/plot/", "/plot/nothing.svg", "/plot/slots", "/plot/slots.png",
		"/plot/../page.go", "/style.css/x",
	} {
		if r := get(t, sample(), "GET", path); r.Code != http.StatusNotFound && r.Code/100 != 3 {
			t.Errorf("%s: %d", path, r.Code)
		}
	}
}

func checkHeaders(t *testing.T, what string, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'",
		"X-Content-Type-Options":  "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		"Cache-Control": "no-store",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %s is %q", what, name, got)
		}
	}
}

// TestStrangersWords shows that what others choose stays text.
func TestStrangersWords(t *testing.T) {
	t.Parallel()
	const bad = `"><img src=//evil.example onerror=alert(1)><script>alert(1)</script>{{.}}`
	v := sample()
	v.Status.Contacts[0].Error, v.Status.Allow.File, v.Status.Node.Addrs = bad, bad, []string{bad}
	v.Jobs.Current[0].Requester, v.Jobs.Ended[0].Engine, v.Peers[0].Addr = bad, bad, bad
	page := body(t, get(t, v, "GET", "/"))
	if strings.Contains(page, "<script") || strings.Contains(page, "<img src=//") {
		t.Error(page)
	}
	if n := strings.Count(readable(t, page), "<script>alert(1)</script>{{.}}"); n < 6 {
		t.Errorf("said %d times: %s", n, readable(t, page))
	}
}

// TestMany shows no more than can be read.
func TestMany(t *testing.T) {
	t.Parallel()
	v := idle()
	for i := range 300 {
		state := control.JobRunning
		if i%2 == 0 {
			state = control.JobWaiting
		}
		v.Jobs.Current = append(v.Jobs.Current, control.Job{
			ID: fmt.Sprint(i), Requester: fmt.Sprint("r", i),
			State: state,
		})
		v.Jobs.Ended = append(v.Jobs.Ended, control.Job{ID: fmt.Sprint("e", i)})
		v.Peers = append(v.Peers, Peer{ID: fmt.Sprint("p", i)})
	}
	text := readable(t, body(t, get(t, v, "GET", "/")))
	if n := strings.Count(text, "And 100 more."); n != 2 {
		t.Errorf("jobs are cut %d times", n)
	}
	if n := strings.Count(text, "And 250 more."); n != 2 {
		t.Errorf("requesters and peers are cut %d times", n)
	}
	if n := strings.Count(text, "\n"); n > 300 {
		t.Errorf("%d lines", n)
	}
}

func TestPlots(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]*View{"busy": sample(), "idle": idle()} {
		for _, file := range []string{"slots", "waiting", "memory", "jobs"} {
			light, dark := body(t, get(t, v, "GET", "/plot/"+file+".svg")),
				body(t, get(t, v, "GET", "/plot/"+file+"-dark.svg"))
			if light == dark {
				t.Errorf("%s: %s is light and dark", name, file)
			}
			d := xml.NewDecoder(strings.NewReader(light))
			var err error
			for err == nil {
				_, err = d.Token()
			}
			if !errors.Is(err, io.EOF) {
				t.Errorf("%s: %s: %v", name, file, err)
			}
			if strings.Contains(light, "NaN") || strings.Contains(light, "Inf") {
				t.Errorf("%s: %s: %s", name, file, light)
			}
		}
	}
	// One job in the middle of the hour is a bar there; a value is a line until now.
	v := idle()
	v.Status.Node.Slots.Total = 2
	v.Status.Load.Running = 1
	v.History = []Sample{{At: at.Add(-30 * time.Minute), Slots: 1, Ended: 1}}
	if got := body(t, get(t, v, "GET", "/plot/jobs.svg")); !strings.Contains(got,
		`<rect x="180.0" y="4.0" width="5.0" height="67.0"`) {
		t.Error(got)
	}
	if got := body(t, get(t, v, "GET", "/plot/slots.svg")); !strings.Contains(got,
		`d="M180.0 37.5H360.0L360.0 37.5H360.0"`) {
		t.Error(got)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	var h History
	if got := h.Samples(at); len(got) != 0 {
		t.Errorf("%v", got)
	}
	for i := range 2 * maxSamples {
		h.Add(Sample{At: at.Add(time.Duration(i) * SampleEvery), Slots: i})
	}
	now := at.Add(time.Duration(2*maxSamples-1) * SampleEvery)
	got := h.Samples(now)
	if len(got) != maxSamples || got[len(got)-1].Slots != 2*maxSamples-1 {
		t.Errorf("%d samples to %+v", len(got), got[len(got)-1])
	}
	// Of a node that slept, the sample before the hour says how it began.
	got = h.Samples(now.Add(Span - SampleEvery))
	if len(got) != 3 || got[0].Slots != 2*maxSamples-3 {
		t.Errorf("%+v", got)
	}
	if got := h.Samples(now.Add(2 * Span)); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"0 B": job.Roughly(0), "1023 B": job.Roughly(1023), "1 KiB": job.Roughly(1024), "1.5 KiB": job.Roughly(1536),
		"10 MiB": job.Roughly(10 << 20), "8192 PiB": job.Roughly(1<<63 - 1),
		"0 ms": short(0), "1.5 s": short(1500 * time.Millisecond), "59 s": short(59 * time.Second),
		"1 min 1 s": short(61 * time.Second),
		"2 h 1 min": short(121 * time.Minute), "1 d 2 h": short(26 * time.Hour),
		"…6iDEp123": last(alice + "123"), "short": last("short"),
		"": clock("nonsense") + ago(at, ""), "11:59:00": clock(before(time.Minute)),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
