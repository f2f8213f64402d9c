// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.io/slo-apiserver/pkg/sources/prometheus"
)

// The flags and files that we show are such that the server starts with them, where
// the files that they name are there.
func TestPrometheusExamples(t *testing.T) {
	const dir, mounted = "../../../artifacts/examples/prometheus", "/etc/slo-apiserver/"
	files, err := filepath.Glob(dir + "/*.args")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	used := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var args []string
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
				args = append(args, line)
			}
		}
		o := parse(t, args...)
		if errs := o.Validate(); len(errs) > 0 {
			t.Errorf("%s: %v", file, errs)
		}
		settings := o.Source.Config(o.Evaluation.Interval).Prometheus
		client := prometheus.ClientConfig{URL: settings.URL}
		if name, is := strings.CutPrefix(settings.HTTPConfigFile, mounted); is {
			used[name] = true
			if client.HTTP, err = prometheus.LoadHTTPConfig(filepath.Join(dir, name)); err != nil {
				t.Error(err)
				continue
			}
			client.HTTP.Client.TLSConfig.CAFile = "" // which users have
		}
		if _, err := prometheus.NewClient(client); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	configs, _ := filepath.Glob(dir + "/*.yaml")
	for _, config := range configs {
		if !used[filepath.Base(config)] {
			t.Errorf("%s is used by no example", config)
		}
	}
}
