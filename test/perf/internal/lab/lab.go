// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package lab reaches a control plane that test/lab runs: its real bodies, and the
// processes in it.
package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"example.io/slo-apiserver/test/perf/internal/figures"
)

// Lab that runs. The fields are those of its state.json that are needed here; see
// test/lab/internal/state.
type Lab struct {
	Dir             string
	Ready           bool        `json:"ready"`
	AdminKubeconfig string      `json:"adminKubeconfig"`
	APIServers      []APIServer `json:"apiservers"`
	Kubelets        []Process   `json:"kubelets"`
	Prometheus      *Prometheus `json:"prometheus"`
	Aggregated      struct {
		Kubeconfig string `json:"kubeconfig"`
	} `json:"aggregated"`
}

// Process in the lab; its PID is 0 while it does not run.
type Process struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	PID  int    `json:"pid"`
}

// APIServer in the lab.
type APIServer struct {
	Process
	Kubeconfig string `json:"kubeconfig"`
}

// Prometheus in the lab.
type Prometheus struct {
	Process
	ScrapeInterval string `json:"scrapeInterval"`
}

// Open the lab in a directory.
func Open(dir string) (*Lab, error) {
	text, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err != nil {
		return nil, fmt.Errorf("no lab in %s, start one with `lab up --dir %s --detach`: %w", dir, dir, err)
	}
	l := &Lab{Dir: dir}
	if err := json.Unmarshal(text, l); err != nil {
		return nil, fmt.Errorf("%s/state.json: %w", dir, err)
	}
	if !l.Ready || len(l.APIServers) == 0 {
		return nil, fmt.Errorf("the lab in %s is not up", dir)
	}
	return l, nil
}

// betweenRecords is how long real bodies wait for each other: long enough for some
// series to change.
const betweenRecords = 2 * time.Second

var accept = map[figures.Format]string{
	figures.Protobuf: "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
	figures.Text:     "text/plain;version=0.0.4",
}

// Record so many bodies of each kube-apiserver.
func (l *Lab) Record(ctx context.Context, format figures.Format, scrapes int) (*figures.Recorded, error) {
	r := &figures.Recorded{}
	for _, a := range l.APIServers {
		r.Names = append(r.Names, a.Name)
	}
	for range scrapes {
		b := figures.Bodies{At: time.Now(), Answers: map[string][]byte{}}
		for _, a := range l.APIServers {
			body, err := a.metrics(ctx, accept[format])
			if err != nil {
				return nil, fmt.Errorf("metrics of kube-apiserver %s: %w", a.Name, err)
			}
			b.Answers[a.Name] = body
		}
		r.Bodies = append(r.Bodies, b)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(betweenRecords):
		}
	}
	return r, nil
}

func (a APIServer) metrics(ctx context.Context, accept string) ([]byte, error) {
	response, err := get(ctx, a.Kubeconfig, "/metrics", accept)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// Watch holds a watch open, as an idle reader does, until ctx is done.
func (l *Lab) Watch(ctx context.Context, path string) error {
	response, err := get(ctx, l.AdminKubeconfig, path, "application/json")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(err, fmt.Errorf("watch %s: it ended", path))
}

// get a path of a kube-apiserver. The caller closes the body.
func get(ctx context.Context, kubeconfig, path, accept string) (*http.Response, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, config.Host+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", accept)
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("%s: %s", path, response.Status)
	}
	return response, nil
}
