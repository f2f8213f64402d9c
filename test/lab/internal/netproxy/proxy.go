// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package netproxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Proxy answers CONNECT and nothing else.
type Proxy struct {
	Table *Table

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// Serve accepts from all listeners until ctx ends and returns when every connection is closed.
func (p *Proxy) Serve(ctx context.Context, listeners ...net.Listener) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, l := range listeners {
		wg.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				wg.Go(func() { p.handle(ctx, c) })
			}
		})
	}
	<-ctx.Done()
	for _, l := range listeners {
		l.Close()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

func (p *Proxy) handle(ctx context.Context, client net.Conn) {
	defer client.Close()
	if !p.track(ctx, client) {
		return
	}
	defer p.untrack(client)
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	reader := bufio.NewReader(client)
	request, err := http.ReadRequest(reader)
	if err != nil {
		return
	}
	_ = client.SetReadDeadline(time.Time{})
	server, status := p.connect(ctx, request)
	fmt.Fprintf(client, "HTTP/1.1 %d %s\r\n\r\n", status, http.StatusText(status))
	if server == nil {
		return
	}
	defer server.Close()
	if !p.track(ctx, server) {
		return
	}
	defer p.untrack(server)

	var wg sync.WaitGroup
	wg.Go(func() { pipe(client, server) })
	wg.Go(func() {
		// A client may send its first bytes together with CONNECT.
		if n := reader.Buffered(); n > 0 {
			first, _ := reader.Peek(n)
			if _, err := server.Write(first); err != nil {
				return
			}
		}
		pipe(server, client)
	})
	wg.Wait()
}

// connect returns the connection, or nil and why not: 403 for an address that is not of the lab, 502 when nothing
// answers there.
func (p *Proxy) connect(ctx context.Context, request *http.Request) (net.Conn, int) {
	if request.Method != http.MethodConnect {
		return nil, http.StatusMethodNotAllowed
	}
	target, ok := p.Table.Lookup(request.Host)
	if !ok {
		return nil, http.StatusForbidden
	}
	dialer := net.Dialer{Timeout: 5 * time.Second}
	server, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return nil, http.StatusBadGateway
	}
	return server, http.StatusOK
}

// pipe copies one direction and passes its end on.
func pipe(dst, src net.Conn) {
	_, err := io.Copy(dst, src)
	if half, ok := dst.(interface{ CloseWrite() error }); ok && (err == nil || errors.Is(err, io.EOF)) {
		_ = half.CloseWrite()
		return
	}
	dst.Close()
}

func (p *Proxy) track(ctx context.Context, c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil {
		return false
	}
	if p.conns == nil {
		p.conns = map[net.Conn]struct{}{}
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *Proxy) untrack(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}
