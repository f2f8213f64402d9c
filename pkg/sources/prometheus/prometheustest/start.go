// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package prometheustest runs a real Prometheus, or what goes for one, on given samples,
// for tests.
package prometheustest

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// Sample is a value of a series at a time.
type Sample struct {
	// Series is a metric name, and labels in braces if it has any.
	Series string
	At     time.Time
	Value  float64
	// Native histogram instead of the value; nil: there is none.
	Native *Native
}

// startTimeout is how long a Prometheus with a few blocks may take to answer; on
// an idle machine it is well below a second.
const startTimeout = 30 * time.Second

// Start runs a Prometheus that holds the samples, and nothing else, until the test
// ends. It returns its URL.
func Start(t testing.TB, samples []Sample) string {
	t.Helper()
	return Prometheus2.Start(t, samples)
}

// arguments of a peer that keeps its data in dir, for ever.
func (p Peer) arguments(dir, address string) ([]string, error) {
	data := filepath.Join(dir, "data")
	if p == VictoriaMetrics {
		return []string{"-httpListenAddr=" + address, "-storageDataPath=" + data, "-retentionPeriod=100y", "-loggerLevel=WARN"}, nil
	}
	settings := filepath.Join(dir, "prometheus.yml")
	return []string{
		"--config.file=" + settings,
		"--storage.tsdb.path=" + data,
		"--storage.tsdb.retention.time=100y",
		"--web.listen-address=" + address,
		"--web.enable-remote-write-receiver",
		"--log.level=warn",
	}, os.WriteFile(settings, []byte("global: {}\n"), 0o600)
}

// Start runs the peer as the function of that name does.
func (p Peer) Start(t testing.TB, samples []Sample) string {
	t.Helper()
	binary := p.find(t)
	address := freeAddress(t)
	arguments, err := p.arguments(t.TempDir(), address)
	if err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	command := exec.Command(binary, arguments...)
	command.Stdout, command.Stderr = &output, &output
	command.SysProcAttr = dieWithParent()

	started, ended := make(chan error), make(chan struct{})
	go func() {
		// The signal for the death of the parent is sent when the thread ends that
		// started the process (prctl(2), PR_SET_PDEATHSIG): it has to stay.
		runtime.LockOSThread()
		started <- command.Start()
		if command.Process != nil {
			_ = command.Wait()
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(startTimeout):
			_ = command.Process.Kill()
			<-ended
		}
	})
	url := "http://" + address
	if !ready(url, ended) {
		_ = command.Process.Kill()
		<-ended
		t.Fatalf("%s does not answer:\n%s", p, output.String())
	}
	if err := write(url, samples); err != nil {
		t.Fatal(err)
	}
	if p == VictoriaMetrics {
		if err := flush(url, samples); err != nil {
			t.Fatal(err)
		}
	}
	return url
}

func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// ready waits until Prometheus answers, or has ended.
func ready(url string, ended <-chan struct{}) bool {
	client := &http.Client{Timeout: time.Second}
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); {
		response, err := client.Get(url + "/-/ready")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return true
			}
		}
		select {
		case <-ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return false
}
