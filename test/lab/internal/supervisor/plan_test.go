// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"slices"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"

	"example.io/slo-apiserver/test/lab/internal/proc"
)

func testPlan(t *testing.T) *plan {
	t.Helper()
	p := &plan{Options: Options{Dir: t.TempDir(), BinDir: "/bin", Nodes: 2}, runtimeDir: "/run/x", storage: map[string]string{big: "127.0.0.1:1", small: "127.0.0.1:2"}}
	var err error
	if p.ports, err = choosePorts(p.Nodes); err != nil {
		t.Fatal(err)
	}
	if p.pki, err = makeCredentials(p.Dir, p.Nodes); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPortsAreDifferent(t *testing.T) {
	p, err := choosePorts(20)
	if err != nil {
		t.Fatal(err)
	}
	all := append([]int{p.etcd, p.etcdPeer, p.controllerManager, p.scheduler, p.prometheus, p.aggregated, p.apiserver[big], p.apiserver[small]}, p.kubelet...)
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != 28 {
		t.Errorf("28 ports asked for, %d different ones given", n)
	}
}

// Two apiservers differ in where they are, how they reach etcd and how much they take, and in nothing else: routing mode and
// credentials must be the same.
func TestAPIServersDifferOnlyWhereTheyMust(t *testing.T) {
	p := testPlan(t)
	a, b := p.apiserver(big), p.apiserver(small)
	if a.Hostname == b.Hostname {
		t.Error("both would write one Lease")
	}
	var different []string
	for i := range a.Args {
		if a.Args[i] != b.Args[i] {
			different = append(different, a.Args[i])
		}
	}
	if len(different) != 5 { // etcd, port, address, two limits
		t.Errorf("flags that differ: %q", different)
	}
	if !slices.Contains(b.Args, "--max-requests-inflight=8") || !slices.Contains(b.Args, "--max-mutating-requests-inflight=4") {
		t.Errorf("small has other limits: %q", b.Args)
	}
}

func TestAddressesLeadWhereTheyShould(t *testing.T) {
	p := testPlan(t)
	table, err := p.addresses()
	if err != nil {
		t.Fatal(err)
	}
	for address, port := range map[string]int{
		"192.0.2.1:6443":             p.ports.apiserver[big],
		"192.0.2.2:6443":             p.ports.apiserver[small],
		"10.96.0.1:443":              p.ports.apiserver[big],
		"kubernetes.default.svc:443": p.ports.apiserver[big],
		"192.0.2.100:443":            p.ports.aggregated,
		"192.0.2.100:6443":           p.ports.aggregated,
	} {
		if got, ok := table.Lookup(address); !ok || got != loopback(port) {
			t.Errorf("%s leads to %q, want %s", address, got, loopback(port))
		}
	}
	if got, ok := table.Lookup("192.0.2.3:6443"); ok {
		t.Errorf("192.0.2.3:6443 leads to %s", got)
	}
}

func TestWithAddress(t *testing.T) {
	list := func(endpoints []discoveryv1.Endpoint) (addresses []string) {
		for _, e := range endpoints {
			addresses = append(addresses, e.Addresses...)
		}
		return addresses
	}
	both := withAddress(withAddress(nil, "192.0.2.1", true), "192.0.2.2", true)
	for name, c := range map[string]struct {
		got  []discoveryv1.Endpoint
		want []string
	}{
		"both":          {both, []string{"192.0.2.1", "192.0.2.2"}},
		"one out":       {withAddress(both, "192.0.2.1", false), []string{"192.0.2.2"}},
		"twice is once": {withAddress(both, "192.0.2.2", true), []string{"192.0.2.1", "192.0.2.2"}},
		"not there":     {withAddress(both, "192.0.2.9", false), []string{"192.0.2.1", "192.0.2.2"}},
	} {
		if !slices.Equal(list(c.got), c.want) {
			t.Errorf("%s: %v, want %v", name, list(c.got), c.want)
		}
	}
}

// A pid is noted at its component, whichever kind it is of.
func TestSetPID(t *testing.T) {
	p := testPlan(t)
	p.Prometheus = "/usr/bin/prometheus"
	s := p.newState(proc.Identity{PID: 1})
	for i, name := range []string{"etcd", big, small, "controller-manager", "scheduler", "kubelet-1", "prometheus"} {
		setPID(s, name, 100+i)
	}
	got := []int{s.Etcd.PID, s.APIServers[0].PID, s.APIServers[1].PID, s.ControllerManager.PID, s.Scheduler.PID, s.Kubelets[1].PID, s.Prometheus.PID, s.Kubelets[0].PID}
	if want := []int{100, 101, 102, 103, 104, 105, 106, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
