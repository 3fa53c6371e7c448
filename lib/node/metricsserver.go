package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"

	"plasm/lib/job"
	"plasm/lib/node/page"
)

// Limits of the server of metrics and the status page.
const (
	maxScrapes   = 16
	scrapeWithin = 10 * time.Second
)

// CheckMetrics refuses an address for the metrics and the status page that is not a port on
// this machine's loopback: they are for nobody else, and there is no check who asks.
func CheckMetrics(address string) error {
	host, port, err := net.SplitHostPort(address)
	if _, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil || !isLoopback(host) {
		return fmt.Errorf("%s is not an address of the loopback, such as 127.0.0.1:9464 or [::1]:9464",
			job.Quote(address))
	}
	return nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost"
}

// serveMetrics answers GET /metrics, and with the status page, if it was asked to.
func (n *Node) serveMetrics(ctx context.Context) error {
	if n.cfg.Metrics == "" {
		return nil
	}
	if err := CheckMetrics(n.cfg.Metrics); err != nil {
		return &job.Error{Code: job.CodeUsage, Message: err.Error(), Err: err}
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", n.cfg.Metrics)
	if err != nil {
		return &job.Error{
			Code: job.CodeIO, Message: fmt.Sprintf("metrics cannot be served: %v", err),
			Fact: job.FactListen, Err: err,
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(n.metrics.registry, promhttp.HandlerOpts{}))
	mux.Handle("/", n.whenReady(page.Handler(n.view)))
	server := &http.Server{
		Handler: onlyHere(mux), ReadTimeout: scrapeWithin, WriteTimeout: scrapeWithin, IdleTimeout: scrapeWithin,
		MaxHeaderBytes: 8 << 10, ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(netutil.LimitListener(listener, maxScrapes)) }()
	n.onStop(func() {
		err := server.Close()
		if served := <-done; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		n.closed("metrics", err)
	})
	n.log.Info("metrics.listening", "addr", listener.Addr().String())
	return nil
}

// onlyHere refuses requests that were meant for another name: a page in a browser
// could have its own name lead to the loopback.
func onlyHere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !isLoopback(host) {
			http.Error(w, "not for "+job.Quote(r.Host), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
