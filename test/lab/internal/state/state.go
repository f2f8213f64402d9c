// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package state is what a running lab tells other programs: DIR/state.json.
package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"example.io/slo-apiserver/test/lab/internal/proc"
)

// File is the name of the state in the lab's directory.
const File = "state.json"

// State is everything another program needs to use the lab. All paths are absolute.
type State struct {
	// Ready is true once every component has been seen ready, and stays true when one is stopped on purpose.
	Ready bool `json:"ready"`
	// Supervisor is the process that holds all others; when it is gone, the rest of this file is history.
	Supervisor proc.Identity `json:"supervisor"`
	// KubernetesVersion of all components, such as v1.36.3.
	KubernetesVersion string `json:"kubernetesVersion"`
	// BinDir holds kubectl and the components.
	BinDir string `json:"binDir"`
	// LogDir holds one log per component.
	LogDir string `json:"logDir"`
	// RuntimeDir is short-lived and short-named: sockets and kubelet directories.
	RuntimeDir string `json:"runtimeDir"`
	// ControlSocket is the unix socket behind `lab stop`, `lab storage-delay` and the rest.
	ControlSocket string `json:"controlSocket"`
	// CAFile signed every serving certificate of the lab, and its client certificates.
	CAFile string `json:"caFile"`
	// ProxyURL is the CONNECT proxy for 192.0.2.x addresses: the value for HTTPS_PROXY or Prometheus' proxy_url.
	ProxyURL string `json:"proxyURL"`
	// AdminKubeconfig reaches apiserver big, AdminSmallKubeconfig small; both as a member of system:masters.
	AdminKubeconfig      string `json:"adminKubeconfig"`
	AdminSmallKubeconfig string `json:"adminSmallKubeconfig"`

	APIServers        []APIServer `json:"apiservers"`
	Etcd              Process     `json:"etcd"`
	ControllerManager Process     `json:"controllerManager"`
	Scheduler         Process     `json:"scheduler"`
	Kubelets          []Kubelet   `json:"kubelets"`
	// Prometheus is absent unless asked for.
	Prometheus *Prometheus `json:"prometheus,omitempty"`
	Aggregated Aggregated  `json:"aggregated"`
}

// Process is one process on a loopback port.
type Process struct {
	// Name is what `lab stop` and `lab start` take.
	Name string `json:"name"`
	// URL is where it listens.
	URL string `json:"url"`
	// PID is 0 while it is stopped.
	PID int `json:"pid"`
}

// APIServer is one kube-apiserver.
type APIServer struct {
	Process
	// Address is what the cluster knows it by, such as 192.0.2.1:6443. Reachable through the proxy.
	Address string `json:"address"`
	// Kubeconfig of a member of system:masters at this apiserver.
	Kubeconfig string `json:"kubeconfig"`
	// MaxRequestsInFlight and MaxMutatingRequestsInFlight: their sum is the seats that APF shares out.
	MaxRequestsInFlight         int `json:"maxRequestsInFlight"`
	MaxMutatingRequestsInFlight int `json:"maxMutatingRequestsInFlight"`
}

// Kubelet is one node.
type Kubelet struct {
	Process
	// Node is the name of its Node.
	Node string `json:"node"`
	// Address is its InternalIP. Reachable through the proxy.
	Address string `json:"address"`
	// Port is the same at Address and on loopback, as in status.daemonEndpoints.
	Port int `json:"port"`
}

// Prometheus is the Prometheus of `lab up --prometheus`.
type Prometheus struct {
	Process
	// ScrapeInterval of all jobs, such as 5s.
	ScrapeInterval string `json:"scrapeInterval"`
	ConfigFile     string `json:"configFile"`
}

// Aggregated is where slo-apiserver is expected. The lab makes it reachable (lab register); it does not run it.
type Aggregated struct {
	// Port on 127.0.0.1 to serve on.
	Port int `json:"port"`
	// Address is what the cluster knows it by: every port of this address leads to Port.
	Address string `json:"address"`
	// CertFile and KeyFile are for serving; they are valid for slo-apiserver.slo-system.svc.
	CertFile string `json:"certFile"`
	KeyFile  string `json:"keyFile"`
	// Kubeconfig of its service account at big. Written by `lab register`.
	Kubeconfig string `json:"kubeconfig"`
}

// APIServer returns the apiserver of that name.
func (s *State) APIServer(name string) (*APIServer, error) {
	for i := range s.APIServers {
		if s.APIServers[i].Name == name {
			return &s.APIServers[i], nil
		}
	}
	return nil, fmt.Errorf("no apiserver %q; there are big and small", name)
}

// ErrNone says that there is no lab in a directory.
var ErrNone = errors.New("no lab here")

// Load reads the state in dir, whether or not the lab still runs.
func Load(dir string) (*State, error) {
	data, err := os.ReadFile(filepath.Join(dir, File))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", dir, ErrNone)
	}
	if err != nil {
		return nil, err
	}
	var s State
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, File), err)
	}
	return &s, nil
}

// LoadRunning is Load for those who need the lab to run.
func LoadRunning(dir string) (*State, error) {
	s, err := Load(dir)
	if err != nil {
		return nil, fmt.Errorf("%w; start one with: lab up --dir %s", err, dir)
	}
	if !s.Supervisor.Alive() {
		return nil, fmt.Errorf("the lab in %s has ended; start it again with: lab up --dir %s", dir, dir)
	}
	return s, nil
}

// Save writes the state at once or not at all: readers never see half a file.
func (s *State) Save(dir string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, File)
	if err := os.WriteFile(file+".tmp", append(data, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".tmp", file)
}
