// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"fmt"
	"path/filepath"
	"strconv"

	"example.io/slo-apiserver/test/lab/internal/proc"
)

func (p *plan) etcd() proc.Spec {
	client, peer := loopbackURL("http", p.ports.etcd), loopbackURL("http", p.ports.etcdPeer)
	return p.spec("etcd", "etcd",
		"--name=lab",
		"--data-dir="+p.path("data", "etcd"),
		"--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=lab="+peer,
		// Consistent LISTs are served from the watch cache only if etcd tells often how far it is; kubeadm sets the same.
		"--watch-progress-notify-interval=5s",
		"--unsafe-no-fsync", // the data is thrown away, and latency here comes from the delay proxy alone
		"--log-level=warn",
	)
}

func (p *plan) apiserver(name string) proc.Spec {
	s := p.spec(name, "kube-apiserver",
		"--etcd-servers=http://"+p.storage[name],
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", p.ports.apiserver[name]),
		"--advertise-address="+advertised[name],
		"--endpoint-reconciler-type=none", // the lab writes them: both apiservers at port 6443
		"--egress-selector-config-file="+p.path("config", "egress.yaml"),
		"--enable-aggregator-routing=true",
		fmt.Sprintf("--max-requests-inflight=%d", inFlight[name][0]),
		fmt.Sprintf("--max-mutating-requests-inflight=%d", inFlight[name][1]),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--service-cluster-ip-range="+serviceRange,
		"--client-ca-file="+p.pki.ca.File(),
		"--tls-cert-file="+p.pki.apiserver.CertFile,
		"--tls-private-key-file="+p.pki.apiserver.KeyFile,
		"--kubelet-certificate-authority="+p.pki.ca.File(),
		"--kubelet-client-certificate="+p.pki.apiserverToKubelet.CertFile,
		"--kubelet-client-key="+p.pki.apiserverToKubelet.KeyFile,
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer="+tokenIssuer,
		"--service-account-key-file="+p.pki.tokenSigner.CertFile,
		"--service-account-signing-key-file="+p.pki.tokenSigner.KeyFile,
		"--requestheader-client-ca-file="+p.pki.frontProxyCA.File(),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-uid-headers=X-Remote-Uid",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+p.pki.frontProxy.CertFile,
		"--proxy-client-key-file="+p.pki.frontProxy.KeyFile,
	)
	// Each apiserver identifies itself by its host name in one Lease.
	s.Hostname = "lab-" + name
	return s
}

// egressConfig sends what leaves an apiserver for the cluster (aggregated APIs, kubelets, service proxies) through the
// CONNECT proxy, where 192.0.2.x leads somewhere.
func (p *plan) egressConfig() string {
	return `apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport:
      uds:
        udsName: ` + p.egressSocket() + `
`
}

func (p *plan) controllerManager() proc.Spec {
	kubeconfig := p.kubeconfig("controller-manager")
	return p.spec("controller-manager", "kube-controller-manager",
		"--kubeconfig="+kubeconfig, "--authentication-kubeconfig="+kubeconfig, "--authorization-kubeconfig="+kubeconfig,
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", p.ports.controllerManager),
		"--leader-elect=false",
		"--use-service-account-credentials",
		"--root-ca-file="+p.pki.ca.File(),
		"--service-account-private-key-file="+p.pki.tokenSigner.KeyFile,
		"--horizontal-pod-autoscaler-sync-period=5s", // tests wait for the autoscaler
	)
}

func (p *plan) scheduler() proc.Spec {
	kubeconfig := p.kubeconfig("scheduler")
	return p.spec("scheduler", "kube-scheduler",
		"--kubeconfig="+kubeconfig, "--authentication-kubeconfig="+kubeconfig, "--authorization-kubeconfig="+kubeconfig,
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", p.ports.scheduler),
		"--leader-elect=false",
	)
}

func (p *plan) kubelet(i int) proc.Spec {
	s := p.spec(kubeletName(i), "hollow-kubelet",
		"--name="+nodeName(i),
		"--kubeconfig="+p.kubeconfig(kubeletName(i)),
		"--port="+strconv.Itoa(p.ports.kubelet[i]),
		"--tls-cert-file="+p.pki.kubeletServing[i].CertFile,
		"--tls-private-key-file="+p.pki.kubeletServing[i].KeyFile,
		"--client-ca-file="+p.pki.ca.File(),
	)
	s.Env = []string{"TMPDIR=" + filepath.Join(p.runtimeDir, kubeletName(i))}
	return s
}

func (p *plan) prometheus() proc.Spec {
	s := p.spec("prometheus", "",
		"--config.file="+p.path("config", "prometheus.yaml"),
		"--storage.tsdb.path="+p.path("data", "prometheus"),
		"--storage.tsdb.retention.time=2d",
		"--web.listen-address="+loopback(p.ports.prometheus),
		"--log.level=warn",
	)
	s.Path = p.Prometheus
	return s
}

// aggregatedName is the component that `lab serve` adds.
const aggregatedName = "slo-apiserver"

func (p *plan) aggregated(proxyURL, binary string, args []string) proc.Spec {
	s := p.spec(aggregatedName, "", append([]string{
		"--kubeconfig=" + p.kubeconfig(aggregatedName),
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", p.ports.aggregated),
		"--tls-cert-file=" + p.pki.aggregated.CertFile,
		"--tls-private-key-file=" + p.pki.aggregated.KeyFile,
	}, args...)...)
	s.Path = binary
	s.Env = []string{"HTTPS_PROXY=" + proxyURL}
	return s
}
