// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package netproxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	var table Table
	for address, target := range map[string]string{
		"192.0.2.1:6443":  "127.0.0.1:1001",
		"192.0.2.2:6443":  "127.0.0.1:1002",
		"192.0.2.100:*":   "127.0.0.1:1003",
		"192.0.2.100:999": "127.0.0.1:1004",
	} {
		if err := table.Set(address, target); err != nil {
			t.Fatal(err)
		}
	}
	for address, want := range map[string]string{
		"192.0.2.1:6443":  "127.0.0.1:1001", // one port, two addresses, two apiservers
		"192.0.2.2:6443":  "127.0.0.1:1002",
		"192.0.2.1:443":   "", // a port that nobody serves
		"192.0.2.100:443": "127.0.0.1:1003",
		"192.0.2.100:999": "127.0.0.1:1004", // the exact entry wins
		"192.0.2.3:6443":  "",
		"127.0.0.1:1001":  "", // not even loopback, unless told
		"192.0.2.1":       "",
		"":                "",
	} {
		if got, ok := table.Lookup(address); got != want || ok != (want != "") {
			t.Errorf("Lookup(%q) = %q, %v; want %q", address, got, ok, want)
		}
	}
}

func TestTableTakesLoopbackTargetsOnly(t *testing.T) {
	var table Table
	for _, target := range []string{"10.0.0.1:443", "localhost:443", "127.0.0.1", "0.0.0.0:1"} {
		if err := table.Set("192.0.2.1:6443", target); err == nil {
			t.Errorf("target %q was taken", target)
		}
	}
}

// Over TCP and over a unix socket, as Prometheus and the kube-apiserver use it.
func TestProxy(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "here")
	}))
	defer server.Close()
	var table Table
	_ = table.Set("192.0.2.1:6443", server.Listener.Addr().String())
	_ = table.Set("192.0.2.9:6443", "127.0.0.1:1") // nobody there

	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	unix, err := net.Listen("unix", t.TempDir()+"/s")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		(&Proxy{Table: &table}).Serve(ctx, tcp, unix)
	}()

	transport := server.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.InsecureSkipVerify = true
	transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: tcp.Addr().String()})
	overUnix := transport.Clone()
	overUnix.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", unix.Addr().String())
	}
	for name, tr := range map[string]*http.Transport{"tcp": transport, "unix": overUnix} {
		client := &http.Client{Transport: tr, Timeout: 5 * time.Second}
		if got := get(client, "https://192.0.2.1:6443/"); got != "here" {
			t.Errorf("%s: got %q", name, got)
		}
		if got := get(client, "https://192.0.2.7:6443/"); !strings.Contains(got, "Forbidden") {
			t.Errorf("%s: an unknown address: got %q", name, got)
		}
		if got := get(client, "https://192.0.2.9:6443/"); !strings.Contains(got, "Bad Gateway") {
			t.Errorf("%s: an address where nobody is: got %q", name, got)
		}
		if got := get(client, "http://192.0.2.1:6443/"); got != "" {
			t.Errorf("%s: a request that is no CONNECT: got %q", name, got)
		}
	}
	cancel()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Error("Serve did not return")
	}
}

// get returns the body, or the error in words.
func get(client *http.Client, address string) string {
	response, err := client.Get(address)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return string(body)
}
