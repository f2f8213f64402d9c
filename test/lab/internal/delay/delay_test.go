// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package delay

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net"
	"testing"
	"time"
)

// echo answers with what it was sent, until the test ends.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return l.Addr().String()
}

func start(t *testing.T, target string) *Proxy {
	t.Helper()
	p, err := Listen("127.0.0.1:0", target)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Error("Run did not return")
		}
	})
	return p
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

func roundTrip(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	begin := time.Now()
	if _, err := c.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	return time.Since(begin)
}

// The delay is felt once per round trip, and changes on a connection that is already open.
func TestDelayIsPerRoundTripAndAdjustable(t *testing.T) {
	p := start(t, echo(t))
	c := dial(t, p.Addr())
	if took := roundTrip(t, c); took > 150*time.Millisecond {
		t.Errorf("without delay a round trip took %s", took)
	}
	p.Set(300 * time.Millisecond)
	if took := roundTrip(t, c); took < 300*time.Millisecond || took > 600*time.Millisecond {
		t.Errorf("with a delay of 300ms a round trip took %s", took)
	}
	p.Set(0)
	if took := roundTrip(t, c); took > 150*time.Millisecond {
		t.Errorf("after the delay a round trip took %s", took)
	}
}

// Many chunks are under way at once: 16 MiB arrive in about one delay, in order.
func TestDelayKeepsOrderAndThroughput(t *testing.T) {
	p := start(t, echo(t))
	p.Set(300 * time.Millisecond)
	c := dial(t, p.Addr())
	sent := make([]byte, 16<<20)
	_, _ = rand.Read(sent)
	begin := time.Now()
	go func() {
		for i := 0; i < len(sent); i += 4 << 10 {
			if _, err := c.Write(sent[i : i+4<<10]); err != nil {
				return
			}
		}
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(sent, got) {
		t.Error("bytes arrived changed or out of order")
	}
	if took := time.Since(begin); took < 300*time.Millisecond || took > 5*time.Second {
		t.Errorf("16 MiB took %s with a delay of 300ms", took)
	}
}

// A delay that shrinks must not let a later chunk overtake an earlier one.
func TestShrinkingDelayKeepsOrder(t *testing.T) {
	p := start(t, echo(t))
	c := dial(t, p.Addr())
	p.Set(400 * time.Millisecond)
	_, _ = c.Write([]byte("first "))
	time.Sleep(50 * time.Millisecond)
	p.Set(0)
	_, _ = c.Write([]byte("second"))
	got := make([]byte, 12)
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	if string(got) != "first second" {
		t.Errorf("got %q", got)
	}
}

// The end of what a client sends reaches the server after the last delayed byte.
func TestHalfCloseIsPassedOn(t *testing.T) {
	p := start(t, echo(t))
	p.Set(100 * time.Millisecond)
	c := dial(t, p.Addr())
	_, _ = c.Write([]byte("all"))
	_ = c.(*net.TCPConn).CloseWrite()
	got, err := io.ReadAll(c)
	if err != nil || string(got) != "all" {
		t.Errorf("got %q, %v", got, err)
	}
}
