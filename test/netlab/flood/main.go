// Command flood is a peer for tests that takes all it can get.
//
//	flood silence ADDR N     N TCP connections, on which it says nothing
//	flood strangers ADDR N   N connections, each with a key of its own, over TCP and QUIC in turn
//	flood streams ADDR N     N streams of each protocol, on connections with one key, no answer read
//	flood crowd ADDR N       N connections from each address of this machine, each with a key of its own
//	flood offers ADDR N      N streams for jobs from each address of this machine, with offers that never end,
//	                         over TCP or QUIC, as ADDR says
//	flood loads ADDR N       the same, and 200 KiB of each offer come at once
//	flood users ADDR N       N well-behaved hosts, all connected at once, each of which asks the node
//	flood metrics            writes the metrics of the node on this machine, at 127.0.0.1:9464
//
// ADDR is a multiaddress that ends in /p2p/ID. What it opened it keeps until it is
// killed; {"got":N,"refused":N} says how much that is, when it is done.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/network"
)

const usage = "usage: flood silence|strangers|streams|crowd|offers|loads|users ADDR N, or flood metrics"

// patience is how long one attempt may take.
const patience = 10 * time.Second

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "flood: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	ctx := context.Background()
	if len(args) == 1 && args[0] == "metrics" {
		return metrics(ctx, stdout)
	}
	if len(args) != 3 {
		return errors.New(usage)
	}
	targets, err := network.ParseAddrs(args[1:2])
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	var taken tally
	floods := map[string]func(context.Context, peer.AddrInfo, int, *tally) error{
		"silence": silence, "strangers": strangers, "streams": streams, "crowd": crowd, "offers": offers,
		"loads": loads, "users": users,
	}
	flood, ok := floods[args[0]]
	if !ok {
		return errors.New(usage)
	}
	if err := flood(ctx, targets[0], n, &taken); err != nil {
		return err
	}
	if err := json.NewEncoder(stdout).Encode(map[string]int{
		"got":     len(taken.held),
		"refused": taken.refused,
	}); err != nil {
		return err
	}
	select {}
}

// metrics writes what the node counts.
func metrics(ctx context.Context, out io.Writer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:9464/metrics", http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(out, response.Body)
	return err
}

// tally is what was taken, kept so that nothing of it is closed.
type tally struct {
	mu      sync.Mutex
	held    []any
	refused int
}

// add counts an attempt.
func (t *tally) add(what any, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.refused++
		return
	}
	t.held = append(t.held, what)
}

// times calls f with 0 to n-1, so many at once, and waits.
func times(n, atOnce int, f func(i int)) {
	next := make(chan int)
	var all sync.WaitGroup
	for range min(n, atOnce) {
		all.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}
