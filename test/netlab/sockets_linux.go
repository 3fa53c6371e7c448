package netlab

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Dial connects from the machine, as net.Dialer does. The address must be a
// number: a name would be looked up somewhere else.
func (m *Machine) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var conn net.Conn
	err := m.inside(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, network, addr)
		return err
	})
	return conn, err
}

// Listen listens for connections on the machine.
func (m *Machine) Listen(ctx context.Context, network, addr string) (net.Listener, error) {
	var l net.Listener
	err := m.inside(func() (err error) {
		l, err = new(net.ListenConfig).Listen(ctx, network, addr)
		return err
	})
	return l, err
}

// ListenPacket listens for datagrams on the machine.
func (m *Machine) ListenPacket(ctx context.Context, network, addr string) (net.PacketConn, error) {
	var l net.PacketConn
	err := m.inside(func() (err error) {
		l, err = new(net.ListenConfig).ListenPacket(ctx, network, addr)
		return err
	})
	return l, err
}

// Get fetches a page from the machine itself.
func (m *Machine) Get(ctx context.Context, url string) ([]byte, error) {
	client := http.Client{Transport: &http.Transport{DialContext: m.Dial, DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	page, err := io.ReadAll(response.Body)
	_ = response.Body.Close() // it was only read
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, response.Status)
	}
	return page, err
}

// inside calls f on a thread of the machine's. A socket stays on the machine on
// which it was made, whoever uses it. The thread ends with f: it is of no more use
// to others.
func (m *Machine) inside(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			// The machine of a process is that of this thread. While it is held
			// here, others are on another one.
			defer runtime.UnlockOSThread()
			done <- m.inside(f)
			return
		}
		space, err := os.Open("/run/netns/" + m.space)
		if err != nil {
			done <- err
			return
		}
		defer func() { _ = space.Close() }()
		if err := unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("setns: %w", err)
			return
		}
		done <- f()
	}()
	return <-done
}
