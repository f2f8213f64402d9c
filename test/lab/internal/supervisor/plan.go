// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"fmt"
	"path/filepath"
	"time"

	"example.io/slo-apiserver/test/lab/internal/pki"
	"example.io/slo-apiserver/test/lab/internal/proc"
)

// Options say what to start.
type Options struct {
	Dir            string
	BinDir         string
	Version        string
	Nodes          int
	Prometheus     string // the binary; empty for none
	ScrapeInterval time.Duration
}

// MaxNodes is what the addresses 192.0.2.10 to .99 are enough for.
const MaxNodes = 90

// Addresses and names that never change, so that tests can rely on them.
const (
	big   = "big"
	small = "small"

	aggregatedAddress = "192.0.2.100"
	advertisedPort    = 6443

	serviceRange      = "10.96.0.0/16"
	kubernetesService = "10.96.0.1" // the first address of serviceRange, always default/kubernetes
	tokenIssuer       = "https://kubernetes.default.svc.cluster.local"
)

// advertised is the address of each apiserver: two addresses, one port, as in a cluster. The slice of default/kubernetes
// has one port for all its addresses.
var advertised = map[string]string{big: "192.0.2.1", small: "192.0.2.2"}

// inFlight are --max-requests-inflight and --max-mutating-requests-inflight: upstream's defaults, and so few seats that
// a handful of clients fills them.
var inFlight = map[string][2]int{big: {400, 200}, small: {8, 4}}

func nodeName(i int) string    { return fmt.Sprintf("node-%d", i) }
func kubeletName(i int) string { return fmt.Sprintf("kubelet-%d", i) }
func nodeAddress(i int) string { return fmt.Sprintf("192.0.2.%d", 10+i) }

// plan is one run of the lab: every port, path and credential, decided before the first process starts.
type plan struct {
	Options
	runtimeDir string
	ports      ports
	pki        credentials
	// storage is where each apiserver finds etcd: its own delay proxy.
	storage map[string]string
}

type ports struct {
	etcd, etcdPeer, controllerManager, scheduler, prometheus, aggregated int
	apiserver                                                            map[string]int
	kubelet                                                              []int
}

type credentials struct {
	ca, frontProxyCA                                       *pki.CA
	apiserver, apiserverToKubelet, frontProxy, tokenSigner pki.Pair
	admin, controllerManager, scheduler                    pki.Pair
	aggregated, webhook                                    pki.Pair
	kubeletServing, kubeletClient                          []pki.Pair
}

func (p *plan) path(elements ...string) string {
	return filepath.Join(append([]string{p.Dir}, elements...)...)
}

func (p *plan) kubeconfig(name string) string { return p.path("kubeconfig", name+".kubeconfig") }

func (p *plan) egressSocket() string { return filepath.Join(p.runtimeDir, "egress.sock") }

func (p *plan) apiserverURL(name string) string { return loopbackURL("https", p.ports.apiserver[name]) }

func (p *plan) spec(name, binary string, args ...string) proc.Spec {
	return proc.Spec{
		Name:    name,
		Path:    filepath.Join(p.BinDir, binary),
		Args:    args,
		LogFile: p.path("logs", name+".log"),
		// Whatever a component drops into its temporary or working directory goes with the lab.
		Env: []string{"TMPDIR=" + p.runtimeDir},
		Dir: p.runtimeDir,
	}
}

func loopbackURL(scheme string, port int) string {
	return fmt.Sprintf("%s://127.0.0.1:%d", scheme, port)
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func makeCredentials(dir string, nodes int) (credentials, error) {
	var c credentials
	var failed error
	keep := func(pair pki.Pair, err error) pki.Pair {
		if failed == nil {
			failed = err
		}
		return pair
	}
	var err error
	if c.ca, err = pki.NewCA(dir, "ca"); err != nil {
		return c, err
	}
	// A CA of its own: whoever holds a certificate of it may name any user in a header.
	if c.frontProxyCA, err = pki.NewCA(dir, "front-proxy-ca"); err != nil {
		return c, err
	}
	c.apiserver = keep(c.ca.Serving("apiserver", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		"kubernetes.default", "kubernetes", "localhost", "127.0.0.1", advertised[big], advertised[small], kubernetesService))
	c.apiserverToKubelet = keep(c.ca.Client("apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters"))
	c.frontProxy = keep(c.frontProxyCA.Client("front-proxy-client", "front-proxy-client"))
	c.tokenSigner = keep(pki.SigningKey(dir, "service-account"))
	c.admin = keep(c.ca.Client("admin", "lab-admin", "system:masters"))
	c.controllerManager = keep(c.ca.Client("controller-manager", "system:kube-controller-manager"))
	c.scheduler = keep(c.ca.Client("scheduler", "system:kube-scheduler"))
	c.aggregated = keep(c.ca.Serving("slo-apiserver", "slo-apiserver.slo-system.svc", "slo-apiserver.slo-system.svc.cluster.local",
		"slo-apiserver.slo-system", "slo-apiserver", "localhost", "127.0.0.1", aggregatedAddress))
	c.webhook = keep(c.ca.Serving("webhook", "127.0.0.1", "localhost"))
	for i := range nodes {
		c.kubeletServing = append(c.kubeletServing, keep(c.ca.Serving(kubeletName(i), nodeName(i), nodeAddress(i), "127.0.0.1", "localhost")))
		c.kubeletClient = append(c.kubeletClient, keep(c.ca.Client(kubeletName(i)+"-client", "system:node:"+nodeName(i), "system:nodes")))
	}
	return c, failed
}
