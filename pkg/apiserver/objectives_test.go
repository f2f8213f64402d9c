// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

// The example is in force as it stands, and both sources can read it.
func TestExampleFile(t *testing.T) {
	f := &objectivesFile{path: "../../artifacts/examples/objectives.yaml", window: DefaultWindow, minimumRequests: DefaultMinimumRequests}
	d, changed, err := f.load()
	if err != nil || !changed {
		t.Fatal(changed, err)
	}
	var official, names []string
	for _, o := range d.Objectives {
		names = append(names, o.Name)
		if o.Official {
			official = append(official, o.Name)
		}
	}
	if want := []string{slo.APILatencyReadOnlyCluster, slo.APILatencyReadOnlyResource}; !slices.Equal(official, want) {
		t.Errorf("official are %v, want %v", official, want)
	}
	if slices.Contains(names, slo.PodStartupLatency) || !slices.Contains(names, "api-availability") {
		t.Errorf("in force are %v", names)
	}
	for name, config := range map[string]SourceConfig{
		"scrape":     {Scrape: &ScrapeConfig{APIServers: []string{"https://127.0.0.1:6443"}, Timeout: time.Second}},
		"prometheus": {Prometheus: &PrometheusConfig{URL: "http://127.0.0.1:9090"}},
	} {
		c := CompletedConfig{&completedConfig{Config: Config{
			Client: &rest.Config{Host: "https://127.0.0.1:6443"}, Source: config, Window: DefaultWindow, Interval: 15 * time.Second,
		}}}
		if _, err := c.newSource(nil, readable(d)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Signals of components that nobody reads are not asked for, and say why.
func TestUnreadComponents(t *testing.T) {
	signals := []sources.Signal{
		{Name: "proxy", Component: "kube-proxy", Metrics: []string{"a"}},
		{Name: "server", Component: sources.KubeAPIServer, Metrics: []string{"b"}},
	}
	d := slo.Definitions{Signals: signals}
	if slices.ContainsFunc(readable(d), func(s sources.Signal) bool { return s.Name == "proxy" }) {
		t.Error("kube-proxy is read")
	}
	why := unread(d, signals[1:], time.Time{}, time.Time{})
	if len(why) != 1 || why["proxy"].Reason != reasonComponentNotRead {
		t.Errorf("got %+v", why)
	}
	// Another declaration under the same name is not what is read.
	other := slices.Clone(signals[1:])
	other[0].Match = map[string][]string{"verb": {"GET"}}
	if includes(signals, other) || !includes(signals, signals) {
		t.Error("signals are told apart by name only")
	}
}

// What is no file is refused at once: to open a pipe would wait for ever.
func TestObjectivesFromNoFile(t *testing.T) {
	directory := t.TempDir()
	pipe := filepath.Join(directory, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{directory, pipe, os.DevNull} {
		done := make(chan error, 1)
		go func() {
			_, _, err := (&objectivesFile{path: path, window: DefaultWindow}).load()
			done <- err
		}()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), path+": is no regular file") {
				t.Errorf("got %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: still reading", path)
		}
	}
}
