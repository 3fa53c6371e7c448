// Package page is a node's status page: what plasmd status and plasmd jobs say, for a
// browser on the node's machine. It is rendered here, whole, and asks for nothing from
// elsewhere: no script, one style sheet, and a few plots, which are SVG images. It is
// read-only, and correct in a text browser too. It tells what any local user may
// read: no arguments, environments or inputs of jobs.
//
//	GET /                  the page, which loads itself again every 10 s
//	GET /?refresh=off      the same, which does not
//	GET /style.css
//	GET /plot/NAME.svg     and /plot/NAME-dark.svg: slots, waiting, memory, jobs
//
// HEAD is answered like GET, and nothing else is. Who may ask, and by which names of
// this machine, is for the server to say.
package page

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
	"time"

	"plasm/lib/control"
	"plasm/lib/job"
)

// refreshEvery is how often the page loads itself again, in seconds.
const refreshEvery = 10

// How many of each are shown.
const (
	maxShown = 50 // jobs that have not ended, and peers
	maxEnds  = 20
)

// View is what a page shows: a node at one moment.
type View struct {
	Now     time.Time
	Status  *control.Status
	Jobs    *control.Jobs
	Peers   []Peer   // connected
	History []Sample // of the last hour, the oldest first
}

// Peer is a peer that is connected.
type Peer struct {
	ID      string
	Addr    string // a multiaddress
	Inbound bool   // it has dialled
	Relayed bool
}

//go:embed style.css
var style []byte

//go:embed page.html
var text string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"last":  last,
	"bytes": job.Roughly,
	"mb":    func(n int64) string { return job.Roughly(n << 20) },
	"ms":    func(ms int64) string { return short(time.Duration(ms) * time.Millisecond) },
	"clock": clock,
	"ago":   ago,
	"join":  strings.Join,
}).Parse(text))

// Handler answers with the view that look returns, which is called for each request, by
// several goroutines at a time.
func Handler(look func() *View) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		var out bytes.Buffer
		if err := page.Execute(&out, content(look(), r.URL.Query().Get("refresh") != "off")); err != nil {
			http.Error(w, "the page cannot be made: "+err.Error(), http.StatusInternalServerError)
			return
		}
		send(w, "text/html; charset=utf-8", out.Bytes())
	})
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter,
		_ *http.Request,
	) {
		send(w, "text/css; charset=utf-8", style)
	})
	mux.HandleFunc("GET /plot/{name}", func(w http.ResponseWriter, r *http.Request) {
		name, isSVG := strings.CutSuffix(r.PathValue("name"), ".svg")
		name, dark := strings.CutSuffix(name, "-dark")
		v := look()
		for _, p := range plots(v) {
			if isSVG && p.Name == name {
				send(w, "image/svg+xml", p.draw(v.Now, dark))
				return
			}
		}
		http.NotFound(w, r)
	})
	return guarded(mux)
}

// guarded sends with every answer what keeps browsers from doing anything with it but
// show it.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func send(w http.ResponseWriter, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(body) // whoever asked may be gone
}

// shown is what the template shows.
type shown struct {
	*View
	Refresh  int // seconds; 0: never
	Draining bool
	Held     int64 // slots
	Running  []control.Job
	Waiting  []control.Job
	Ended    []control.Job
	Shares   []control.Share
	More     map[string]int // how many of a list are left out
	Plots    []*plot
}

// content sorts a view into what the page shows.
func content(v *View, refresh bool) *shown {
	s := &shown{
		View: v, Draining: v.Status.State == control.StateDraining, Shares: v.Jobs.Shares(), Plots: plots(v),
		More: map[string]int{},
	}
	if refresh {
		s.Refresh = refreshEvery
	}
	s.Held = int64(v.Status.Load.Running + v.Status.Load.Reserved)
	for i := range v.Jobs.Current {
		one := v.Jobs.Current[i]
		if one.State == control.JobWaiting {
			s.Waiting = append(s.Waiting, one)
		} else {
			s.Running = append(s.Running, one)
		}
	}
	s.Running = cut(s, "running", s.Running, maxShown)
	s.Waiting = cut(s, "waiting", s.Waiting, maxShown)
	s.Shares = cut(s, "shares", s.Shares, maxShown)
	s.Ended = cut(s, "ended", v.Jobs.Ended, maxEnds)
	sorted := *v
	sorted.Peers = cut(s, "peers", v.Peers, maxShown)
	s.View = &sorted
	return s
}

// cut shortens a list, and notes by how much.
func cut[T any](s *shown, name string, list []T, most int) []T {
	s.More[name] = max(len(list)-most, 0)
	return list[:min(len(list), most)]
}

// Engines are the node's engines with their versions.
func (s *shown) Engines() string {
	names := make([]string, 0, len(s.Status.Node.Engines))
	for _, e := range s.Status.Node.Engines {
		names = append(names, e.Name+" "+e.Version)
	}
	return strings.Join(names, ", ")
}
