// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
)

// labState is what the tests need of the lab's state.json; test/lab documents it.
type labState struct {
	BinDir               string      `json:"binDir"`
	ProxyURL             string      `json:"proxyURL"`
	AdminKubeconfig      string      `json:"adminKubeconfig"`
	AdminSmallKubeconfig string      `json:"adminSmallKubeconfig"`
	CAFile               string      `json:"caFile"`
	APIServers           []apiserver `json:"apiservers"`
	Prometheus           struct {
		URL        string `json:"url"`
		ConfigFile string `json:"configFile"`
	} `json:"prometheus"`
	Aggregated struct {
		Port       int    `json:"port"`
		CertFile   string `json:"certFile"`
		KeyFile    string `json:"keyFile"`
		Kubeconfig string `json:"kubeconfig"`
	} `json:"aggregated"`
}

type apiserver struct {
	Name       string `json:"name"`
	Address    string `json:"address"`
	Kubeconfig string `json:"kubeconfig"`
}

type laboratory struct {
	dir   string
	state labState
	// admin and slo reach the cluster, and our group through its aggregator.
	admin *kubernetes.Clientset
	slo   *versioned.Clientset
	// viaPrometheus reaches, directly, a second server that reads Prometheus.
	viaPrometheus *versioned.Clientset
	// recorded is a third one, which scrapes through recorders.
	recorded *recording
	config   *rest.Config

	mu      sync.Mutex // parallel tests start servers
	servers []*exec.Cmd
	closers []io.Closer
}

func newLaboratory(dir string) (*laboratory, error) {
	l := &laboratory{dir: dir}
	data, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &l.state); err != nil {
		return nil, err
	}
	// The manifests of a real cluster, less the pod: RBAC is tried as it is shipped.
	if out, err := exec.Command(*labBinary, "register", "--dir", dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("register: %w\n%s", err, out)
	}
	if l.config, err = clientcmd.BuildConfigFromFlags("", l.state.AdminKubeconfig); err != nil {
		return nil, err
	}
	l.config.QPS = -1
	if l.admin, err = kubernetes.NewForConfig(l.config); err != nil {
		return nil, err
	}
	if l.slo, err = versioned.NewForConfig(l.config); err != nil {
		return nil, err
	}
	if err := l.startServers(); err != nil {
		l.stopServers()
		return nil, err
	}
	return l, nil
}

// startServers runs the server of the APIService, which scrapes, in the lab, and
// beside it one that reads Prometheus and one that scrapes through recorders.
func (l *laboratory) startServers() (err error) {
	args := []string{"serve", "--dir", l.dir, *serverBinary, "--", "--window=" + window.String(), "--interval=" + interval.String()}
	if out, err := exec.Command(*labBinary, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("serve: %w\n%s", err, out)
	}
	if l.viaPrometheus, _, err = l.startServer("prometheus", "--source=prometheus", "--prometheus-url="+l.state.Prometheus.URL); err != nil {
		return err
	}
	l.recorded, err = l.startRecorded()
	return err
}

// startServer runs a server beside the one of the APIService, and returns a client
// that reaches it directly.
func (l *laboratory) startServer(name string, flags ...string) (*versioned.Clientset, *os.Process, error) {
	port, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	log, err := os.Create(filepath.Join(l.dir, "logs", "slo-apiserver-"+name+".log"))
	if err != nil {
		return nil, nil, err
	}
	defer log.Close()
	server := exec.Command(*serverBinary, append(l.serverFlags(port), flags...)...)
	server.Stdout, server.Stderr = log, log
	// Past it goes what is on loopback: only addresses of the cluster are behind it.
	server.Env = append(os.Environ(), "HTTPS_PROXY="+l.state.ProxyURL)
	// The server ends with the tests, however they end.
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		return nil, nil, err
	}
	l.mu.Lock()
	l.servers = append(l.servers, server)
	l.mu.Unlock()
	direct := rest.CopyConfig(l.config)
	direct.Host = "https://127.0.0.1:" + strconv.Itoa(port)
	direct.TLSClientConfig.ServerName = "slo-apiserver.slo-system.svc"
	client, err := versioned.NewForConfig(direct)
	return client, server.Process, err
}

// closeAtEnd closes it when all tests have ended.
func (l *laboratory) closeAtEnd(c io.Closer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closers = append(l.closers, c)
}

// serverFlags serve on a port with the lab's certificate and account.
func (l *laboratory) serverFlags(port int) []string {
	return []string{
		"--kubeconfig=" + l.state.Aggregated.Kubeconfig,
		"--tls-cert-file=" + l.state.Aggregated.CertFile,
		"--tls-private-key-file=" + l.state.Aggregated.KeyFile,
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(port),
		"--window=" + window.String(),
		"--interval=" + interval.String(),
	}
}

// stopServers ends what the lab does not.
func (l *laboratory) stopServers() {
	for _, server := range l.servers {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
	}
	for _, c := range l.closers {
		_ = c.Close()
	}
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// do runs a command of the lab.
func (l *laboratory) do(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(*labBinary, append(args, "--dir", l.dir)...).CombinedOutput()
	if err != nil {
		t.Fatalf("lab %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// load makes traffic until stop is called, or the test ends.
func (l *laboratory) load(t *testing.T, args ...string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	command := exec.CommandContext(ctx, *labBinary, append([]string{"load", "--dir", l.dir, "--duration=10m"}, args...)...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGINT) }
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() { _ = command.Wait(); close(stopped) }()
	stop = func() { cancel(); <-stopped }
	t.Cleanup(stop)
	return stop
}

// eventually tries until the check passes, and fails with its last error.
func eventually(t *testing.T, timeout time.Duration, what string, check func() error) {
	t.Helper()
	deadline, started := time.Now().Add(timeout), time.Now()
	for {
		err := check()
		if err == nil {
			t.Logf("%s: after %s", what, time.Since(started).Round(time.Second))
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s: %v", what, timeout, err)
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("%s: %v", what, errors.Join(t.Context().Err(), err))
		case <-time.After(time.Second):
		}
	}
}
