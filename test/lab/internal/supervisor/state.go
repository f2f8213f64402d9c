// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"fmt"
	"path/filepath"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"example.io/slo-apiserver/test/lab/internal/pki"
	"example.io/slo-apiserver/test/lab/internal/proc"
	"example.io/slo-apiserver/test/lab/internal/state"
)

// newState is the state before anything runs: all addresses, no pids.
func (p *plan) newState(self proc.Identity) *state.State {
	s := &state.State{
		Supervisor:           self,
		KubernetesVersion:    p.Version,
		BinDir:               p.BinDir,
		LogDir:               p.path("logs"),
		RuntimeDir:           p.runtimeDir,
		ControlSocket:        filepath.Join(p.runtimeDir, "control.sock"),
		CAFile:               p.pki.ca.File(),
		AdminKubeconfig:      p.kubeconfig("admin"),
		AdminSmallKubeconfig: p.kubeconfig("admin-small"),
		Etcd:                 state.Process{Name: "etcd", URL: loopbackURL("http", p.ports.etcd)},
		ControllerManager:    state.Process{Name: "controller-manager", URL: loopbackURL("https", p.ports.controllerManager)},
		Scheduler:            state.Process{Name: "scheduler", URL: loopbackURL("https", p.ports.scheduler)},
		Aggregated: state.Aggregated{
			Port:       p.ports.aggregated,
			Address:    aggregatedAddress,
			CertFile:   p.pki.aggregated.CertFile,
			KeyFile:    p.pki.aggregated.KeyFile,
			Kubeconfig: p.kubeconfig("slo-apiserver"),
		},
	}
	for _, name := range []string{big, small} {
		a := state.APIServer{
			Process:                     state.Process{Name: name, URL: p.apiserverURL(name)},
			Address:                     fmt.Sprintf("%s:%d", advertised[name], advertisedPort),
			Kubeconfig:                  p.kubeconfig(adminOf[name]),
			MaxRequestsInFlight:         inFlight[name][0],
			MaxMutatingRequestsInFlight: inFlight[name][1],
		}
		s.APIServers = append(s.APIServers, a)
	}
	for i, port := range p.ports.kubelet {
		s.Kubelets = append(s.Kubelets, state.Kubelet{
			Process: state.Process{Name: kubeletName(i), URL: loopbackURL("https", port)},
			Node:    nodeName(i),
			Address: nodeAddress(i),
			Port:    port,
		})
	}
	if p.Prometheus != "" {
		s.Prometheus = &state.Prometheus{
			Process:        state.Process{Name: "prometheus", URL: loopbackURL("http", p.ports.prometheus)},
			ScrapeInterval: p.ScrapeInterval.String(),
			ConfigFile:     p.path("config", "prometheus.yaml"),
		}
	}
	return s
}

// setPID notes in the state that a component has started, or with 0 that it has ended.
func setPID(s *state.State, name string, pid int) {
	for _, p := range processes(s) {
		if p.Name == name {
			p.PID = pid
		}
	}
}

func processes(s *state.State) []*state.Process {
	all := []*state.Process{&s.Etcd, &s.ControllerManager, &s.Scheduler}
	for i := range s.APIServers {
		all = append(all, &s.APIServers[i].Process)
	}
	for i := range s.Kubelets {
		all = append(all, &s.Kubelets[i].Process)
	}
	if s.Prometheus != nil {
		all = append(all, &s.Prometheus.Process)
	}
	return all
}

// adminOf names the administrator's kubeconfig at each apiserver.
var adminOf = map[string]string{big: "admin", small: "admin-small"}

func (p *plan) writeKubeconfigs() error {
	type user struct {
		name, apiserver string
		pair            pki.Pair
	}
	users := []user{
		{adminOf[big], big, p.pki.admin},
		{adminOf[small], small, p.pki.admin},
		{"controller-manager", big, p.pki.controllerManager},
		{"scheduler", big, p.pki.scheduler},
	}
	for i, pair := range p.pki.kubeletClient {
		users = append(users, user{kubeletName(i), big, pair})
	}
	for _, u := range users {
		if err := pki.WriteKubeconfig(p.kubeconfig(u.name), p.apiserverURL(u.apiserver), p.pki.ca.File(), u.pair); err != nil {
			return fmt.Errorf("kubeconfig of %s: %w", u.name, err)
		}
	}
	return nil
}

// clientFor is a client without a rate limit of its own.
func clientFor(kubeconfig string) (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	return kubernetes.NewForConfig(config)
}
