// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
)

// choosePorts finds free ports. All are held until the last one is found, so that no two are the same.
//
// They lie below the range from which the kernel takes the ports of outgoing connections: a component may start, or start
// again, long after its port was chosen, and one of the hundreds of loopback connections must not have it then.
func choosePorts(nodes int) (ports, error) {
	var held []net.Listener
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	var failed error
	free := func() int {
		l, err := listenBelow(firstOutgoingPort())
		if err != nil {
			failed = err
			return 0
		}
		held = append(held, l)
		return l.Addr().(*net.TCPAddr).Port
	}
	p := ports{
		etcd: free(), etcdPeer: free(), controllerManager: free(), scheduler: free(), prometheus: free(), aggregated: free(),
		apiserver: map[string]int{big: free(), small: free()},
	}
	for range nodes {
		p.kubelet = append(p.kubelet, free())
	}
	return p, failed
}

// listenBelow takes a random port among the 10,000 below limit, or any where there are not that many.
func listenBelow(limit int) (net.Listener, error) {
	const span, unprivileged = 10_000, 1024
	if limit-span > unprivileged {
		for range 100 {
			if l, err := net.Listen("tcp", loopback(limit-1-rand.IntN(span))); err == nil {
				return l, nil
			}
		}
	}
	return net.Listen("tcp", loopback(0))
}

// firstOutgoingPort is 0 when the kernel does not say.
func firstOutgoingPort() int {
	data, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 0
	}
	var first, last int
	if _, err := fmt.Sscan(string(data), &first, &last); err != nil {
		return 0
	}
	return first
}
