// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package delay is a TCP proxy that makes the way to a server longer, at run time.
package delay

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy forwards connections to one address and holds back what clients send by an adjustable time.
//
// It is latency, not slowness: every chunk is held for the delay counted from its own arrival, chunks keep their order,
// and many are under way at once. One direction is enough: a request then takes the delay longer, while answers,
// watch events and lease keep-alives flow as before.
type Proxy struct {
	listener net.Listener
	target   string
	delay    atomic.Int64

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// Listen makes a proxy on a loopback port of its own.
func Listen(address, target string) (*Proxy, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return &Proxy{listener: l, target: target, conns: map[net.Conn]struct{}{}}, nil
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Set changes the delay for all that arrives from now on, also on open connections.
func (p *Proxy) Set(d time.Duration) { p.delay.Store(int64(max(d, 0))) }

// Delay is the delay now.
func (p *Proxy) Delay() time.Duration { return time.Duration(p.delay.Load()) }

// Run serves until ctx ends and returns when every connection is closed.
func (p *Proxy) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		p.listener.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		for c := range p.conns {
			c.Close()
		}
	})
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		wg.Go(func() { p.serve(ctx, client) })
	}
}

func (p *Proxy) serve(ctx context.Context, client net.Conn) {
	defer client.Close()
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.target)
	if err != nil {
		return // the client sees a closed connection, as it would from a server that is down
	}
	defer server.Close()
	if !p.track(ctx, client, server) {
		return
	}
	defer p.untrack(client, server)

	var wg sync.WaitGroup
	wg.Go(func() {
		defer closeWrite(client)
		_, _ = io.Copy(client, server)
	})
	wg.Go(func() {
		defer closeWrite(server)
		p.forward(ctx, server, client)
	})
	wg.Wait()
}

type chunk struct {
	data []byte
	due  time.Time
}

// chunksUnderWay bounds what one connection may hold back: 4096 x 32 KiB is far above what etcd's clients send in
// one delay, and a full queue only stops reading, which TCP passes on to the sender.
const chunksUnderWay = 4096

// forward copies src to dst, each chunk not before its due time.
func (p *Proxy) forward(ctx context.Context, dst, src net.Conn) {
	queue := make(chan chunk, chunksUnderWay)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for c := range queue {
			if wait := time.Until(c.due); wait > 0 {
				select {
				case <-time.After(wait):
				case <-ctx.Done():
				}
			}
			if _, err := dst.Write(c.data); err != nil {
				src.Close()
				for range queue { // until the reader has noticed
				}
				return
			}
		}
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			queue <- chunk{data: append([]byte(nil), buf[:n]...), due: time.Now().Add(p.Delay())}
		}
		if err != nil {
			break
		}
	}
	close(queue)
	<-done
}

// track remembers the connections, or says no when the proxy has already ended.
func (p *Proxy) track(ctx context.Context, conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil {
		return false
	}
	for _, c := range conns {
		p.conns[c] = struct{}{}
	}
	return true
}

func (p *Proxy) untrack(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

// closeWrite passes on the end of one direction and leaves the other one open.
func closeWrite(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.CloseWrite()
	}
}
