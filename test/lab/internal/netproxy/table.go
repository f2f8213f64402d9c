// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package netproxy gives the lab's loopback ports the addresses they would have in a cluster.
//
// Endpoints may not hold loopback addresses, and a cluster's components have one address each. So everything in the lab
// has an address of 192.0.2.0/24 (TEST-NET-1, routed nowhere) in the API, and who wants to reach it asks this CONNECT
// proxy: kube-apiservers by their egress selector, Prometheus by proxy_url, the product by HTTPS_PROXY.
package netproxy

import (
	"fmt"
	"net"
	"sync"
)

// AnyPort in Table.Set maps every port of a host that has no entry of its own.
const AnyPort = "*"

// Table says where an address really is. What it does not know is refused: nothing leaves the machine.
type Table struct {
	mu      sync.RWMutex
	targets map[string]string
}

// Set maps host:port (port may be AnyPort) to a loopback address.
func (t *Table) Set(address, target string) error {
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("%s is not a loopback address", target)
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.targets == nil {
		t.targets = map[string]string{}
	}
	t.targets[address] = target
	return nil
}

// Lookup returns the loopback address behind host:port.
func (t *Table) Lookup(address string) (string, bool) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", false
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if target, ok := t.targets[address]; ok {
		return target, true
	}
	target, ok := t.targets[net.JoinHostPort(host, AnyPort)]
	return target, ok
}
